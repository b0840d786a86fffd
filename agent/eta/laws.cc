#include "agent/eta/laws.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace agent::eta {
namespace {

constexpr double kDeep = 6;  // sigmas from which the tail is taken as exponential

template <std::size_t N>
double polynomial(const std::array<double, N>& c, double x) {
  double y = 0;
  for (const double k : c) y = y * x + k;
  return y;
}

constexpr std::array<double, 6> kMiddleTop = {-3.969683028665376e+01, 2.209460984245205e+02,
                                              -2.759285104469687e+02, 1.383577518672690e+02,
                                              -3.066479806614716e+01, 2.506628277459239e+00};
constexpr std::array<double, 6> kMiddleBottom = {-5.447609879822406e+01, 1.615858368580409e+02,
                                                 -1.556989798598866e+02, 6.680131188771972e+01,
                                                 -1.328068155288572e+01, 1};
constexpr std::array<double, 6> kTailTop = {-7.784894002430293e-03, -3.223964580411365e-01,
                                            -2.400758277161838e+00, -2.549732539343734e+00,
                                            4.374664141464968e+00,  2.938163982698783e+00};
constexpr std::array<double, 5> kTailBottom = {7.784695709041462e-03, 3.224671290700398e-01,
                                               2.445134137142996e+00, 3.754408661907416e+00, 1};

double lower_tail_quantile(double p) {
  const double q = std::sqrt(-2 * std::log(p));
  return polynomial(kTailTop, q) / polynomial(kTailBottom, q);
}

}  // namespace

double normal_below(double z) { return 0.5 * std::erfc(-z * 0.70710678118654752440); }

double normal_quantile(double p) {
  constexpr double kTail = 0.02425;
  p = std::clamp(p, 1e-300, 1 - 1e-16);
  if (p < kTail) return lower_tail_quantile(p);
  if (p > 1 - kTail) return -lower_tail_quantile(1 - p);
  const double q = p - 0.5, r = q * q;
  return q * polynomial(kMiddleTop, r) / polynomial(kMiddleBottom, r);
}

double mean_beyond(double mean, double sigma, double age) {
  if (age <= 0) return mean;
  const double mu = std::log(mean) - 0.5 * sigma * sigma;
  const double z = (std::log(age) - mu) / sigma;
  if (z > 4.5) return age * (1 + sigma / z);
  return std::max(age, mean * normal_below(sigma - z) / normal_below(-z));
}

double TruncatedNormal::quantile(double p) const {
  const double z = (floor - mean) / sigma;
  if (z > kDeep) return floor + sigma * -std::log1p(-p) / (z + 1 / z);
  return std::max(floor, mean - sigma * normal_quantile(normal_below(-z) * (1 - p)));
}

double TruncatedNormal::below(double value) const {
  if (value <= floor) return 0;
  const double z = (floor - mean) / sigma;
  if (z > kDeep) return -std::expm1(-(value - floor) / sigma * (z + 1 / z));
  return 1 - normal_below((mean - value) / sigma) / normal_below(-z);
}

}  // namespace agent::eta
