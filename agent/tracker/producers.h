// Producers: the last sequence number applied for each producer of acknowledged events, so that an
// event sent again is not applied again. The longest silent one is forgotten when there are too
// many. Not thread-safe: the tracker guards it.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "agent/progress/text.h"

namespace agent::tracker {

struct Producer {
  std::string name;
  std::int64_t last_seq = 0;
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

 private:
  void forget_oldest();

  std::size_t most_;
  std::list<Producer> recent_;
  boost::unordered_flat_map<std::string_view, std::list<Producer>::iterator, progress::TextHash,
                            progress::TextEqual>
      by_name_;  // keys lie in the list
};

}  // namespace agent::tracker
