#include "agent/eta/laws.h"

#include <gtest/gtest.h>

#include <cmath>

namespace agent::eta {
namespace {

TEST(Laws, QuantileUndoesProbability) {
  for (double p = 0.0001; p < 1; p += 0.0173)
    EXPECT_NEAR(normal_below(normal_quantile(p)), p, 1e-8);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963985, 1e-8);
}

// The mean beyond an age, by numerical integration of the survival function.
double integrated_mean_beyond(double mean, double sigma, double age) {
  const double mu = std::log(mean) - sigma * sigma / 2;
  const auto survival = [&](double x) { return normal_below((mu - std::log(x)) / sigma); };
  double sum = 0;
  const double step = 1e-4;
  for (double u = step / 2; u < 14; u += step)
    sum += survival(age * std::exp(u)) * age * std::exp(u) * step;
  return age + sum / survival(age);
}

TEST(Laws, MeanBeyondAnAgeIsTheMeanResidualLife) {
  for (const double sigma : {0.2, 0.6, 1.5}) {
    for (const double age : {0.3, 1.0, 3.0}) {
      const double expected = integrated_mean_beyond(1, sigma, age);
      EXPECT_NEAR(mean_beyond(1, sigma, age) / expected, 1, 0.03) << sigma << " " << age;
    }
  }
  EXPECT_DOUBLE_EQ(mean_beyond(5, 0.5, 0), 5);
}

TEST(Laws, WhatHasRunLongIsExpectedToTakeLongerStill) {
  double before = 0;
  for (double age = 0.01; age < 1e7; age *= 1.7) {
    const double total = mean_beyond(1, 0.5, age);
    EXPECT_GE(total, age);
    EXPECT_GE(total, before);
    before = total;
  }
}

TEST(Laws, TruncatedQuantilesLieAboveTheFloorAndUndoTheProbability) {
  for (const double mean : {-30.0, -3.0, 0.0, 4.0}) {
    const TruncatedNormal law{mean, 1.3, 0.5};
    double before = law.floor;
    for (double p = 0.05; p < 1; p += 0.05) {
      const double x = law.quantile(p);
      EXPECT_GE(x, before);
      EXPECT_NEAR(law.below(x), p, 0.02) << mean << " " << p;
      before = x;
    }
    EXPECT_EQ(law.below(0.4), 0);
  }
}

}  // namespace
}  // namespace agent::eta
