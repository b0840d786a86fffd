#include "agent/settings/nearest.h"

#include <gtest/gtest.h>

#include <array>

namespace agent::settings {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"listen_address", "linger", "level", "format"};

TEST(EditDistance, CountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0);
  EXPECT_EQ(edit_distance("abc", ""), 3);
  EXPECT_EQ(edit_distance("level", "levle"), 1);
  EXPECT_EQ(edit_distance("level", "levels"), 1);
  EXPECT_EQ(edit_distance("level", "lever"), 1);
  EXPECT_EQ(edit_distance("listen-Address", "listen_address"), 0);
}

TEST(Nearest, FindsWhatWasMeant) {
  EXPECT_EQ(nearest("listen-adress", kNames), "listen_address");
  EXPECT_EQ(nearest("lnger", kNames), "linger");
  EXPECT_EQ(nearest("levle", kNames), "level");
}

TEST(Nearest, GuessesNothingFarAway) {
  EXPECT_EQ(nearest("colour", kNames), "");
  EXPECT_EQ(nearest("", kNames), "");
  EXPECT_EQ(nearest(std::string(1'000'000, 'a'), kNames), "");
}

}  // namespace
}  // namespace agent::settings
