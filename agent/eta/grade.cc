#include "agent/eta/grade.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace agent::eta {
namespace {

constexpr double kMostError = 3, kMostLogError = 2;
constexpr double kEnough = 0.2;  // of the instants, with an answer: else there is no record

struct Mean {
  double sum = 0, n = 0;
  void add(double v) {
    sum += v;
    n += 1;
  }
  [[nodiscard]] float over(double instants) const {
    if (n == 0 || n < kEnough * instants) return std::numeric_limits<float>::quiet_NaN();
    return static_cast<float>(sum / n);
  }
};

double relative_error(double log_foretold, double log_total) {
  return std::min(kMostError, std::abs(std::exp(log_foretold - log_total) - 1));
}

// As the confidence promises: the remaining time within 20 % of the true one, or 1 % of the total.
bool is_hit(double log_foretold, double at, double total) {
  const double miss = std::abs(std::exp(log_foretold) - total);
  return miss <= std::max(0.2 * (total - at), 0.01 * total);
}

}  // namespace

SelfGrade grade_of(const Trail& trail, double total, FamilyRun& run) {
  SelfGrade grade;
  std::array<Mean, kMethods> methods;
  std::array<Mean, kExperts> experts;
  std::array<Mean, kBeliefs> beliefs;
  Mean chosen, covered, confidence, hits;
  double instants = 0;
  const double truth = std::log(total);
  trail.each(total, [&](double at, const Foretold& f) {
    instants += 1;
    for (std::size_t m = 0; m < kMethods; ++m) {
      if (std::isnan(f.methods[m])) continue;
      const double e = relative_error(static_cast<double>(f.methods[m]), truth);
      methods[m].add(e);
      grade.errors[m].push_back(static_cast<float>(e));
    }
    for (std::size_t i = 0; i < kExperts; ++i) {
      if (std::isnan(f.experts[i])) continue;
      experts[i].add(std::min(kMostLogError, std::abs(static_cast<double>(f.experts[i]) - truth)));
    }
    for (std::size_t i = 0; i < kBeliefs; ++i) {
      if (std::isnan(f.beliefs[i])) continue;
      beliefs[i].add(relative_error(static_cast<double>(f.beliefs[i]), truth));
    }
    const double c = static_cast<double>(f.chosen);
    chosen.add(relative_error(c, truth));
    covered.add(static_cast<double>(f.low) <= truth && truth <= static_cast<double>(f.high) ? 1
                                                                                            : 0);
    confidence.add(static_cast<double>(f.confidence));
    hits.add(is_hit(c, at, total) ? 1 : 0);
  });
  for (std::size_t m = 0; m < kMethods; ++m) run.method_error[m] = methods[m].over(instants);
  for (std::size_t i = 0; i < kExperts; ++i) run.expert_error[i] = experts[i].over(instants);
  for (std::size_t i = 0; i < kBeliefs; ++i) run.belief_error[i] = beliefs[i].over(instants);
  run.chosen_error = chosen.over(1);
  if (instants > 0) {
    run.coverage = covered.over(1);
    run.confidence = confidence.over(1);
    run.hits = hits.over(1);
  }
  return grade;
}

}  // namespace agent::eta
