// Producers: the last sequence number applied for each producer of acknowledged events, so that an
// event sent again is not applied again. The longest silent one is forgotten when there are too
// many. Not thread-safe: the tracker guards it.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/progress/text.h"

namespace agent::tracker {

struct Producer {
  std::string name;
  std::int64_t last_seq = 0;
  bool changed = false;  // since storage last took it
};

class Producers {
 public:
  explicit Producers(std::size_t most) : most_(most) {}

  // Finds or begins to remember it, and makes it the most recent. Valid until the next call.
  Producer& touch(std::string_view name);
  void set_most(std::size_t most);
  [[nodiscard]] std::size_t size() const { return by_name_.size(); }
  // The most recent first.
  [[nodiscard]] const std::list<Producer>& all() const { return recent_; }

  // For storage: notes the producer that was touched last as changed.
  void mark_changed() {
    if (recent_.front().changed) return;
    recent_.front().changed = true;
    ++changed_;
  }
  [[nodiscard]] bool any_changed() const { return changed_ > 0; }
  // Calls `take(producer)` for each changed one, the longest silent first.
  template <typename Take>
  void take_changed(Take&& take) {
    std::vector<const Producer*> taken;
    for (auto it = recent_.begin(); changed_ > 0 && it != recent_.end(); ++it) {
      if (!std::exchange(it->changed, false)) continue;
      taken.push_back(&*it);
      --changed_;
    }
    for (auto it = taken.rbegin(); it != taken.rend(); ++it) take(**it);
  }
  void mark_all_changed();

 private:
  void forget_oldest();

  std::size_t most_;
  std::list<Producer> recent_;
  std::size_t changed_ = 0;
  boost::unordered_flat_map<std::string_view, std::list<Producer>::iterator, progress::TextHash,
                            progress::TextEqual>
      by_name_;  // keys lie in the list
};

}  // namespace agent::tracker
