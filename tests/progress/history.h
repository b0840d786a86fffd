// History: a random life of one session, for property tests: files that come and go in any order,
// at equal and at earlier times, retries, sizes known or not, totals that grow, pauses, jobs that
// only count, ends, new attempts, resumes, and long silence. Times are whole seconds and amounts
// are multiples of powers of two, so that sums are exact. The same seed gives the same history.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "agent/progress/event.h"
#include "tests/fakes/manual_clock.h"

namespace agent::progress {

// splitmix64.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::uint64_t below(std::uint64_t n) { return next() % n; }
  bool chance(std::uint64_t percent) { return below(100) < percent; }

 private:
  std::uint64_t state_;
};

struct Step {
  Instant ts;
  Now at;                    // received
  std::optional<Fact> fact;  // none: the session has gone stale
};

struct History {
  std::vector<Step> steps;
  Now end;                                           // when to look
  bool in_order = true;                              // every ts is the time it was received
  std::deque<std::vector<AnnouncedFile>> announced;  // what the steps' spans view
};

History random_history(std::uint64_t seed);
// Only file events that tell a state, of a few files, at few instants.
std::vector<Step> random_file_events(std::uint64_t seed);

// For a person to read when a property fails.
std::string describe(const History& history);

}  // namespace agent::progress
