#include "agent/progress/cost.h"

#include <gtest/gtest.h>

namespace agent::progress {
namespace {

constexpr Price kPrice{.input_per_million = 2, .output_per_million = 8, .cached_per_million = 0.5};

TEST(CostOf, PricesInputAndOutputPerMillion) {
  EXPECT_DOUBLE_EQ(cost_of(kPrice, {.input = 1'000'000, .output = 500'000}), 6.0);
}

TEST(CostOf, PricesTheCachedPartOfTheInputAtItsOwn) {
  EXPECT_DOUBLE_EQ(cost_of(kPrice, {.input = 1'000'000, .output = 0, .cached = 400'000}), 1.4);
}

TEST(CostOf, PricesCachedTokensAsInputWithoutAPriceOfTheirOwn) {
  const Price price{.input_per_million = 2, .output_per_million = 8, .cached_per_million = {}};
  EXPECT_DOUBLE_EQ(cost_of(price, {.input = 1'000'000, .output = 0, .cached = 400'000}), 2.0);
}

TEST(CostOf, TakesNoMoreCachedTokensThanThereWasInput) {
  EXPECT_DOUBLE_EQ(cost_of(kPrice, {.input = 1'000'000, .output = 0, .cached = 9'000'000}), 0.5);
}

WorkDone half_done() {
  WorkDone work;
  work.total = 10;
  work.done = work.earned = 5;
  return work;
}

TEST(ForecastCost, AddsWhatTheRemainingWorkWillCostAtTheSameRate) {
  const auto forecast = forecast_cost(5.0, half_done(), 5);
  ASSERT_TRUE(forecast);
  EXPECT_DOUBLE_EQ(forecast->likely, 10.0);
}

TEST(ForecastCost, IsARangeAroundTheLikelyThatNarrowsWithFinishedFiles) {
  const auto few = forecast_cost(5.0, half_done(), 5);
  const auto many = forecast_cost(5.0, half_done(), 500);
  ASSERT_TRUE(few && many);
  EXPECT_LT(few->low, few->likely);
  EXPECT_GT(few->high, few->likely);
  EXPECT_GT(many->low, few->low);
  EXPECT_LT(many->high, few->high);
  EXPECT_GE(few->low, 5.0);  // what is spent is spent
}

TEST(ForecastCost, IsAbsentWhileNothingWasEarnedOrSpent) {
  EXPECT_FALSE(forecast_cost(0, half_done(), 5));
  EXPECT_FALSE(forecast_cost(5.0, WorkDone{}, 0));
}

}  // namespace
}  // namespace agent::progress
