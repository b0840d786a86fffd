#include "agent/progress/throughput.h"

#include <algorithm>
#include <bit>

namespace agent::progress {

void Window::add(Instant at, double amount) {
  advance(at);
  if (at <= edge_) return;
  make_room();
  auto place = entries_.end();
  while (place != entries_.begin() && std::prev(place)->at > at) --place;
  if (place != entries_.begin() && at - std::prev(place)->at <= grain_) {
    std::prev(place)->amount += amount;
    touched_ = std::min(touched_, std::prev(place)->at);
  } else {
    entries_.insert(place, {at, amount});
    touched_ = std::min(touched_, at);
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

double Window::sum(Instant now) const {
  double sum = sum_;
  for (const Entry& entry : entries_) {
    if (entry.at > now - length_) break;
    sum -= entry.amount;
  }
  return sum;
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
  touched_ = Instant::min();
}

void Window::save(Packer& packer) {
  auto from = entries_.end();
  while (from != entries_.begin() && std::prev(from)->at >= touched_) --from;
  packer(length_, edge_, grain_, sum_, touched_);
  packer.number(static_cast<std::uint64_t>(entries_.end() - from));
  for (; from != entries_.end(); ++from) packer(from->at, from->amount);
  touched_ = Instant::max();
}

void Window::load(Unpacker& unpacker) {
  Instant from;
  unpacker(length_, edge_, grain_, sum_, from);
  const std::uint64_t count = unpacker.number();
  if (count > 2 * kExact) return unpacker.fail();
  while (!entries_.empty() && entries_.back().at >= from) entries_.pop_back();
  while (!entries_.empty() && entries_.front().at <= edge_) entries_.pop_front();
  // As make_room would have grown it, so that it thins at the same size as before.
  if (entries_.size() + count > 0)
    entries_.set_capacity(std::bit_ceil(std::max<std::size_t>(8, entries_.size() + count)));
  for (std::uint64_t i = 0; i < count && unpacker.ok(); ++i) {
    Entry entry{};
    unpacker(entry.at, entry.amount);
    entries_.push_back(entry);
  }
  touched_ = Instant::max();
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
  saved_ = 0;
  spacing_ *= 2;
  next_ = points_.back().timestamp + spacing_;
}

void ThroughputHistory::save(Packer& packer) {
  packer(spacing_, next_, saved_);
  packer.number(points_.size() - saved_);
  for (; saved_ < points_.size(); ++saved_)
    packer(points_[saved_].timestamp, points_[saved_].files_per_minute);
}

void ThroughputHistory::load(Unpacker& unpacker) {
  std::size_t from = 0;
  unpacker(spacing_, next_, from);
  const std::uint64_t count = unpacker.number();
  if (from > points_.size() || count > kPoints) return unpacker.fail();
  points_.resize(from);
  points_.reserve(from + count);
  for (std::uint64_t i = 0; i < count && unpacker.ok(); ++i) {
    ThroughputPoint& point = points_.emplace_back();
    unpacker(point.timestamp, point.files_per_minute);
  }
  saved_ = points_.size();
  shared_.reset();
}

std::shared_ptr<const std::vector<ThroughputPoint>> ThroughputHistory::points() const {
  if (!shared_) shared_ = std::make_shared<const std::vector<ThroughputPoint>>(points_);
  return shared_;
}

namespace {

double per_minute(double files, Duration time) { return files * 60.0 / seconds(time); }

}  // namespace

void Throughput::advance(Instant now, Duration active) {
  draw_history(now, active);
  if (!full_ && active >= window_.length()) {
    peak_ = peak(now, active);
    full_ = true;
  }
  window_.advance(now);
  moved_to_ = std::max(moved_to_, now);
}

void Throughput::draw_history(Instant now, Duration active) {
  while (history_.due(now)) {
    const Instant then = history_.next();
    const Duration active_then = std::max(Duration::zero(), active - (now - then));
    history_.add({then, current(then, active_then).value_or(0)});
  }
}

void Throughput::resize(Duration window) {
  if (window == window_.length()) return;
  window_.resize(window);
  full_ = false;
}

void Throughput::complete(Instant at, double files) {
  window_.add(at, files);
  if (full_) peak_ = std::max(peak_.value_or(0), per_minute(window_.sum(), window_.length()));
}

std::optional<double> Throughput::current(Instant now, Duration active) const {
  const Duration over = std::min(active, window_.length());
  if (over <= Duration::zero()) return std::nullopt;
  return per_minute(window_.sum(now), over);
}

// While none was full before, the first to be full is looked at as of the instant it was.
std::optional<double> Throughput::peak(Instant now, Duration active) const {
  if (full_ || active < window_.length()) return peak_;
  const Instant filled = std::max(now - (active - window_.length()), moved_to_);
  return std::max(peak_.value_or(0), per_minute(window_.sum(filled), window_.length()));
}

void Throughput::save(Packer& packer) {
  packer(full_, moved_to_, peak_);
  window_.save(packer);
  history_.save(packer);
}

void Throughput::load(Unpacker& unpacker) {
  unpacker(full_, moved_to_, peak_);
  window_.load(unpacker);
  history_.load(unpacker);
}

void Throughput::forget_saved() {
  window_.forget_saved();
  history_.forget_saved();
}

}  // namespace agent::progress
