#include "agent/progress/regression.h"

#include <algorithm>
#include <cmath>

namespace agent::progress {
namespace {

constexpr std::size_t kLeastEarlier = 3;
// Of ratios: ln 1.08, and what runs of a job scatter at least.
constexpr ShiftRule kRatioRule{.least = 0.077, .least_spread = 0.02, .significance = 3.2};
constexpr ShiftRule kShareRule{.least = 0.05, .least_spread = 0.01, .significance = 3.2};

struct Moments {
  double n = 0, sum = 0, squares = 0;
  void add(double v) {
    n += 1;
    sum += v;
    squares += v * v;
  }
  [[nodiscard]] double mean() const { return sum / n; }
  [[nodiscard]] double deviations() const { return std::max(0.0, squares - sum * sum / n); }
};

// A value of each run that has one, and which run it is of.
struct Series {
  std::vector<double> values;
  std::vector<std::size_t> runs;
  void add(std::size_t run, std::optional<double> value) {
    if (!value) return;
    values.push_back(*value);
    runs.push_back(run);
  }
};

std::optional<double> log_of(std::optional<double> v) {
  return v && *v > 0 ? std::optional(std::log(*v)) : std::nullopt;
}

void look(const Series& series, std::string_view code, bool is_ratio,
          std::vector<Regression>& found) {
  const auto shift = find_rise(series.values, is_ratio ? kRatioRule : kShareRule);
  if (!shift) return;
  Regression r{code, series.runs[shift->since], shift->before, shift->after, 0};
  if (is_ratio) {
    r.before = std::exp(r.before);
    r.after = std::exp(r.after);
  }
  r.change_percent = 100 * (is_ratio ? r.after / r.before - 1 : r.after - r.before);
  found.push_back(r);
}

}  // namespace

std::optional<Shift> find_rise(std::span<const double> values, const ShiftRule& rule) {
  std::optional<Shift> best;
  Moments earlier;
  for (std::size_t split = 1; split < values.size(); ++split) {
    earlier.add(values[split - 1]);
    if (split < kLeastEarlier) continue;
    Moments later;
    for (const double v : values.subspan(split)) later.add(v);
    const double freedom = std::max(1.0, earlier.n + later.n - 2);
    const double spread = std::max(
        rule.least_spread, std::sqrt((earlier.deviations() + later.deviations()) / freedom));
    const double rise = later.mean() - earlier.mean();
    const double significance = rise / (spread * std::sqrt(1 / earlier.n + 1 / later.n));
    if (rise < rule.least || significance < rule.significance) continue;
    if (!best || significance > best->significance)
      best = {split, earlier.mean(), later.mean(), significance};
  }
  return best;
}

std::vector<Regression> find_regressions(std::span<const PastRun> runs) {
  Series pace, cost, errors;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const PastRun& run = runs[i];
    if (run.state != "completed") continue;
    pace.add(i, log_of(run.per_file(run.active.count())));
    cost.add(i, log_of(run.per_file(run.cost)));
    errors.add(i, run.error_rate());
  }
  std::vector<Regression> found;
  look(pace, "slowdown", true, found);
  look(cost, "cost_increase", true, found);
  look(errors, "more_failures", false, found);
  return found;
}

}  // namespace agent::progress
