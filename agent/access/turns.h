// Turns: whose password is checked next. Every sender has a short line of his own, and the lines
// take turns; whoever was wrong rests for as many times as long as his check took. So one who
// guesses all the time gets a small share of a core, and others wait for one check of his, not for
// all. Pure; one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <utility>

#include "agent/clock.h"

namespace agent::access {

// Who sends: a number for each address, or for each network that one customer of a provider has.
using Sender = std::uint64_t;

template <typename Item>
class Turns {
 public:
  static constexpr std::size_t kMostOfOne = 4, kMost = 64;
  static constexpr int kRest = 9;  // for how many times its length a wrong check is rested for
  static constexpr Duration kLongestRest = std::chrono::seconds(5);

  // Puts it at the end of its sender's line. What finds no place is handed back: this item, or,
  // when all lines together are full, the last one of whoever has most.
  [[nodiscard]] std::optional<Item> add(Sender sender, Item item) {
    auto line = std::ranges::find(lines_, sender, &Line::sender);
    if (line == lines_.end()) line = lines_.insert(line, Line{sender, {}, {}});
    line->waiting.push_back(std::move(item));
    ++count_;
    if (line->waiting.size() > kMostOfOne) return take_last(*line);
    if (count_ > kMost) return take_last(longest());
    return std::nullopt;
  }

  // The one whose turn it is; nothing: there is none, or all who wait are at rest.
  [[nodiscard]] std::optional<std::pair<Sender, Item>> next(SteadyInstant now) {
    std::erase_if(lines_, [now](const Line& line) {
      return line.waiting.empty() && line.rests_until <= now;
    });
    const auto line = std::ranges::find_if(lines_, [now](const Line& each) {
      return !each.waiting.empty() && each.rests_until <= now;
    });
    if (line == lines_.end()) return std::nullopt;
    std::pair<Sender, Item> out(line->sender, std::move(line->waiting.front()));
    line->waiting.pop_front();
    --count_;
    lines_.splice(lines_.end(), lines_, line);
    return out;
  }

  // When the first of those who wait has rested; nothing: none waits.
  [[nodiscard]] std::optional<SteadyInstant> due() const {
    std::optional<SteadyInstant> first;
    for (const Line& line : lines_) {
      if (!line.waiting.empty())
        first = std::min(first.value_or(line.rests_until), line.rests_until);
    }
    return first;
  }

  // His check took `time`, and was of a wrong password.
  void was_wrong(Sender sender, Duration time, SteadyInstant now) {
    auto line = std::ranges::find(lines_, sender, &Line::sender);
    if (line == lines_.end()) line = lines_.insert(line, Line{sender, {}, {}});
    line->rests_until = now + std::min(kRest * time, kLongestRest);
  }

  void clear() {
    lines_.clear();
    count_ = 0;
  }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  struct Line {
    Sender sender;
    std::deque<Item> waiting;
    SteadyInstant rests_until;
  };

  // Of several as long the one that came last.
  Line& longest() {
    Line* out = &lines_.back();
    for (auto line = lines_.rbegin(); line != lines_.rend(); ++line) {
      if (line->waiting.size() > out->waiting.size()) out = &*line;
    }
    return *out;
  }
  Item take_last(Line& line) {
    Item out = std::move(line.waiting.back());
    line.waiting.pop_back();
    --count_;
    return out;
  }

  std::list<Line> lines_;  // whoever had his turn is at the end
  std::size_t count_ = 0;  // waiting, in all lines
};

}  // namespace agent::access
