// Gradient boosting of small regression trees on histograms (Friedman 2001; histograms and leaf
// refitting as in LightGBM, Ke et al. 2017), for three losses. Deterministic: one thread, its own
// random numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "agent/eta/model.h"

namespace eta_train {

enum class Loss : std::uint8_t {
  kAbsolute,  // |y - f|, times exp(tilt x (y - f)): with tilt 1 and y - f = ln(foretold / true),
              // the error relative to the true total; with 0, that of its logarithm
  kQuantile,  // the pinball loss
  kLogistic,  // y is 0 or 1, f its log-odds
};

struct Boosting {
  Loss loss = Loss::kAbsolute;
  double quantile = 0.5;
  double tilt = 0;
  std::size_t features = 0;  // the first so many are seen
  std::size_t trees = 100;
  int depth = 4;
  double rate = 0.07;
  std::size_t least_rows = 100;  // in a leaf
  double shrink = 0;             // leaves are pulled to 0 as by this much weight
  double sessions = 0.6;         // share drawn for each tree
  double columns = 0.67;         // share of the features drawn for each tree
  std::uint64_t seed = 1;
};

struct Rows {
  std::vector<agent::eta::Features> x;
  std::vector<double> y, weight;
  std::vector<std::uint32_t> session;  // rows of one session are drawn together
};

agent::eta::TreeSum boost(const Boosting& how, const Rows& rows);

// The value below which a share q of the weight lies; `values` is reordered.
struct Weighted {
  double value, weight;
};
double weighted_quantile(std::vector<Weighted>& values, double q);

}  // namespace eta_train
