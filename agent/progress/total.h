// Totals of amounts from outside. Each amount is at most 2^53, but nobody bounds how many come: a
// total stops at kMostTotal, so that it never overflows, nor does a sum of a few totals. Pure; any
// thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "agent/clock.h"

namespace agent::progress {

inline constexpr std::int64_t kMostTotal = std::int64_t{1} << 60;

// `amount` is not negative.
constexpr void add_up(std::int64_t& total, std::int64_t amount) {
  total += std::min(amount, kMostTotal - total);
}
constexpr void add_up(Duration& total, Duration amount) {
  total += std::min(amount, Duration(kMostTotal) - total);
}

}  // namespace agent::progress
