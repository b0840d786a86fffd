// How well a session goes, from its tallies. Pure; any thread. Source: the contract, section 4.
#pragma once

#include <cstdint>
#include <optional>

#include "agent/clock.h"

namespace agent::progress {

// part / whole; empty when there is no whole.
std::optional<double> share(std::int64_t part, std::int64_t whole);

// min(1, delay / (active x concurrency)); 0 while no time has passed and nothing was lost.
double rate_limiting_impact(Duration delay, Duration active, std::int64_t concurrency);

struct QualityInputs {
  std::optional<double> reported;          // mean of the reported qualities, 0..1
  std::optional<double> error_rate;        // failed / finished
  std::optional<double> api_success_rate;  // successful / total calls
  std::int64_t retries = 0, finished = 0;
};
// Weighted mean of what is known: reported quality (1.0), 1 - error rate (0.5), API success (0.3),
// 1 - min(1, retries / finished) (0.2). Empty when nothing is known.
std::optional<double> quality_score(const QualityInputs& in);

}  // namespace agent::progress
