// Ledger: which things changed, in the order of their latest change. Each reader of the live feed
// keeps a place in it and is told of what stands after that place: of each thing once, as it is
// now, however often it changed meanwhile. So a slow reader costs a number, never a queue. Pure;
// not thread-safe.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "agent/web/frame.h"

namespace agent::web {

// Something that readers are told of: a part of a session, or one of its files.
struct Topic {
  std::uint64_t session = 0;  // serial
  std::uint32_t part = 0, epoch = 0;

  bool operator==(const Topic&) const = default;
};

class Ledger {
 public:
  // Counts marks: a reader at this place was told of everything up to this mark.
  using Place = std::uint64_t;

  // Beyond `most` marks the oldest go. What they say is lost to readers who have not come there
  // yet, unless `lossless`: it is marked again then.
  Ledger(std::size_t most, bool lossless) : most_(most), lossless_(lossless) {}

  // It has changed: it is due again to everybody.
  void mark(const Topic& topic);
  [[nodiscard]] Place end() const { return begin_ + marks_.size(); }
  // Nobody is at an earlier place.
  void forget_before(Place place);
  void clear();

  // The next thing due to a reader at `place` (after `catch_up`), which moves behind it; null:
  // nothing is due. `passed(topic)` is called for each change that newer ones made void before this
  // reader came.
  struct Due {
    Topic topic;
    const Frame* text;  // what `keep` was given since the mark, or an empty one. Good until the
                        // next call of another function.
  };
  template <typename Passed>
  Due next(Place& place, Passed&& passed);
  // Moves `place` to the first mark that is kept; how many marks it can be told of no more.
  [[nodiscard]] std::uint64_t catch_up(Place& place) const;
  // The text of something due, for the readers who come after this one.
  void keep(const Topic& topic, Frame text);
  [[nodiscard]] std::size_t kept_bytes() const { return kept_bytes_; }
  [[nodiscard]] std::size_t size() const { return marks_.size(); }

 private:
  struct TopicHash {
    std::size_t operator()(const Topic& t) const {
      return (t.session * 0x9e3779b97f4a7c15U) ^ (std::uint64_t{t.epoch} << 32U | t.part);
    }
  };
  struct Latest {
    Place mark;  // its last one
    Frame text;
  };
  void put_mark(const Topic& topic);
  void drop_first();

  const std::size_t most_;
  const bool lossless_;
  Place begin_ = 0;  // before the first mark that is kept
  std::deque<Topic> marks_;
  boost::unordered_flat_map<Topic, Latest, TopicHash> latest_;
  std::size_t kept_bytes_ = 0;
};

template <typename Passed>
Ledger::Due Ledger::next(Place& place, Passed&& passed) {
  while (place < end()) {
    const Topic& topic = marks_[place - begin_];
    Latest& latest = latest_.find(topic)->second;
    ++place;
    if (latest.mark == place) return {topic, &latest.text};
    passed(topic);
  }
  return {{}, nullptr};
}

}  // namespace agent::web
