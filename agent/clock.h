// Time as the agent speaks of it. Wall time is shown to people; steady time measures. Only loops
// hold a Clock; everything else takes the time as an argument, so that replay and tests run in
// virtual time.
#pragma once

#include <chrono>

namespace agent {

using Duration = std::chrono::microseconds;
using Span = std::chrono::duration<double>;       // seconds; a length that was calculated
using Instant = std::chrono::sys_time<Duration>;  // UTC, microseconds since 1970
using SteadyInstant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// One moment on both clocks: when something reached the agent.
struct Now {
  Instant wall;
  SteadyInstant steady;
};

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Now now() const = 0;
};

// The machine's clocks. Any thread.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Now now() const override;
};

constexpr double seconds(Span d) { return d.count(); }
constexpr double milliseconds(Span d) {
  return std::chrono::duration<double, std::milli>(d).count();
}
constexpr double unix_seconds(Instant t) { return seconds(t.time_since_epoch()); }

}  // namespace agent
