#include "config/eta-train/training.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "agent/progress/names.h"

namespace eta_train {
namespace {

using agent::eta::Features;
using agent::eta::kForests;
using agent::eta::kMethods;
using agent::eta::kPointFeatures;
using agent::eta::TreeSum;

constexpr double kMostError = 3;
constexpr std::size_t kEvery = 3;  // a third of the moments is enough to learn from

double moment_time(const Trace& t, std::size_t m) {
  return t.total * static_cast<double>(m + 1) / (kMoments + 1);
}

// 1 / (groups x sessions of the group), so that all weights have mean 1.
std::vector<double> weights_of(const std::vector<Trace>& traces) {
  std::map<std::string, double> sizes;
  for (const Trace& t : traces) sizes[t.group] += 1;
  std::vector<double> w;
  for (const Trace& t : traces) {
    w.push_back(static_cast<double>(traces.size()) / static_cast<double>(sizes.size()) /
                sizes[t.group]);
  }
  return w;
}

std::vector<std::size_t> folds_of(const std::vector<Trace>& traces, std::size_t folds) {
  std::set<std::string> names;
  for (const Trace& t : traces) names.insert(t.fold);
  std::map<std::string, std::size_t> number;
  for (const std::string& name : names) number.emplace(name, number.size() % folds);
  std::vector<std::size_t> fold;
  for (const Trace& t : traces) fold.push_back(number.at(t.fold));
  return fold;
}

// A number per trace and moment.
using Table = std::vector<std::array<double, kMoments>>;

// Learns `target` from all traces not of fold `out`.
TreeSum learn(const std::vector<Trace>& traces, const Table& target, const Boosting& how,
              const std::vector<std::size_t>& fold, std::size_t out) {
  const std::vector<double> weights = weights_of(traces);
  Rows rows;
  std::map<std::string, std::uint32_t> sessions;  // warm and cold, one session
  for (std::size_t k = 0; k < traces.size(); ++k) {
    if (fold[k] == out) continue;
    const auto session =
        sessions.emplace(traces[k].session, static_cast<std::uint32_t>(sessions.size()));
    for (std::size_t m = out % kEvery; m < kMoments; m += kEvery) {
      rows.x.push_back(traces[k].moments[m].features);
      rows.y.push_back(target[k][m]);
      rows.weight.push_back(weights[k]);
      rows.session.push_back(session.first->second);
    }
  }
  return boost(how, rows);
}

constexpr std::size_t kNobody = 1'000'000;  // a fold that is nobody's: a multiple of kEvery, plus 1

// What models that have not seen a trace's fold say of it.
Table held_out(const std::vector<Trace>& traces, const Table& target, const Boosting& how,
               const std::vector<std::size_t>& fold, std::size_t folds) {
  Table t(traces.size());
  for (std::size_t f = 0; f < folds; ++f) {
    const TreeSum sum = learn(traces, target, how, fold, f);
    for (std::size_t k = 0; k < traces.size(); ++k) {
      if (fold[k] != f) continue;
      for (std::size_t m = 0; m < kMoments; ++m) t[k][m] = sum(traces[k].moments[m].features);
    }
  }
  return t;
}

// The announced total: the corrected one, smoothed as Estimator does; and the features that say so.
Table announce(std::vector<Trace>& traces, const Table& correction, double calm) {
  Table announced(traces.size());
  for (std::size_t k = 0; k < traces.size(); ++k) {
    double last = 0;
    for (std::size_t m = 0; m < kMoments; ++m) {
      Moment& moment = traces[k].moments[m];
      const double most = static_cast<double>(moment.features[agent::eta::kSigmaFeature]);
      const double raw =
          std::max(moment.blended - std::clamp(correction[k][m], -most, most), moment.now + 1e-4);
      const double keep =
          m == 0 ? 0 : std::pow(static_cast<double>(m) / static_cast<double>(m + 1), calm);
      last = std::max(raw + keep * (last - raw), moment.now + 5e-4);
      announced[k][m] = last;
      agent::eta::read_announced(moment.now, last, raw, moment.features);
    }
  }
  return announced;
}

double relative_error(const Trace& t, std::size_t m, double log_total) {
  const double left = std::max(0.0, std::exp(log_total) - moment_time(t, m));
  return std::min(kMostError, std::abs(left - (t.total - moment_time(t, m))) / t.total);
}

bool is_hit(const Trace& t, std::size_t m, double log_total) {
  const double left = t.total - moment_time(t, m);
  return relative_error(t, m, log_total) * t.total <= std::max(0.2 * left, 0.01 * t.total);
}

// Mean over groups of the mean over sessions of the mean over moments.
template <typename Value>
double mean(const std::vector<Trace>& traces, Value value) {
  std::map<std::string, std::pair<double, double>> groups;
  for (std::size_t k = 0; k < traces.size(); ++k) {
    double sum = 0;
    for (std::size_t m = 0; m < kMoments; ++m) sum += value(k, m);
    groups[traces[k].group].first += sum / kMoments;
    groups[traces[k].group].second += 1;
  }
  double sum = 0;
  for (const auto& [name, g] : groups) sum += g.first / g.second;
  return sum / static_cast<double>(groups.size());
}

// Widens both quantiles alike until 80 % of the moments are between them (conformalised quantile
// regression; Romano, Patterson, Candes 2019).
double conformal_margin(const std::vector<Trace>& traces, const Table& residual, const Table& low,
                        const Table& high) {
  const std::vector<double> weights = weights_of(traces);
  std::vector<Weighted> outside;
  for (std::size_t k = 0; k < traces.size(); ++k) {
    for (std::size_t m = 0; m < kMoments; ++m) {
      outside.push_back(
          {std::max(low[k][m] - residual[k][m], residual[k][m] - high[k][m]), weights[k]});
    }
  }
  return weighted_quantile(outside, 0.8);
}

void judge_interval(Worth& w, const std::vector<Trace>& traces, const Table& announced,
                    const Table& low, const Table& high, double margin) {
  const auto ends = [&](std::size_t k, std::size_t m) {
    const double floor = traces[k].moments[m].now;
    const double now = moment_time(traces[k], m);
    const double a =
        std::exp(std::max(floor, announced[k][m] - std::max(0.0, high[k][m] + margin)));
    const double b = std::exp(announced[k][m] + std::max(0.0, -(low[k][m] - margin)));
    return std::pair{std::max(0.0, a - now), std::max(0.0, b - now)};
  };
  w.coverage = mean(traces, [&](std::size_t k, std::size_t m) {
    const auto [a, b] = ends(k, m);
    const double left = traces[k].total - moment_time(traces[k], m);
    return a <= left && left <= b ? 1.0 : 0.0;
  });
  w.interval_score = mean(traces, [&](std::size_t k, std::size_t m) {
    const auto [a, b] = ends(k, m);
    const double left = traces[k].total - moment_time(traces[k], m);
    const double miss = std::max(0.0, a - left) + std::max(0.0, left - b);
    return std::min(10.0, (b - a + 10 * miss) / traces[k].total);
  });
}

void judge_point(Worth& w, const std::vector<Trace>& traces, const Table& announced) {
  w.error = mean(traces, [&](std::size_t k, std::size_t m) {
    return relative_error(traces[k], m, announced[k][m]);
  });
  w.late = mean(traces, [&](std::size_t k, std::size_t m) {
    return m < 80 ? 0.0
                  : relative_error(traces[k], m, announced[k][m]) * kMoments / (kMoments - 80);
  });
  w.log_ratio = mean(traces, [&](std::size_t k, std::size_t m) {
    const double least = 0.01 * traces[k].total, now = moment_time(traces[k], m);
    const double left = std::max(least, std::exp(announced[k][m]) - now);
    return std::min(3.0, std::abs(std::log(left / std::max(least, traces[k].total - now))));
  });
  w.jump = mean(traces, [&](std::size_t k, std::size_t m) {
    if (m == 0) return 0.0;
    const double most = (1 + kMostError) * traces[k].total;
    return std::abs(std::min(most, std::exp(announced[k][m])) -
                    std::min(most, std::exp(announced[k][m - 1]))) /
           traces[k].total;
  });
}

double error_of(const Trace& t, std::size_t m, double log_total) {
  return std::isnan(log_total) ? 1.0 - static_cast<double>(m + 1) / (kMoments + 1)
                               : relative_error(t, m, log_total);
}

std::vector<GroupWorth> by_group(const std::vector<Trace>& traces, const Table& announced) {
  std::map<std::pair<std::string, bool>, std::pair<GroupWorth, double>> sums;
  for (std::size_t k = 0; k < traces.size(); ++k) {
    const Trace& t = traces[k];
    auto& [worth, sessions] = sums[{t.group, t.warm}];
    worth.group = t.group;
    worth.warm = t.warm;
    sessions += 1;
    for (std::size_t m = 0; m < kMoments; ++m) {
      for (std::size_t method = 0; method < kMethods; ++method) {
        const bool learned =
            method == static_cast<std::size_t>(agent::progress::EtaMethod::kMlBased);
        worth.error[method] +=
            error_of(t, m, learned ? announced[k][m] : t.moments[m].methods[method]) / kMoments;
      }
    }
  }
  std::vector<GroupWorth> out;
  for (auto& [name, sum] : sums) {
    for (double& e : sum.first.error) e /= sum.second;
    out.push_back(sum.first);
  }
  return out;
}

}  // namespace

Recipe Recipe::standard() {
  Recipe r;
  r.correction = {.loss = Loss::kAbsolute,
                  .tilt = 0.85,
                  .features = kPointFeatures,
                  .trees = 100,
                  .depth = 4,
                  .rate = 0.07,
                  .least_rows = 100,
                  .shrink = 1000};
  r.quantile = {.loss = Loss::kQuantile,
                .features = agent::eta::kFeatures,
                .trees = 70,
                .depth = 4,
                .rate = 0.1,
                .least_rows = 150,
                .shrink = 100};
  r.hit = {.loss = Loss::kLogistic,
           .features = agent::eta::kFeatures,
           .trees = 70,
           .depth = 4,
           .rate = 0.1,
           .least_rows = 150,
           .shrink = 20};
  return r;
}

Trained train(std::vector<Trace>& traces, const Recipe& recipe) {
  const std::vector<std::size_t> fold = folds_of(traces, recipe.folds);
  Table target(traces.size());
  for (std::size_t k = 0; k < traces.size(); ++k) {
    for (std::size_t m = 0; m < kMoments; ++m) {
      target[k][m] = traces[k].moments[m].blended - std::log(traces[k].total);
    }
  }
  Trained t;
  const Table correction = held_out(traces, target, recipe.correction, fold, recipe.folds);
  t.forests[0] = learn(traces, target, recipe.correction, fold, kNobody);
  const Table announced = announce(traces, correction, recipe.calm);
  judge_point(t.worth, traces, announced);

  Table residual(traces.size()), hit(traces.size());
  for (std::size_t k = 0; k < traces.size(); ++k) {
    for (std::size_t m = 0; m < kMoments; ++m) {
      residual[k][m] = announced[k][m] - std::log(traces[k].total);
      hit[k][m] = is_hit(traces[k], m, announced[k][m]) ? 1 : 0;
    }
  }
  Boosting low = recipe.quantile, high = recipe.quantile;
  low.quantile = 0.1;
  high.quantile = 0.9;
  const Table below = held_out(traces, residual, low, fold, recipe.folds);
  const Table above = held_out(traces, residual, high, fold, recipe.folds);
  const double margin = conformal_margin(traces, residual, below, above);
  judge_interval(t.worth, traces, announced, below, above, margin);
  t.forests[1] = learn(traces, residual, low, fold, kNobody);
  t.forests[2] = learn(traces, residual, high, fold, kNobody);
  t.forests[1].base -= margin;
  t.forests[2].base += margin;
  t.forests[3] = learn(traces, hit, recipe.hit, fold, kNobody);

  for (std::size_t method = 0; method < kMethods; ++method) {
    t.validation[method] = mean(traces, [&](std::size_t k, std::size_t m) {
      return error_of(traces[k], m, traces[k].moments[m].methods[method]);
    });
  }
  t.validation[static_cast<std::size_t>(agent::progress::EtaMethod::kMlBased)] = t.worth.error;
  t.groups = by_group(traces, announced);
  return t;
}

}  // namespace eta_train
