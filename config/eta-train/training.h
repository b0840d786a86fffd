// Training: from the forecasts of replayed sessions to the forests of the ETA model, and what they
// are worth on families they have not seen. Deterministic.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/eta/model.h"
#include "config/eta-train/boosting.h"

namespace eta_train {

inline constexpr std::size_t kMoments = 99;  // of a session: 1 % to 99 % of its time

// What was known, and foretold, at one moment of a session. Logarithms of seconds.
struct Moment {
  agent::eta::Features features{};
  double now = 0, blended = 0;
  std::array<double, agent::eta::kMethods> methods{};  // NaN: no answer
};

struct Trace {
  std::string session, fold;  // traces of one fold are held out together
  std::string group;          // groups weigh the same, and so do the sessions within one
  double total = 0;           // seconds
  bool warm = false;          // replayed with its family's history
  std::array<Moment, kMoments> moments;
};

struct Recipe {
  Boosting correction, quantile, hit;
  std::size_t folds = 5;
  double calm = 9;  // as the agent smooths
  static Recipe standard();
};

// Means over groups of means over sessions, of moments in sessions of held-out folds.
struct Worth {
  double error = 0, log_ratio = 0, late = 0, jump = 0;  // as the columns of tests/bench/README.md
  double coverage = 0, interval_score = 0, calibration = 0;
};

// The same by group: mean |foretold - true| / true total of each method.
struct GroupWorth {
  std::string group;
  bool warm = false;
  std::array<double, agent::eta::kMethods> error{};
};

struct Trained {
  std::array<agent::eta::TreeSum, agent::eta::kForests> forests;
  std::array<double, agent::eta::kMethods> validation{};
  Worth worth;
  std::vector<GroupWorth> groups;
};

Trained train(std::vector<Trace>& traces, const Recipe& recipe);

}  // namespace eta_train
