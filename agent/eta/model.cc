#include "agent/eta/model.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

namespace agent::eta {
namespace {

// Reads words and lines, and knows where it is.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  std::string_view word() {
    while (!rest_.empty() && is_space(rest_.front())) {
      if (rest_.front() == '\n') ++line_;
      rest_.remove_prefix(1);
    }
    std::size_t n = 0;
    while (n < rest_.size() && !is_space(rest_[n])) ++n;
    const std::string_view w = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return w;
  }
  bool expect(std::string_view what) { return word() == what; }
  template <typename Number>
  std::optional<Number> number(int base_or_none = 10) {
    const std::string_view w = word();
    Number v{};
    std::from_chars_result r{};
    if constexpr (std::is_floating_point_v<Number>) {
      r = std::from_chars(w.data(), w.data() + w.size(), v);
      if (!std::isfinite(v)) return std::nullopt;
    } else {
      r = std::from_chars(w.data(), w.data() + w.size(), v, base_or_none);
    }
    if (w.empty() || r.ec != std::errc() || r.ptr != w.data() + w.size()) return std::nullopt;
    return v;
  }
  [[nodiscard]] tl::unexpected<Error> fault(const std::string& what) const {
    return failure("reading the ETA model, line " + std::to_string(line_) + ": " + what);
  }

 private:
  static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
  std::string_view rest_;
  std::size_t line_ = 1;
};

constexpr std::size_t kMostTrees = 10'000, kMostNodes = 4096;
constexpr std::uint64_t kMostSum = 4'000'000;

// One tree: every node but the root is the child of exactly one earlier node.
bool read_tree(Reader& in, TreeSum& sum) {
  const auto count = in.number<std::size_t>();
  if (!count || *count == 0 || *count > kMostNodes) return false;
  sum.roots.push_back(static_cast<std::uint32_t>(sum.nodes.size()));
  std::size_t children = 1;
  for (std::size_t i = 0; i < *count; ++i) {
    const std::string_view kind = in.word();
    TreeNode node;
    if (kind == "leaf") {
      const auto value = in.number<float>();
      if (!value) return false;
      node.value = *value;
    } else if (kind == "split") {
      const auto feature = in.number<std::uint16_t>();
      const auto value = in.number<float>();
      if (!feature || !value || *feature >= kFeatures || children + 2 > *count) return false;
      node = {*value, *feature, static_cast<std::uint16_t>(children)};
      children += 2;
    } else {
      return false;
    }
    if (i >= children) return false;
    sum.nodes.push_back(node);
  }
  return children == *count && sum.nodes.size() < kMostSum;
}

std::string number_text(double v) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.7g", v);
  return buffer;
}

}  // namespace

double TreeSum::operator()(const Features& f) const {
  double sum = base;
  for (const std::uint32_t root : roots) {
    const TreeNode* tree = nodes.data() + root;
    const TreeNode* n = tree;
    while (n->feature != TreeNode::kLeaf) {
      n = tree + n->left + (f[n->feature] <= n->value ? 0 : 1);
    }
    sum += static_cast<double>(n->value);
  }
  return sum;
}

Result<std::shared_ptr<const Model>> Model::parse(std::string_view text) {
  Reader in(text);
  if (!in.expect("progress-agent-eta-model")) {
    return in.fault("it does not begin with \"progress-agent-eta-model\"");
  }
  const auto version = in.number<int>();
  if (version != kVersion) {
    return in.fault("its version is not " + std::to_string(kVersion) +
                    "; train it anew with this release");
  }
  const bool features = in.expect("features") && in.number<std::size_t>() == kFeatures;
  if (!features || in.number<std::uint64_t>(16) != feature_hash()) {
    return in.fault("it was trained for other features; train it anew with this release");
  }
  auto model = std::make_shared<Model>();
  if (!in.expect("validation")) return in.fault("\"validation\" expected");
  for (double& v : model->validation_) {
    const auto value = in.number<double>();
    if (!value || *value < 0)
      return in.fault("four errors, none negative, expected after \"validation\"");
    v = *value;
  }
  for (std::size_t k = 0; k < kForests; ++k) {
    const std::string name(kForestNames[k]);
    if (!in.expect("forest") || !in.expect(name))
      return in.fault("\"forest " + name + "\" expected");
    const auto base = in.number<double>();
    const auto trees = in.number<std::size_t>();
    if (!base || !trees || *trees > kMostTrees)
      return in.fault("base and number of trees expected");
    model->forests_[k].base = *base;
    for (std::size_t i = 0; i < *trees; ++i) {
      if (!in.expect("tree") || !read_tree(in, model->forests_[k])) {
        return in.fault("tree " + std::to_string(i + 1) + " of forest " + name + " is not sound");
      }
    }
  }
  if (!in.word().empty()) return in.fault("nothing more expected");
  return std::shared_ptr<const Model>(std::move(model));
}

std::string Model::format(const std::array<TreeSum, kForests>& forests,
                          const std::array<double, kMethods>& validation) {
  char hash[20];
  std::snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(feature_hash()));
  std::string text = "progress-agent-eta-model " + std::to_string(kVersion) + "\nfeatures " +
                     std::to_string(kFeatures) + " " + hash + "\nvalidation";
  for (const double v : validation) text += " " + number_text(v);
  for (std::size_t k = 0; k < kForests; ++k) {
    const TreeSum& sum = forests[k];
    text += "\nforest " + std::string(kForestNames[k]) + " " + number_text(sum.base) + " " +
            std::to_string(sum.roots.size());
    for (std::size_t i = 0; i < sum.roots.size(); ++i) {
      const std::size_t end = i + 1 < sum.roots.size() ? sum.roots[i + 1] : sum.nodes.size();
      text += "\ntree " + std::to_string(end - sum.roots[i]);
      for (std::size_t n = sum.roots[i]; n < end; ++n) {
        const TreeNode& node = sum.nodes[n];
        const bool leaf = node.feature == TreeNode::kLeaf;
        text += leaf ? " leaf " : " split " + std::to_string(node.feature) + " ";
        text += number_text(static_cast<double>(node.value));
      }
    }
  }
  return text + "\n";
}

}  // namespace agent::eta
