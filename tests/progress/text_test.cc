#include "agent/progress/text.h"

#include <gtest/gtest.h>

#include <string>

namespace agent::progress {
namespace {

TEST(CutUtf8, LeavesWhatFits) {
  EXPECT_EQ(cut_utf8("abc", 3), "abc");
  EXPECT_EQ(cut_utf8("", 0), "");
}

TEST(CutUtf8, NeverSplitsACodePoint) {
  const std::string text = "a\u00e9\u20ac\U0001F600";  // 1 + 2 + 3 + 4 bytes
  const std::size_t ends[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};
  for (std::size_t limit = 0; limit <= text.size(); ++limit) {
    EXPECT_EQ(cut_utf8(text, limit).size(), ends[limit]) << limit;
  }
}

TEST(Hash, OfWhatIsKeptIsTheSameInEveryRun) {
  EXPECT_EQ(stable_hash(""), 0x2d06800538d394c2ULL);  // XXH3's own test vector
  EXPECT_NE(stable_hash("a.pdf"), stable_hash("b.pdf"));
}

TEST(Hash, OfKeysFromOutsideIsSeeded) {
  EXPECT_EQ(seeded_hash("a.pdf"), seeded_hash("a.pdf"));
  EXPECT_NE(seeded_hash("a.pdf"), stable_hash("a.pdf"));
}

}  // namespace
}  // namespace agent::progress
