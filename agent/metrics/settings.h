// Settings: what the configuration says about /metrics. Plain values that passed the checks of
// `settings/`, among them which names may be session labels. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace agent::metrics {

enum class PerFile : std::uint8_t {
  kOff,
  kActive,  // a series for each file being processed, for the slowest `max_file_series` of them
};

struct Settings {
  // Labels of `session.start` that become labels of `progress_session_info`.
  std::vector<std::string> session_labels = {};
  PerFile per_file = PerFile::kOff;
  std::size_t max_file_series = 100;   // on the whole page
  std::size_t max_sessions = 2'000;    // running ones first, then those that ended last
  std::size_t max_label_values = 100;  // per session and label; the others become "other"
  bool openmetrics_created = false;    // write `_created` samples in OpenMetrics
};

}  // namespace agent::metrics
