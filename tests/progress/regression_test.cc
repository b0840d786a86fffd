#include "agent/progress/regression.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace agent::progress {
namespace {

// Ten runs of 100 files at a second each, give or take `noise`; from `since` on slower by `factor`.
std::vector<PastRun> ten_runs(unsigned seed, double noise, std::size_t since, double factor) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<PastRun> runs(10);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    runs[i].state = "completed";
    runs[i].completed = 100;
    runs[i].active = Span(100 * std::exp(noise * normal(random)) * (i >= since ? factor : 1));
  }
  return runs;
}

// How many of 200 such families are told of a slowdown.
int told(double noise, std::size_t since, double factor) {
  int count = 0;
  for (unsigned seed = 0; seed < 200; ++seed)
    count += find_regressions(ten_runs(seed, noise, since, factor)).empty() ? 0 : 1;
  return count;
}

TEST(Regression, ATwentyPercentSlowdownAmongTenNoisyRunsIsFound) {
  EXPECT_LE(198, told(0.03, 7, 1.2));
  EXPECT_LE(180, told(0.05, 5, 1.2));
  EXPECT_LE(180, told(0.03, 9, 1.2));  // the last one alone
}

TEST(Regression, TwoPercentAreSilence) {
  EXPECT_GE(4, told(0.03, 5, 1.02));
  EXPECT_GE(4, told(0.05, 10, 1));
  EXPECT_EQ(0, told(0.0, 5, 1.02));
}

TEST(Regression, SaysSinceWhenAndHowMuch) {
  const auto found = find_regressions(ten_runs(1, 0.01, 6, 1.5));
  ASSERT_EQ(1U, found.size());
  EXPECT_EQ("slowdown", found[0].code);
  EXPECT_EQ(6U, found[0].since);
  EXPECT_NEAR(1.0, found[0].before, 0.03);
  EXPECT_NEAR(50, found[0].change_percent, 5);
}

TEST(Regression, AFasterRunIsNone) {
  EXPECT_TRUE(find_regressions(ten_runs(1, 0.03, 6, 0.5)).empty());
}

TEST(Regression, LooksAtCostAndFailures) {
  std::vector<PastRun> runs = ten_runs(1, 0.0, 10, 1);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    runs[i].cost = i < 8 ? 1 : 2;
    runs[i].failed = i < 4 ? 0 : 20;
  }
  const auto found = find_regressions(runs);
  ASSERT_EQ(2U, found.size());
  EXPECT_EQ("cost_increase", found[0].code);
  EXPECT_EQ(8U, found[0].since);
  EXPECT_EQ("more_failures", found[1].code);
  EXPECT_EQ(4U, found[1].since);
}

TEST(Regression, FewRunsAndRunsThatWereCutShortSayNothing) {
  std::vector<PastRun> runs = ten_runs(1, 0.0, 3, 3);
  for (std::size_t i = 3; i < runs.size(); ++i) runs[i].state = "failed";
  EXPECT_TRUE(find_regressions(runs).empty());
  EXPECT_TRUE(find_regressions(ten_runs(1, 0.0, 2, 3)).size() <= 1);
  EXPECT_TRUE(find_regressions({}).empty());
}

}  // namespace
}  // namespace agent::progress
