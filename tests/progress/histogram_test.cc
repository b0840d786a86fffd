#include "agent/progress/histogram.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace agent::progress {
namespace {

constexpr std::array<double, 3> kBounds = {1, 2, 4};

TEST(Histogram, CountsAValueEqualToABoundInThatBucket) {
  Histogram h(kBounds);
  for (const double value : {0.0, 1.0, 1.5, 2.0, 4.0, 4.1}) h.observe(value);
  EXPECT_EQ(h.bucket(0), 2U);
  EXPECT_EQ(h.bucket(1), 2U);
  EXPECT_EQ(h.bucket(2), 1U);
  EXPECT_EQ(h.bucket(3), 1U);
  EXPECT_EQ(h.count(), 6U);
  EXPECT_DOUBLE_EQ(h.sum(), 12.6);
}

TEST(Histogram, CountsOneObservationManyTimes) {
  Histogram h(kBounds);
  h.observe(1.5, 18);
  EXPECT_EQ(h.bucket(1), 18U);
  EXPECT_EQ(h.count(), 18U);
  EXPECT_DOUBLE_EQ(h.sum(), 27.0);
}

TEST(Histogram, HasNoQuantileWithoutValues) { EXPECT_FALSE(Histogram(kBounds).quantile(0.95)); }

TEST(Histogram, InterpolatesWithinABucketAsPrometheusDoes) {
  Histogram h(kBounds);
  for (int i = 0; i < 10; ++i) h.observe(1.5);
  EXPECT_DOUBLE_EQ(*h.quantile(0.5), 1.5);
  EXPECT_DOUBLE_EQ(*h.quantile(0.95), 1.95);
  EXPECT_DOUBLE_EQ(*h.quantile(1), 2.0);
}

TEST(Histogram, AQuantileAboveTheLastBoundIsThatBound) {
  Histogram h(kBounds);
  h.observe(1'000);
  EXPECT_DOUBLE_EQ(*h.quantile(0.95), 4.0);
}

TEST(Histogram, TakesNoMoreBoundsThanItHasRoomFor) {
  std::vector<double> many;
  for (int i = 0; i < 100; ++i) many.push_back(i);
  Histogram h(many);
  h.observe(1e9);
  EXPECT_EQ(h.bounds().size(), Histogram::kMaxBounds);
  EXPECT_EQ(h.bucket(Histogram::kMaxBounds), 1U);
}

}  // namespace
}  // namespace agent::progress
