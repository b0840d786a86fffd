// Model: the learned part of `ml_based`: four forests of regression trees as a table, evaluated
// here in a few lines. Trained offline (config/eta-train), shipped as config/eta_model.txt and
// compiled in; another may be loaded. Immutable; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/eta/family.h"
#include "agent/eta/features.h"
#include "agent/result.h"

namespace agent::eta {

// What each forest foretells. The first sees the first kPointFeatures, the others all.
enum class Forest : std::uint8_t {
  kCorrection,  // ln(blended total / true total)
  kLow,
  kHigh,  // 10 % and 90 % quantile of ln(announced total / true total)
  kHit,   // log-odds that the announced remaining time is within 20 % of the true one
};
inline constexpr std::size_t kForests = 4;
inline constexpr std::array<std::string_view, kForests> kForestNames = {"correction", "low", "high",
                                                                        "hit"};

struct TreeNode {
  static constexpr std::uint16_t kLeaf = 0xffff;
  float value = 0;  // of a leaf; else go left when the feature is at most this
  std::uint16_t feature = kLeaf;
  std::uint16_t left = 0;  // in the tree; the right child follows it
};

// The sum of one leaf of each tree, and `base`.
struct TreeSum {
  double base = 0;
  std::vector<std::uint32_t> roots;  // in `nodes`
  std::vector<TreeNode> nodes;
  [[nodiscard]] double operator()(const Features& f) const;
};

class Model {
 public:
  static constexpr int kVersion = 1;

  // Reads the table. Refused, with line and reason, unless its version and its features' hash are
  // this program's and every tree is sound.
  static Result<std::shared_ptr<const Model>> parse(std::string_view text);
  static std::string format(const std::array<TreeSum, kForests>& forests,
                            const std::array<double, kMethods>& validation);

  [[nodiscard]] double operator()(Forest forest, const Features& f) const {
    return forests_[static_cast<std::size_t>(forest)](f);
  }
  // Mean |foretold - true| / true total of each method where the model was validated, on families
  // it had not seen: its record before it has one here.
  [[nodiscard]] const std::array<double, kMethods>& validation() const { return validation_; }

 private:
  std::array<TreeSum, kForests> forests_;
  std::array<double, kMethods> validation_{};
};

// The one compiled in; null if the build's table does not match (a test forbids it).
[[nodiscard]] std::shared_ptr<const Model> shipped_model();
// Its table: config/eta_model.txt, as it was when the build was configured
// (config/eta_model.cmake).
[[nodiscard]] std::string shipped_model_text();

}  // namespace agent::eta
