// AlertThresholds: from when on a session's own figures are worth an alert; the contract, section
// 3, `alertThresholds`. The operator's defaults (Rules), then what the session says. A value.
#pragma once

#include <optional>

namespace agent::progress {

struct AlertThresholds {
  std::optional<double> slow_processing_ms;  // off when empty
  double high_error_rate = 0.1;
  std::optional<double> low_throughput;  // files per minute; off when empty
  double eta_deviation_percent = 50;
  double quality_score_threshold = 0.7;

  bool operator==(const AlertThresholds&) const = default;
};

}  // namespace agent::progress
