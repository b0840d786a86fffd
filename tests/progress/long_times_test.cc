#include "agent/progress/long_times.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "agent/progress/archive.h"

namespace agent::progress {
namespace {

TEST(LongTimes, KnowShortOnesOnlyAsShort) {
  LongTimes times;
  times.observe(0.5);
  times.observe(LongTimes::kShort);
  EXPECT_EQ(times.percentile(95, 2), LongTimes::kShort);
  times.observe(100);
  EXPECT_EQ(times.percentile(50, 3), LongTimes::kShort);
  EXPECT_NEAR(times.percentile(95, 3), 102.5, 2.5);
}

TEST(LongTimes, AreNeverTooShortAndAtMostATwentiethTooLong) {
  std::mt19937 random(1);
  std::lognormal_distribution<double> durations(4, 2);
  for (int round = 0; round < 50; ++round) {
    LongTimes times;
    std::vector<double> all;
    for (int i = 0; i < 7 * round + 1; ++i) {
      all.push_back(durations(random));
      times.observe(all.back());
    }
    std::ranges::sort(all);
    const double exact = all[(all.size() * 95 + 99) / 100 - 1];
    const double told = times.percentile(95, all.size());
    EXPECT_GE(told, exact * (1 - 1e-12));
    EXPECT_LE(told, std::max(LongTimes::kShort, exact * LongTimes::kRatio));
  }
}

TEST(LongTimes, TakeWhatAHistogramKnowsAtItsLongest) {
  constexpr std::array<double, 3> kBounds = {5, 60, 300};
  Histogram h(kBounds);
  for (const double seconds : {1.0, 20.0, 70.0, 1'000.0}) h.observe(seconds);
  LongTimes times;
  times.observe(1e5, 10);
  times.take(h);
  EXPECT_EQ(times.percentile(25, 4), LongTimes::kShort);
  EXPECT_NEAR(times.percentile(50, 4), 61.5, 1.5);
  EXPECT_NEAR(times.percentile(75, 4), 307, 8);
}

TEST(LongTimes, OfAnyLengthHaveAPlaceAndComeBack) {
  LongTimes times;
  times.observe(1e300);
  times.observe(std::nan(""));
  EXPECT_GT(times.percentile(95, 1), 30 * 86'400.0);
  Packer packer;
  packer(times);
  Unpacker unpacker(packer.bytes());
  LongTimes back;
  unpacker(back);
  EXPECT_TRUE(unpacker.ok() && unpacker.empty());
  EXPECT_EQ(back.percentile(95, 1), times.percentile(95, 1));
}

}  // namespace
}  // namespace agent::progress
