#include "agent/tracker/producers.h"

namespace agent::tracker {

Producer& Producers::touch(std::string_view name) {
  if (!recent_.empty() && recent_.front().name == name) return recent_.front();
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second);
    return recent_.front();
  }
  if (by_name_.size() >= most_) forget_oldest();
  recent_.push_front({std::string(name), 0, false});
  by_name_.emplace(recent_.front().name, recent_.begin());
  return recent_.front();
}

void Producers::set_most(std::size_t most) {
  most_ = most;
  while (by_name_.size() > most_) forget_oldest();
}

void Producers::forget_oldest() {
  if (recent_.empty()) return;
  by_name_.erase(recent_.back().name);
  if (recent_.back().changed) --changed_;
  recent_.pop_back();
}

void Producers::mark_all_changed() {
  for (Producer& producer : recent_) producer.changed = true;
  changed_ = recent_.size();
}

}  // namespace agent::tracker
