#include "agent/eta/interval.h"

#include <algorithm>
#include <cmath>

namespace agent::eta {
namespace {

constexpr double kLevel = 0.8;
constexpr double kMostWiden = 1.2, kLeastWiden = -0.7, kMostShift = 1.5;
// Of the law's quantiles below and above, and added above while all is left: fitted so that 80 %
// hold.
constexpr double kBelow = 1.4, kAbove = 1.1, kUnknown = 0.6;
constexpr double kSureness = 0.65,
                 kModesty = -0.5;  // what the law's odds of a hit are worth (Platt scaling, 1999)
constexpr double kWidest = 5;      // of ln
constexpr double kNarrowest = 1e-3;

double log_odds(double p) {
  p = std::clamp(p, 0.01, 0.99);
  return std::log(p / (1 - p));
}
double probability(double log_odds) { return 1 / (1 + std::exp(-log_odds)); }

Interval around(double log_now, double log_announced, double below, double above,
                const Calibration& c) {
  const double scale = std::exp(c.widen);
  return {std::max(log_now, log_announced - std::clamp(below * scale, kNarrowest, kWidest)),
          log_announced + std::clamp(above * scale, kNarrowest, kWidest), 0};
}

}  // namespace

Calibration Calibration::of(std::span<const FamilyRun> runs) {
  constexpr double kStep = 0.5, kShrink = 2;
  Calibration c;
  double gap = 0, n = 0;
  for (const FamilyRun& r : runs) {
    c.widen += kStep * (kLevel - static_cast<double>(r.coverage));
    gap += log_odds(static_cast<double>(r.hits)) - log_odds(static_cast<double>(r.confidence));
    n += 1;
  }
  c.widen = std::clamp(c.widen, kLeastWiden, kMostWiden);
  c.shift = std::clamp(gap / (n + kShrink), -kMostShift, kMostShift);
  return c;
}

Interval interval_of(const Blend& b, double log_now, double log_announced, const Calibration& c) {
  const TruncatedNormal& law = b.law;
  const double low = law.quantile(0.1), high = law.quantile(0.9);
  Interval i = around(log_now, log_announced, kBelow * (log_announced - low),
                      kAbove * (high - log_announced) + kUnknown * b.share_left, c);
  const double now = std::exp(log_now), left = std::exp(log_announced) - now;
  const double hit = law.below(std::max(std::log(now + left / 0.8), log_announced + 0.01)) -
                     law.below(std::min(std::log(now + left / 1.2), log_announced - 0.01));
  i.confidence = probability(kSureness * log_odds(hit) + kModesty + c.shift);
  return i;
}

Interval interval_of(const Model& model, const Features& f, double log_now, double log_announced,
                     const Calibration& c) {
  const double a = model(Forest::kLow, f), b = model(Forest::kHigh, f);
  Interval i = around(log_now, log_announced, std::max(a, b), -std::min(a, b), c);
  i.confidence = probability(std::clamp(model(Forest::kHit, f) + c.shift, -6.0, 6.0));
  return i;
}

}  // namespace agent::eta
