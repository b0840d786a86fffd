#include "agent/cli/emit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "agent/wire/keys.h"

namespace agent::cli {
namespace {

TEST(Emit, HasAFlagForEveryFieldOfAnEvent) {
  // What a shell has no use for: whose and which event it is, and acknowledgement.
  std::set<std::string_view> expected(wire::kEventKeys.begin(), wire::kEventKeys.end());
  for (const std::string_view own : {"event", "producer", "seq", "ack"}) expected.erase(own);
  std::set<std::string_view> fields;
  for (const Option& option : kEmitOptions) fields.insert(field_of(option));
  EXPECT_EQ(expected, fields);
  EXPECT_EQ(kEmitOptions.size(), fields.size()) << "a field has two flags";
}

TEST(Emit, FlagsAreInLowerCaseWithDashes) {
  for (const Option& option : kEmitOptions) {
    EXPECT_TRUE(std::ranges::none_of(option.name, [](char c) { return c >= 'A' && c <= 'Z'; }))
        << option.name;
  }
}

}  // namespace
}  // namespace agent::cli
