// Rules: what the operator decides about tracking: bounds of memory and time, what tokens cost, and
// from when on figures are worth an alert.
// From the settings; the same for all sessions. A value.
#pragma once

#include <cstddef>

#include "agent/clock.h"
#include "agent/progress/cost.h"
#include "agent/progress/thresholds.h"

namespace agent::progress {

struct Limits {
  std::size_t max_active = 10'000;    // sessions not ended
  std::size_t max_ended = 1'000;      // ended ones kept
  std::size_t max_files = 5'000'000;  // tracked files, all sessions together
  std::size_t max_label_values =
      100;                        // providers, stages, models of one session; others become "other"
  std::size_t slowest_files = 0;  // named in a session's answers
  std::size_t max_stopped = 10'000;  // remembered names of stopped sessions
  Duration stale_after = std::chrono::hours(1);
  Duration linger = std::chrono::minutes(15);
};

struct Rules {
  Limits limits;
  Pricing pricing;
  AlertThresholds thresholds;  // where a session gives none
};

}  // namespace agent::progress
