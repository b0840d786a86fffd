// The adaptive method: every expert weighed by its own stability and by its record in the family,
// their geometric mean, and an honest account of how uncertain that is. No training. Pure.
#pragma once

#include <array>

#include "agent/eta/consult.h"
#include "agent/eta/laws.h"
#include "agent/eta/trail.h"

namespace agent::eta {

// How each expert did in earlier runs of the family: mean |ln foretold - ln true total|, newer runs
// counting more; and in how many of the last eight it had an opinion.
struct ExpertRecord {
  std::array<double, kExperts> error{};
  std::array<double, kExperts> runs{};
  double most_runs = 0;
  // By how much the blend with history erred more than the one without, summed over runs, newer
  // ones counting more; of runs that had history.
  double history_regret = 0;
  static ExpertRecord of(std::span<const FamilyRun> runs);
};

struct Blend {
  bool informed = false;         // any expert had an opinion
  double log_mean = 0;           // weighted mean of ln totals
  double spread = 0, drift = 0;  // weighted standard deviation between experts; weighted mean drift
  double record_error = 0;       // weighted mean of the experts' errors in earlier runs
  double history_share = 0;      // of the weights, those of experts that use history
  std::array<double, kExperts> weights{};    // sum 1
  double share_left = 1;                     // of work and time, as far as they are known
  TruncatedNormal law;                       // of ln total
  double log_total = 0;                      // the forecast
  std::array<double, kBeliefs> by_belief{};  // what it would be by each Belief alone
  double history_gate = 1;                   // how much kHistory counts against kAlone; 0..1
};

// w_e ~ prior_e x late_e x gate_e x exp(-a |drift since half| - b |drift since fifth| - k runs_e
// (error_e - 1/4)) (weights fall exponentially with losses: Cesa-Bianchi, Lugosi, "Prediction,
// Learning, and Games", 2006, ch. 2). In the last round, late_e raises the expert that looks at
// each file left and lowers those that go by rates: their files no longer begin as they did
// (stragglers decide the end: Zaharia et al., "LATE", 2008). The gate lets history count as far as
// the runs agree with each other.
//
// ln T ~ Normal(weighted mean, s^2) and a prior density ~ 1 / T^(1 + a) above the time so far (the
// law of "as long again as it has run": Gott 1993): together a normal law around mean - a s^2, cut
// off at ln now. s grows with drift, with the spread between experts, and with the scatter of the
// durations seen; the latter two count by powers of the share of work and time that is left, since
// an error in what is left moves the total by that share only. s falls with every run of the
// family. Without any evidence, what remains is the prior alone.
//
// With history two blends are made, one by each Belief, and mixed: the gate of the family is
// logistic in what history cost or gained over its earlier runs (a Bayesian choice between two
// forecasters whose losses are their logarithmic errors; Cesa-Bianchi, Lugosi, ch. 2).
[[nodiscard]] Blend blend(const Reading& reading, const Drift& drift, const ExpertRecord& record,
                          double now, double runs);

}  // namespace agent::eta
