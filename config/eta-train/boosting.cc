#include "config/eta-train/boosting.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace eta_train {
namespace {

using agent::eta::TreeNode;
using agent::eta::TreeSum;

constexpr std::size_t kBins = 48;
constexpr double kClip = 0.1;  // beyond this residual the gradient of the absolute loss is 1
constexpr double kMostTilt = 4;

// xorshift64* (Vigna 2016).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ULL + 1) {}
  std::uint64_t next() {
    state_ ^= state_ >> 12U;
    state_ ^= state_ << 25U;
    state_ ^= state_ >> 27U;
    return state_ * 0x2545F4914F6CDD1DULL;
  }
  double uniform() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }

 private:
  std::uint64_t state_;
};

// Each feature's values as the numbers of bins; a bin holds what is at most its edge.
struct Binned {
  std::vector<std::vector<float>> edges;
  std::vector<std::vector<std::uint8_t>> bins;  // [feature][row]

  Binned(const Rows& rows, std::size_t features) : edges(features), bins(features) {
    std::vector<float> sorted(rows.x.size());
    for (std::size_t f = 0; f < features; ++f) {
      for (std::size_t i = 0; i < sorted.size(); ++i) sorted[i] = rows.x[i][f];
      std::ranges::sort(sorted);
      for (std::size_t k = 1; k < kBins; ++k) {
        const float edge = sorted[k * (sorted.size() - 1) / kBins];
        if (edge < sorted.back() && (edges[f].empty() || edge > edges[f].back()))
          edges[f].push_back(edge);
      }
      bins[f].reserve(rows.x.size());
      for (const auto& x : rows.x) {
        bins[f].push_back(
            static_cast<std::uint8_t>(std::ranges::lower_bound(edges[f], x[f]) - edges[f].begin()));
      }
    }
  }
};

struct Split {
  double gain = 1e-12;
  std::size_t feature = 0, bin = 0;
  bool found = false;
};

class Booster {
 public:
  Booster(const Boosting& how, const Rows& rows)
      : how_(how),
        rows_(rows),
        binned_(rows, how.features),
        random_(how.seed),
        fit_(rows.y.size()),
        gradient_(rows.y.size()),
        weight_(rows.y.size()),
        leaf_(rows.y.size()) {}

  TreeSum run() {
    TreeSum sum;
    sum.base = start();
    std::ranges::fill(fit_, sum.base);
    for (std::size_t k = 0; k < how_.trees; ++k) {
      differentiate();
      draw();
      grow();
      value_leaves();
      sum.roots.push_back(static_cast<std::uint32_t>(sum.nodes.size()));
      sum.nodes.insert(sum.nodes.end(), tree_.begin(), tree_.end());
    }
    return sum;
  }

 private:
  double start() const {
    if (how_.loss == Loss::kLogistic) {
      double ones = 0, all = 0;
      for (std::size_t i = 0; i < rows_.y.size(); ++i) {
        ones += rows_.weight[i] * rows_.y[i];
        all += rows_.weight[i];
      }
      return std::log(ones / (all - ones));
    }
    std::vector<Weighted> values;
    for (std::size_t i = 0; i < rows_.y.size(); ++i)
      values.push_back({rows_.y[i], rows_.weight[i]});
    return weighted_quantile(values, level());
  }
  double level() const { return how_.loss == Loss::kQuantile ? how_.quantile : 0.5; }

  void differentiate() {
    for (std::size_t i = 0; i < fit_.size(); ++i) {
      const double residual = rows_.y[i] - fit_[i];
      weight_[i] = rows_.weight[i];
      double g = 0;
      switch (how_.loss) {
        case Loss::kAbsolute:
          weight_[i] *= std::min(kMostTilt, std::exp(how_.tilt * residual));
          g = std::clamp(residual / kClip, -1.0, 1.0);
          break;
        case Loss::kQuantile:
          g = residual > 0 ? how_.quantile : how_.quantile - 1;
          break;
        case Loss::kLogistic:
          g = rows_.y[i] - 1 / (1 + std::exp(-fit_[i]));
          break;
      }
      gradient_[i] = g * weight_[i];
    }
  }

  // Sessions and features for this tree.
  void draw() {
    const std::uint32_t sessions = *std::ranges::max_element(rows_.session) + 1;
    drawn_.assign(sessions, 0);
    for (auto& d : drawn_) d = random_.uniform() < how_.sessions ? 1 : 0;
    columns_.resize(how_.features);
    std::iota(columns_.begin(), columns_.end(), std::size_t{0});
    for (std::size_t i = columns_.size(); i-- > 1;)
      std::swap(columns_[i], columns_[random_.below(i + 1)]);
    const double share = how_.columns * static_cast<double>(how_.features);
    columns_.resize(std::max<std::size_t>(8, static_cast<std::size_t>(share)));
  }

