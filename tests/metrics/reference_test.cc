#include "agent/metrics/reference.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "agent/metrics/families.h"
#include "agent/metrics/registry.h"

namespace agent::metrics {
namespace {

constexpr const char* kReadme = "agent/metrics/README.md";
constexpr std::string_view kBegin = "<!-- reference: begin -->\n",
                           kEnd = "<!-- reference: end -->\n";

// After a change of a table: UPDATE_GOLDEN=1 build/dev/tests/metrics_test
// --gtest_filter='Reference*'
TEST(Reference, IsTheOneInTheReadme) {
  std::ifstream file(kReadme);
  std::string readme{std::istreambuf_iterator<char>(file), {}};
  const std::size_t begin = readme.find(kBegin), end = readme.find(kEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const std::size_t from = begin + kBegin.size();
  const std::string written = readme.substr(from, end - from);
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    readme.replace(from, end - from, reference());
    std::ofstream(kReadme) << readme;
    return;
  }
  EXPECT_EQ(written, reference()) << kReadme;
}

TEST(Reference, NamesAreGivenOnce) {
  std::set<std::string_view> names;
  for (const Family& family : families())
    EXPECT_TRUE(names.insert(family.name).second) << family.name;
  for (const AgentFamily& family : agent_families()) {
    EXPECT_TRUE(names.insert(family.name).second) << family.name;
  }
}

TEST(Reference, HelpIsASentenceThatATableCanHold) {
  const auto check = [](std::string_view name, std::string_view help) {
    EXPECT_TRUE(help.ends_with('.')) << name;
    EXPECT_EQ(help.find_first_of("|\n"), std::string_view::npos) << name;
  };
  for (const Family& family : families()) check(family.name, family.help);
  for (const AgentFamily& family : agent_families()) check(family.name, family.help);
}

}  // namespace
}  // namespace agent::metrics
