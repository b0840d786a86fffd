// The two laws the estimates rest on: file durations are lognormal, and so is the total time around
// its forecast. Pure functions; any thread.
#pragma once

namespace agent::eta {

// P(Z <= z) of the standard normal law.
[[nodiscard]] double normal_below(double z);

// The z with P(Z <= z) = p; 0 < p < 1. Acklam's rational approximation (2003), relative
// error 1.2e-9.
[[nodiscard]] double normal_quantile(double p);

// E[X | X > age] for a lognormal X of the given mean and standard deviation of its logarithm:
//   mean * (1 - Phi(z - sigma)) / (1 - Phi(z)),  z = (ln age - mu) / sigma,  mu = ln mean - sigma^2
//   / 2
// (mean residual life; Johnson, Kotz, Balakrishnan, "Continuous Univariate Distributions", vol. 1,
// ch. 14). Far in the tail, where both survival functions vanish, its limit by Mills' ratio, age *
// (1 + sigma / z). Never below `age`. mean > 0, sigma > 0.
[[nodiscard]] double mean_beyond(double mean, double sigma, double age);

// A normal law of mean `mean` and standard deviation `sigma`, given that the value is above
// `floor`.
struct TruncatedNormal {
  double mean = 0, sigma = 1, floor = 0;

  // The value that is exceeded with probability 1 - p. Deep in the tail, where the survival
  // function vanishes, that of its exponential limit: floor + sigma * -ln(1 - p) / (z + 1 / z), z
  // the floor in sigmas.
  [[nodiscard]] double quantile(double p) const;
  [[nodiscard]] double below(double value) const;  // P(X <= value)
};

}  // namespace agent::eta
