#include "agent/eta/blend.h"

#include <algorithm>
#include <cmath>

namespace agent::eta {
namespace {

// How an expert's right to speak depends on history.
enum class Gate : std::uint8_t {
  kNone,    // it knows nothing of history
  kPrimed,  // it does better with it, and has a twin without
  kPast,    // it is nothing but history
  kKnown,   // it knows the files, and corrects itself by the speed seen
  kTwin,    // the one without, once there is history
};

// How its prior changes toward the last round, when few files are left and each one counts.
enum class Voice : std::uint8_t { kAlways, kGrows, kFades };

struct Seat {
  double prior;
  Gate gate;
  Voice voice = Voice::kAlways;
};
// In the order of Expert. The priors were fitted to traces of eight kinds of jobs
// (config/README.md).
constexpr std::array<Seat, kExperts> kSeats = {{
    {0.029, Gate::kNone, Voice::kFades},   // count
    {0.065, Gate::kPrimed},                // work
    {0.5, Gate::kNone, Voice::kFades},     // recent count
    {0.12, Gate::kPrimed},                 // schedule
    {0.17, Gate::kPrimed},                 // parallel
    {0.0025, Gate::kNone, Voice::kFades},  // window
    {0.032, Gate::kNone, Voice::kFades},   // decay
    {0.006, Gate::kPast},                  // past count
    {0.18, Gate::kPast},                   // past work
    {0.13, Gate::kPast},                   // past total
    {0.037, Gate::kKnown},                 // known work
    {19, Gate::kKnown},                    // known parallel
    {14, Gate::kKnown},                    // known typical
    {0.015, Gate::kPast},                  // replay
    {0.56, Gate::kPast},                   // stages
    {0.0057, Gate::kNone, Voice::kFades},  // weight
    {0.061, Gate::kNone},                  // typical
    {0.035, Gate::kNone},                  // typical work
    {0.13, Gate::kNone, Voice::kFades},    // starts
    {0.12, Gate::kNone, Voice::kGrows},    // tail
    {0.0072, Gate::kTwin},                 // cold work
    {0.22, Gate::kTwin},                   // cold schedule
    {0.0033, Gate::kTwin},                 // cold parallel
}};

constexpr double kHalfDrift = 0.435;  // loss per unit of drift since half the time
constexpr double kFifthDrift = 4.14;  // likewise since four fifths of it
constexpr double kNoHalf = 0.0541, kNoFifth = 0.475,
                 kMostDrift = 3;      // drift while there is no past; bound
constexpr double kNoHalfPast = 0.1;   // of experts that rest on earlier runs, at the very start
constexpr double kRecordLoss = 10.7;  // per run and unit of error above kFairError
constexpr double kFairError = 0.25;
constexpr double kOneRun = 0.34;       // trust in history of one run
constexpr double kDisagreement = 7.7;  // loss of trust per unit of disagreement between runs
constexpr double kFromDrift = 0.365, kFromSpread = 4.45, kFromScatter = 0.0405;  // what makes s
constexpr double kSpreadPower = 2.57, kScatterPower = 5.08;  // how they fall with what is left
constexpr double kTailGrows = 1.26,
                 kRatesFade = 0.56;  // exponents of the priors in the last round
constexpr double kHopeless = 0.252;  // error in earlier runs from which on they make nothing surer
constexpr double kFromRuns =
    0.651;  // s falls as 1 / (1 + kFromRuns x runs x (1 - error / kHopeless))
constexpr double kLeastSigma = 0.01, kMostSigma = 1.9;
constexpr double kPriorPower = 1.9;  // a
constexpr double kQuantile = 0.742;  // which of the law's quantiles is the forecast
constexpr double kLeastWork = 1e-3;
constexpr double kGateSlope = 5.3, kGatePrior = 2;  // of the family's gate

// 0..1: how far the family's runs agree about this one.
double trust_in_history(const Reading& r, double runs) {
  if (runs < 1) return 0;
  return runs < 2 ? kOneRun : std::exp(-kDisagreement * std::min(5.0, r.past_spread));
}

// What an expert may count for. `prior` is its own, or that of its twin.
double open(Gate gate, double trust, bool history, Belief belief) {
  if (belief == Belief::kAlone && history) {
    return gate == Gate::kNone || gate == Gate::kTwin ? 1 : 0;
  }
  switch (gate) {
    case Gate::kNone:
      return 1;
    case Gate::kPrimed:
      return history ? std::max(trust, 1e-3) : 1;
    case Gate::kPast:
      return trust;
    case Gate::kKnown:
      return std::sqrt(trust);
    case Gate::kTwin:
      return 1 - trust;
  }
  return 1;
}

// Of a twin that speaks alone, the prior of the one it stands for.
double prior_of(std::size_t i, Belief belief) {
  if (belief == Belief::kHistory || kSeats[i].gate != Gate::kTwin) return kSeats[i].prior;
  const Expert e = static_cast<Expert>(i);
  const Expert primed = e == Expert::kColdWork       ? Expert::kWork
                        : e == Expert::kColdSchedule ? Expert::kSchedule
                                                     : Expert::kParallel;
  return kSeats[static_cast<std::size_t>(primed)].prior;
}

// How the last round changes a prior.
double late(Voice voice, double last_round) {
  switch (voice) {
    case Voice::kAlways:
      return 1;
    case Voice::kGrows:
      return std::exp(kTailGrows * last_round);
    case Voice::kFades:
      return std::exp(-kRatesFade * last_round);
  }
  return 1;
}

double bounded(double drift, double unknown) {
  return std::isnan(drift) ? unknown : std::min(std::abs(drift), kMostDrift);
}

// Fills weights, their means, and the spread.
void weigh(Blend& b, const Reading& r, const Drift& drift, const ExpertRecord& record, double runs,
           Belief belief) {
  const double trust = trust_in_history(r, runs);
  double sum = 0, mean = 0, moved = 0, history = 0, error = 0;
  for (std::size_t i = 0; i < kExperts; ++i) {
    const double l = r.opinions.log_total[i];
    if (std::isnan(l)) continue;
    const bool past = kSeats[i].gate == Gate::kPast || kSeats[i].gate == Gate::kKnown;
    // At the very start, what rests on earlier runs is not unsteady for having foretold nothing
    // yet.
    const bool rests = past || (kSeats[i].gate == Gate::kPrimed && runs > 0);
    const bool excused = rests && drift.none_yet;
    const double half = bounded(drift.since_half[i], excused ? kNoHalfPast : kNoHalf);
    const double fifth = bounded(drift.since_fifth[i], excused ? kNoHalfPast : kNoFifth);
    const double loss =
        kHalfDrift * half + kFifthDrift * fifth +
        kRecordLoss * record.runs[i] * (record.runs[i] > 0 ? record.error[i] - kFairError : 0);
    const double w = prior_of(i, belief) * open(kSeats[i].gate, trust, runs > 0, belief) *
                     late(kSeats[i].voice, r.last_round) * std::exp(std::clamp(-loss, -60.0, 60.0));
    b.weights[i] = w;
    sum += w;
    mean += w * l;
    moved += w * (half + fifth);
    if (past) history += w;
    error += w * (record.runs[i] > 0 ? record.error[i] : kHopeless);
  }
  if (sum <= 0) return;
  b.informed = true;
  b.log_mean = mean / sum;
  b.drift = moved / sum;
  b.history_share = history / sum;
  b.record_error = error / sum;
  double squares = 0;
  for (std::size_t i = 0; i < kExperts; ++i) {
    b.weights[i] /= sum;
    if (b.weights[i] <= 0) continue;
    const double d = r.opinions.log_total[i] - b.log_mean;
    squares += b.weights[i] * d * d;
  }
  b.spread = std::sqrt(squares);
}

}  // namespace

ExpertRecord ExpertRecord::of(std::span<const FamilyRun> runs) {
  constexpr std::size_t kRuns = 8;
  constexpr double kAging = 0.8;  // what a run counts for each newer one
  ExpertRecord record;
  std::array<double, kExperts> weight{};
  double w = 1;
  for (std::size_t k = 0; k < std::min(kRuns, runs.size()); ++k, w *= kAging) {
    const FamilyRun& run = runs[runs.size() - 1 - k];
    const float with = run.belief_error[static_cast<std::size_t>(Belief::kHistory)];
    const float without = run.belief_error[static_cast<std::size_t>(Belief::kAlone)];
    if (!std::isnan(with) && !std::isnan(without)) {
      record.history_regret += w * static_cast<double>(with - without);
    }
    for (std::size_t i = 0; i < kExperts; ++i) {
      const double e = static_cast<double>(run.expert_error[i]);
      if (std::isnan(e)) continue;
      record.error[i] += w * e;
      weight[i] += w;
      record.runs[i] += 1;
    }
  }
  for (std::size_t i = 0; i < kExperts; ++i) {
    if (weight[i] > 0) record.error[i] /= weight[i];
    record.most_runs = std::max(record.most_runs, record.runs[i]);
  }
  return record;
}

namespace {

// Of the work and, as the experts see it, of the time: their geometric mean.
double share_left(const Blend& b, const Reading& r, double log_now) {
  const double work = std::clamp(1 - r.done_share, kLeastWork, 1.0);
  const double time = std::clamp(1 - std::exp(log_now - b.log_mean), kLeastWork, 1.0);
  return std::sqrt(work * time);
}

Blend blend_by(Belief belief, const Reading& r, const Drift& drift, const ExpertRecord& record,
               double now, double runs) {
  Blend b;
  weigh(b, r, drift, record, runs, belief);
  const double log_now = std::log(now);
  if (!b.informed) {
    b.law = {log_now + std::log(2.0) - kPriorPower * kMostSigma * kMostSigma, kMostSigma, log_now};
    b.log_total = log_now - std::log(1 - kQuantile) / kPriorPower;
    return b;
  }
  const double left = b.share_left = share_left(b, r, log_now);
  const double s =
      std::sqrt(std::pow(kFromDrift * b.drift, 2) +
                std::pow(kFromSpread * b.spread * std::pow(left, kSpreadPower), 2) +
                std::pow(kFromScatter * r.scatter * std::pow(left, kScatterPower), 2)) /
      (1 + kFromRuns * record.most_runs * std::max(0.0, 1 - b.record_error / kHopeless));
  const double sigma = std::clamp(s, kLeastSigma, kMostSigma);
  b.law = {b.log_mean - kPriorPower * sigma * sigma, sigma, log_now};
  b.log_total = std::max(b.law.quantile(kQuantile), log_now + 1e-4);
  return b;
}

// `share` of a, and the rest of b.
void mix(Blend& a, const Blend& b, double share) {
  const auto between = [share](double x, double y) { return share * x + (1 - share) * y; };
  a.log_mean = between(a.log_mean, b.log_mean);
  a.spread = between(a.spread, b.spread);
  a.drift = between(a.drift, b.drift);
  a.record_error = between(a.record_error, b.record_error);
  a.history_share *= share;
  a.share_left = between(a.share_left, b.share_left);
  for (std::size_t i = 0; i < kExperts; ++i) a.weights[i] = between(a.weights[i], b.weights[i]);
  a.law.mean = between(a.law.mean, b.law.mean);
  a.law.sigma = between(a.law.sigma, b.law.sigma);
  a.log_total = between(a.log_total, b.log_total);
}

}  // namespace

Blend blend(const Reading& r, const Drift& drift, const ExpertRecord& record, double now,
            double runs) {
  Blend b = blend_by(Belief::kHistory, r, drift, record, now, runs);
  b.by_belief.fill(b.log_total);
  if (runs < 1) return b;
  const Blend alone = blend_by(Belief::kAlone, r, drift, record, now, runs);
  b.by_belief[static_cast<std::size_t>(Belief::kAlone)] = alone.log_total;
  if (!b.informed || !alone.informed) return b;
  b.history_gate = 1 / (1 + std::exp(kGateSlope * record.history_regret - kGatePrior));
  mix(b, alone, b.history_gate);
  return b;
}

}  // namespace agent::eta