  void grow() {
    tree_.assign(1, TreeNode{});
    std::vector<std::vector<std::uint32_t>> level(1), next;
    for (std::uint32_t i = 0; i < fit_.size(); ++i) {
      if (drawn_[rows_.session[i]] != 0) level[0].push_back(i);
    }
    std::vector<std::size_t> nodes{0}, children;
    for (int depth = 0; depth < how_.depth && !nodes.empty(); ++depth) {
      next.clear();
      children.clear();
      for (std::size_t k = 0; k < nodes.size(); ++k) {
        const Split split = best_split(level[k]);
        if (!split.found) continue;
        const std::size_t left = tree_.size();
        tree_[nodes[k]] = {binned_.edges[split.feature][split.bin],
                           static_cast<std::uint16_t>(split.feature),
                           static_cast<std::uint16_t>(left)};
        tree_.resize(left + 2);
        next.resize(next.size() + 2);
        for (const std::uint32_t i : level[k]) {
          const bool goes_left = binned_.bins[split.feature][i] <= split.bin;
          next[next.size() - (goes_left ? 2 : 1)].push_back(i);
        }
        children.insert(children.end(), {left, left + 1});
      }
      nodes.swap(children);
      level.swap(next);
    }
  }

  Split best_split(const std::vector<std::uint32_t>& rows) const {
    Split best;
    if (rows.size() < 2 * how_.least_rows) return best;
    double gradients = 0, weights = 0;
    for (const std::uint32_t i : rows) {
      gradients += gradient_[i];
      weights += weight_[i];
    }
    const auto worth = [&](double g, double w) { return g * g / (w + how_.shrink); };
    const double whole = worth(gradients, weights);
    for (const std::size_t f : columns_) {
      std::array<double, kBins> g{}, w{};
      std::array<std::size_t, kBins> n{};
      const auto& bins = binned_.bins[f];
      for (const std::uint32_t i : rows) {
        g[bins[i]] += gradient_[i];
        w[bins[i]] += weight_[i];
        ++n[bins[i]];
      }
      double left_g = 0, left_w = 0;
      std::size_t left_n = 0;
      for (std::size_t b = 0; b < binned_.edges[f].size(); ++b) {
        left_g += g[b];
        left_w += w[b];
        left_n += n[b];
        if (left_n < how_.least_rows || rows.size() - left_n < how_.least_rows) continue;
        const double gain =
            worth(left_g, left_w) + worth(gradients - left_g, weights - left_w) - whole;
        if (gain > best.gain) best = {gain, f, b, true};
      }
    }
    return best;
  }

  std::size_t leaf_of(std::uint32_t row) const {
    std::size_t n = 0;
    while (tree_[n].feature != TreeNode::kLeaf) {
      n = tree_[n].left + (rows_.x[row][tree_[n].feature] <= tree_[n].value ? 0U : 1U);
    }
    return n;
  }

  // Each leaf gets the minimiser of its rows' loss, shrunk, and moves their fit by `rate` of it.
  void value_leaves() {
    std::vector<std::vector<Weighted>> residuals(tree_.size());
    std::vector<double> slopes(tree_.size()), curvatures(tree_.size());
    for (std::uint32_t i = 0; i < fit_.size(); ++i) {
      leaf_[i] = leaf_of(i);
      if (drawn_[rows_.session[i]] == 0) continue;
      if (how_.loss == Loss::kLogistic) {
        const double p = 1 / (1 + std::exp(-fit_[i]));
        slopes[leaf_[i]] += gradient_[i];
        curvatures[leaf_[i]] += weight_[i] * p * (1 - p);
      } else {
        residuals[leaf_[i]].push_back({rows_.y[i] - fit_[i], weight_[i]});
      }
    }
    for (std::size_t n = 0; n < tree_.size(); ++n) {
      if (tree_[n].feature != TreeNode::kLeaf) continue;
      double value = slopes[n] / (curvatures[n] + how_.shrink + 0.01);
      if (how_.loss != Loss::kLogistic) {
        double weight = 0;
        for (const Weighted& r : residuals[n]) weight += r.weight;
        value = weighted_quantile(residuals[n], level()) * weight / (weight + how_.shrink + 1e-12);
      }
      tree_[n].value = static_cast<float>(how_.rate * value);
    }
    for (std::size_t i = 0; i < fit_.size(); ++i)
      fit_[i] += static_cast<double>(tree_[leaf_[i]].value);
  }

  const Boosting& how_;
  const Rows& rows_;
  Binned binned_;
  Random random_;
  std::vector<double> fit_, gradient_, weight_;
  std::vector<std::size_t> leaf_, columns_;
  std::vector<char> drawn_;
  std::vector<TreeNode> tree_;
};

}  // namespace

double weighted_quantile(std::vector<Weighted>& values, double q) {
  if (values.empty()) return 0;
  std::ranges::stable_sort(values, {}, &Weighted::value);
  double all = 0, sum = 0;
  for (const Weighted& v : values) all += v.weight;
  for (const Weighted& v : values) {
    sum += v.weight;
    if (sum >= q * all) return v.value;
  }
  return values.back().value;
}

TreeSum boost(const Boosting& how, const Rows& rows) { return Booster(how, rows).run(); }

}  // namespace eta_train
