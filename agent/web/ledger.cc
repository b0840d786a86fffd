#include "agent/web/ledger.h"

#include <utility>

namespace agent::web {

void Ledger::mark(const Topic& topic) {
  put_mark(topic);
  while (marks_.size() > most_) {
    const Topic first = marks_.front();
    const bool is_latest = latest_.find(first)->second.mark == begin_ + 1;
    // As many things as marks: there is nothing to drop.
    if (is_latest && lossless_ && latest_.size() >= most_) break;
    drop_first();
    if (is_latest && lossless_) put_mark(first);
  }
}

void Ledger::put_mark(const Topic& topic) {
  marks_.push_back(topic);
  Latest& latest = latest_[topic];
  kept_bytes_ -= latest.text.text.size();
  latest = {end(), {}};
}

void Ledger::drop_first() {
  const auto found = latest_.find(marks_.front());
  marks_.pop_front();
  if (++begin_ != found->second.mark) return;
  kept_bytes_ -= found->second.text.text.size();
  latest_.erase(found);
}

void Ledger::keep(const Topic& topic, Frame text) {
  Frame& kept = latest_[topic].text;
  kept_bytes_ += text.text.size() - kept.text.size();
  kept = std::move(text);
}

std::uint64_t Ledger::catch_up(Place& place) const {
  return place < begin_ ? begin_ - std::exchange(place, begin_) : 0;
}

void Ledger::forget_before(Place place) {
  while (begin_ < place && !marks_.empty()) drop_first();
}

void Ledger::clear() {
  begin_ = end();
  marks_.clear();
  latest_.clear();
  kept_bytes_ = 0;
}

}  // namespace agent::web
