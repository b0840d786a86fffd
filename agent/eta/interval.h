// The 80 % interval and the confidence of a forecast, and how a family's earlier sessions correct
// them. Pure.
#pragma once

#include <span>

#include "agent/eta/blend.h"
#include "agent/eta/family.h"
#include "agent/eta/model.h"

namespace agent::eta {

struct Interval {
  double log_low = 0, log_high = 0;  // ln of total seconds
  double confidence =
      0;  // probability that the remaining time is within 20 % (or 1 % of the total)
};

// What a family's record does to its intervals and confidences.
struct Calibration {
  // Widths are multiplied by exp(widen): the sum over past sessions of (0.8 - share of the time
  // that the interval held), so that misses of either side are worked off (adaptive conformal
  // inference; Gibbs and Candes 2021, with the session as the step).
  double widen = 0;
  // Added to the confidence's log-odds: how far past sessions were from what it promised.
  double shift = 0;
  static Calibration of(std::span<const FamilyRun> runs);
};

// From the law of the blend, around the announced total; wider above while much is left, of which
// no law knows what it holds.
[[nodiscard]] Interval interval_of(const Blend& blend, double log_now, double log_announced,
                                   const Calibration& calibration);
// From the learned quantiles of ln(announced / true total) and odds of a hit.
[[nodiscard]] Interval interval_of(const Model& model, const Features& features, double log_now,
                                   double log_announced, const Calibration& calibration);

}  // namespace agent::eta
