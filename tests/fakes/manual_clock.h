// ManualClock: both clocks stand still until a test moves them. And how tests write moments: in
// seconds since one fixed instant. Any test; not thread-safe.
#pragma once

#include "agent/clock.h"

namespace agent::fakes {

inline constexpr Instant kEpoch{std::chrono::seconds(1'767'603'600)};  // 2026-01-05T09:00:00Z

// Rounded to the microsecond.
constexpr Duration span(double seconds) {
  return Duration(static_cast<Duration::rep>(seconds * 1e6 + (seconds < 0 ? -0.5 : 0.5)));
}
constexpr Instant moment(double seconds) { return kEpoch + span(seconds); }
// Both clocks, `seconds` after kEpoch.
constexpr Now now_at(double seconds) {
  return {moment(seconds), SteadyInstant{span(seconds + 1'000'000)}};
}

class ManualClock final : public Clock {
 public:
  [[nodiscard]] Now now() const override { return now_; }
  void advance(Duration d) {
    now_.wall += d;
    now_.steady += d;
  }
  // Somebody set the machine's clock; steady time goes on.
  void set_wall(Instant wall) { now_.wall = wall; }

 private:
  Now now_ = now_at(0);
};

}  // namespace agent::fakes
