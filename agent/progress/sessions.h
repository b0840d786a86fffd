// Sessions: the set of all sessions, and its bounds. Finds or starts the session an event names, applies the
// event, and decides who leaves. Pure: time is an argument. Not thread-safe: the tracker guards it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "agent/clock.h"
#include "agent/progress/cost.h"
#include "agent/progress/event.h"
#include "agent/progress/session.h"
#include "agent/progress/snapshot.h"
#include "agent/progress/text_hash.h"
#include "agent/result.h"

namespace agent::progress {

// The bounds of memory and time; from the settings.
struct Limits {
  std::size_t max_active = 10'000;       // sessions not ended
  std::size_t max_ended = 1'000;         // ended ones kept
  std::size_t max_files = 5'000'000;     // tracked files, all sessions together
  std::size_t max_label_values = 100;    // providers, stages, models per session; others become "other"
  std::size_t max_labels = 64;           // labels of one session
  std::size_t max_stopped = 10'000;      // remembered names of stopped sessions
  Duration stale_after = std::chrono::hours(1);
  Duration linger = std::chrono::minutes(15);
};

}  // namespace agent::progress
