// LongTimes: how durations beyond 12 s are spread, in buckets a twentieth apart: for quantiles that
// are never too short, and too long by a twentieth at most. Short ones take no memory. Pure; not
// thread-safe. Manner of the buckets: DDSketch (Masson, Rim, Lee 2019).
#pragma once

#include <cstdint>
#include <vector>

#include "agent/progress/histogram.h"

namespace agent::progress {

class LongTimes {
 public:
  static constexpr double kShort = 12;  // seconds
  static constexpr double kRatio = 1.05;

  void observe(double seconds, std::uint64_t times = 1);
  // All that it has, in place of what is here; as well as its buckets tell, which is too long
  // rather than too short.
  void take(const Histogram& of);
  // The percentile of `all` durations, of which those observed here are the long ones, in seconds;
  // kShort for any short one.
  [[nodiscard]] double percentile(std::uint64_t percent, std::uint64_t all) const;

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive(self.counts_);
  }

 private:
  static constexpr std::size_t kBuckets = 256;  // to about a month; what is longer counts there

  std::vector<std::uint32_t> counts_;  // of (kShort kRatio^i, kShort kRatio^(i+1)]
};

}  // namespace agent::progress
