#include "agent/progress/quality.h"

#include <algorithm>

namespace agent::progress {

std::optional<double> share(std::int64_t part, std::int64_t whole) {
  if (whole <= 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

double rate_limiting_impact(Duration delay, Duration active, std::int64_t concurrency) {
  if (delay <= Duration::zero()) return 0;
  const double capacity =
      seconds(active) * static_cast<double>(std::max<std::int64_t>(1, concurrency));
  return capacity > 0 ? std::min(1.0, seconds(delay) / capacity) : 1.0;
}

std::optional<double> quality_score(const QualityInputs& in) {
  double sum = 0;
  double weights = 0;
  const auto take = [&](std::optional<double> value, double weight) {
    if (!value) return;
    sum += weight * *value;
    weights += weight;
  };
  take(in.reported, 1.0);
  if (in.error_rate) take(1 - *in.error_rate, 0.5);
  take(in.api_success_rate, 0.3);
  if (const auto retried = share(in.retries, in.finished)) take(1 - std::min(1.0, *retried), 0.2);
  if (weights <= 0) return std::nullopt;
  return sum / weights;
}

}  // namespace agent::progress
