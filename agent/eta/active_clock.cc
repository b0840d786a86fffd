#include "agent/eta/active_clock.h"

#include <algorithm>

namespace agent::eta {

void ActiveClock::pause(Instant at) {
  if (paused_) return;
  if (stopped_since_ && until_ <= at) go_on(at);
  if (!stopped_since_) stopped_since_ = at;
  until_ = Instant::max();
  paused_ = with_pause_ = true;
}

void ActiveClock::resume(Instant at) {
  if (!paused_) return;
  paused_ = false;
  if (wait_until_ > at) {
    until_ = wait_until_;
  } else {
    go_on(at);
  }
}

void ActiveClock::wait(Instant at, Instant until) {
  if (until <= at) return;
  ++waits_;
  wait_until_ = std::max(wait_until_, until);
  if (paused_) return;
  if (stopped_since_ && until_ < at) go_on(at);
  if (!stopped_since_) stopped_since_ = at;
  until_ = wait_until_;
}

// Closes the stop that is on.
void ActiveClock::go_on(Instant at) {
  const Stop stop{*stopped_since_, std::max(*stopped_since_, std::min(at, until_))};
  stopped_since_.reset();
  Stop& slot = stops_[stop_count_ % kRemembered];
  if (stop_count_ >= kRemembered) older_ += slot.to - slot.from;
  slot = stop;
  ++stop_count_;
  if (!with_pause_) waited_ += stop.to - stop.from;
  with_pause_ = false;
}

Duration ActiveClock::stopped_by(Instant t) const {
  Duration sum = older_;
  for (std::size_t i = 0; i < std::min(stop_count_, kRemembered); ++i) {
    if (stops_[i].from < t) sum += std::min(t, stops_[i].to) - stops_[i].from;
  }
  if (stopped_since_ && *stopped_since_ < t) sum += std::min(t, until_) - *stopped_since_;
  return sum;
}

double ActiveClock::at(Instant t) const {
  return std::max(0.0, seconds(t - start_ - stopped_by(t)));
}

double ActiveClock::wait_left(Instant now) const {
  return wait_until_ > now ? seconds(wait_until_ - now) : 0.0;
}

double ActiveClock::waited(Instant now) const {
  Duration sum = waited_;
  if (stopped_since_ && !with_pause_ && now > *stopped_since_) {
    sum += std::min(now, until_) - *stopped_since_;
  }
  return seconds(sum);
}

}  // namespace agent::eta
