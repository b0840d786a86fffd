#include "agent/progress/quality.h"

#include <gtest/gtest.h>

namespace agent::progress {
namespace {

using std::chrono::milliseconds;

constexpr Duration s(int seconds) { return std::chrono::seconds(seconds); }

TEST(Share, IsAbsentWithoutAWhole) {
  EXPECT_FALSE(share(0, 0));
  EXPECT_DOUBLE_EQ(*share(0, 4), 0.0);
  EXPECT_DOUBLE_EQ(*share(3, 4), 0.75);
}

TEST(RateLimitingImpact, IsDelayOverActiveTimeOfAllWorkers) {
  EXPECT_DOUBLE_EQ(rate_limiting_impact(milliseconds(4500), s(120), 2), 0.01875);
}

TEST(RateLimitingImpact, IsAtMostOne) {
  EXPECT_DOUBLE_EQ(rate_limiting_impact(s(500), s(100), 1), 1.0);
  EXPECT_DOUBLE_EQ(rate_limiting_impact(s(1), s(0), 1), 1.0);
}

TEST(RateLimitingImpact, IsZeroWhenNothingWasLost) {
  EXPECT_DOUBLE_EQ(rate_limiting_impact(s(0), s(0), 1), 0.0);
}

TEST(RateLimitingImpact, TakesConcurrencyAsAtLeastOne) {
  EXPECT_DOUBLE_EQ(rate_limiting_impact(s(1), s(10), 0), 0.1);
}

TEST(QualityScore, IsAbsentWhenNothingIsKnown) { EXPECT_FALSE(quality_score({})); }

TEST(QualityScore, IsTheWeightedMeanOfAllFour) {
  // (0.8 x 1.0 + 0.75 x 0.5 + 0.9 x 0.3 + 0.5 x 0.2) / 2.0
  EXPECT_DOUBLE_EQ(*quality_score({.reported = 0.8,
                                   .error_rate = 0.25,
                                   .api_success_rate = 0.9,
                                   .retries = 2,
                                   .finished = 4}),
                   0.7725);
}

TEST(QualityScore, LeavesOutWhatIsNotKnown) {
  EXPECT_DOUBLE_EQ(*quality_score({.reported = {}, .error_rate = {}, .api_success_rate = 0.9}),
                   0.9);
  // (0.875 x 0.5 + 0.9 x 0.3 + 0.75 x 0.2) / 1.0: the scenario f1
  EXPECT_DOUBLE_EQ(*quality_score({.reported = {},
                                   .error_rate = 0.125,
                                   .api_success_rate = 0.9,
                                   .retries = 2,
                                   .finished = 8}),
                   0.8575);
}

TEST(QualityScore, MoreRetriesThanFinishedFilesCountAsOneEach) {
  EXPECT_DOUBLE_EQ(
      *quality_score(
          {.reported = 1.0, .error_rate = {}, .api_success_rate = {}, .retries = 9, .finished = 3}),
      1.0 / 1.2);
}

}  // namespace
}  // namespace agent::progress
