#include "agent/progress/throughput.h"

#include <algorithm>

namespace agent::progress {

void Window::add(Instant at, double amount) {
  advance(at);
  if (at <= edge_) return;
  make_room();
  auto place = entries_.end();
  while (place != entries_.begin() && std::prev(place)->at > at) --place;
  if (place != entries_.begin() && at - std::prev(place)->at <= grain_) {
    std::prev(place)->amount += amount;
  } else {
    entries_.insert(place, {at, amount});
  }
  sum_ += amount;
}

void Window::advance(Instant now) {
  edge_ = std::max(edge_, now - length_);
  while (!entries_.empty() && entries_.front().at <= edge_) {
    sum_ -= entries_.front().amount;
    entries_.pop_front();
  }
  if (entries_.empty()) {
    sum_ = 0;
    grain_ = Duration::zero();
  }
}

void Window::make_room() {
  if (!entries_.full()) return;
  if (entries_.size() >= 2 * kExact)
    thin();
  else
    entries_.set_capacity(std::max<std::size_t>(8, entries_.capacity() * 2));
}

// Merges neighbours closer than the grain; the earlier instant stands for both.
void Window::thin() {
  grain_ = length_ / kExact;
  std::size_t kept = 0;
  for (std::size_t i = 1; i < entries_.size(); ++i) {
    if (entries_[i].at - entries_[kept].at <= grain_) {
      entries_[kept].amount += entries_[i].amount;
    } else {
      entries_[++kept] = entries_[i];
    }
  }
  entries_.erase_end(entries_.size() - kept - 1);
}

void ThroughputHistory::add(ThroughputPoint point) {
  shared_.reset();
  if (points_.size() < kPoints) {
    points_.push_back(point);
    next_ = point.timestamp + spacing_;
    return;
  }
  // This one lies half a new step after the last that stays: it goes too.
  std::size_t kept = 0;
  for (std::size_t i = 1; i < points_.size(); i += 2) points_[kept++] = points_[i];
  points_.resize(kept);
  spacing_ *= 2;
  next_ = points_.back().timestamp + spacing_;
}

std::shared_ptr<const std::vector<ThroughputPoint>> ThroughputHistory::points() const {
  if (!shared_) shared_ = std::make_shared<const std::vector<ThroughputPoint>>(points_);
  return shared_;
}

namespace {

double per_minute(double files, Duration time) { return files * 60.0 / seconds(time); }

}  // namespace

void Throughput::advance(Instant now, Duration active) {
  while (history_.due(now)) {
    const Instant then = history_.next();
    const Duration active_then = std::max(Duration::zero(), active - (now - then));
    advance_window(then, active_then);
    history_.add({then, current(active_then).value_or(0)});
  }
  advance_window(now, active);
}

void Throughput::advance_window(Instant now, Duration active) {
  if (!full_ && active >= window_.length()) {
    const Instant filled = now - (active - window_.length());
    window_.advance(std::max(filled, moved_to_));
    full_ = true;
    note_peak();
  }
  window_.advance(now);
  moved_to_ = std::max(moved_to_, now);
}

void Throughput::note_peak() {
  peak_ = std::max(peak_.value_or(0), per_minute(window_.sum(), window_.length()));
}

void Throughput::resize(Duration window) {
  if (window == window_.length()) return;
  window_.resize(window);
  full_ = false;
}

void Throughput::complete(Instant at, double files) {
  window_.add(at, files);
  if (full_) note_peak();
}

std::optional<double> Throughput::current(Duration active) const {
  const Duration over = std::min(active, window_.length());
  if (over <= Duration::zero()) return std::nullopt;
  return per_minute(window_.sum(), over);
}

}  // namespace agent::progress
