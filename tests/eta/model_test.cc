#include "agent/eta/model.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace agent::eta {
namespace {

// Two trees for each forest: one split on feature 3 at 0.5, and one leaf.
std::string small_model() {
  TreeSum sum;
  sum.base = 0.25;
  sum.roots = {0, 3};
  sum.nodes = {{0.5F, 3, 1}, {-1}, {1}, {0.125F}};
  return Model::format({sum, sum, sum, sum}, {0.5, 0.5, 0.3, 0.25});
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

TEST(Model, SumsOneLeafOfEachTree) {
  const auto model = Model::parse(small_model());
  ASSERT_TRUE(model) << model.error().message;
  Features f{};
  f[3] = 0.5F;
  EXPECT_DOUBLE_EQ((**model)(Forest::kHit, f), 0.25 - 1 + 0.125);
  f[3] = 0.6F;
  EXPECT_DOUBLE_EQ((**model)(Forest::kHit, f), 0.25 + 1 + 0.125);
  EXPECT_DOUBLE_EQ((*model)->validation()[3], 0.25);
}

TEST(Model, IsRefusedWhenItIsForAnotherProgram) {
  const std::string good = small_model();
  char hash[20];
  std::snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(feature_hash()));
  const std::pair<std::string, std::string> bad[] = {
      {"progress-agent-eta-model 1", "progress-agent-eta-model 2"},
      {"progress-agent-eta-model 1", "something-else 1"},
      {hash, "0123456789abcdef"},
      {"validation 0.5", "validation -0.5"},
      {"forest low", "forest high"},
      {"tree 3 split 3", "tree 3 split 60000"},
      {"tree 3 split 3", "tree 2 split 3"},
      {"tree 3 split 3", "tree 999999 split 3"},
      {"leaf -1", "leaf nan"},
      {"leaf -1", "twig -1"},
  };
  for (const auto& [what, by] : bad) {
    const auto model = Model::parse(replaced(good, what, by));
    ASSERT_FALSE(model) << by;
    EXPECT_NE(model.error().message.find("line"), std::string::npos);
  }
  EXPECT_FALSE(Model::parse(""));
  EXPECT_FALSE(Model::parse(good + "more"));
  for (std::size_t n = 0; n + 2 < good.size(); n += 11) {
    EXPECT_FALSE(Model::parse(std::string_view(good).substr(0, n)));
  }
}

TEST(Model, TheOneCompiledInIsTheFileInConfig) {
  const auto shipped = shipped_model();
  ASSERT_NE(shipped, nullptr) << "config/eta_model.txt does not match: run eta-train";
  std::ifstream in("config/eta_model.txt");
  std::stringstream text;
  text << in.rdbuf();
  const auto model = Model::parse(text.str());
  ASSERT_TRUE(model) << model.error().message;
  Features f{};
  for (std::size_t i = 0; i < f.size(); ++i) f[i] = 0.01F * static_cast<float>(i);
  for (const Forest forest : {Forest::kCorrection, Forest::kLow, Forest::kHigh, Forest::kHit}) {
    EXPECT_DOUBLE_EQ((**model)(forest, f), (*shipped)(forest, f));
  }
}

}  // namespace
}  // namespace agent::eta
