// ActiveClock: a session's own time, in seconds: it stands still while the session is paused, and
// while it waits out an announced rate limit. So rates are of work, and what was announced is
// added, not averaged. Pure: time is an argument. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "agent/clock.h"

namespace agent::eta {

class ActiveClock {
 public:
  explicit ActiveClock(Instant start) : start_(start) {}

  void pause(Instant at);
  void resume(Instant at);
  // Requests are refused until `until`. Work stands still until then, or until a file ends
  // (`went_on`).
  void wait(Instant at, Instant until);
  void went_on(Instant at) {
    if (stopped_since_ && !paused_) go_on(at);
  }

  // Session time at `t`; exact for the last kRemembered stops, for the older ones as if before `t`.
  [[nodiscard]] double at(Instant t) const;

  [[nodiscard]] bool paused() const { return paused_; }
  // Of an announced wait, the seconds still to go; standing: nothing began since it was announced.
  [[nodiscard]] double wait_left(Instant now) const;
  [[nodiscard]] bool standing(Instant now) const {
    return stopped_since_.has_value() && now < until_;
  }
  [[nodiscard]] double waited(Instant now) const;  // in all, as far as work stood still for it
  [[nodiscard]] std::size_t waits() const { return waits_; }

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive(self.start_, self.stopped_since_, self.wait_until_, self.paused_, self.stops_,
            self.stop_count_, self.waits_, self.older_, self.waited_, self.with_pause_,
            self.until_);
  }

 private:
  static constexpr std::size_t kRemembered = 16;
  struct Stop {
    Instant from, to;

    template <typename Archive, typename Self>
    static void fields(Archive& archive, Self& self) {
      archive(self.from, self.to);
    }
  };
  void go_on(Instant at);
  [[nodiscard]] Duration stopped_by(Instant t) const;

  Instant start_;
  std::optional<Instant> stopped_since_;
  Instant until_ = Instant::min();       // of the stop that is on; max: until resumed
  Instant wait_until_ = Instant::min();  // of the latest announced wait
  bool paused_ = false;
  std::array<Stop, kRemembered> stops_{};  // the last ones, a ring
  std::size_t stop_count_ = 0, waits_ = 0;
  Duration older_{};         // stopped in stops that fell off the ring
  Duration waited_{};        // in closed stops that no pause was part of
  bool with_pause_ = false;  // the stop that is on, or its part
};

}  // namespace agent::eta
