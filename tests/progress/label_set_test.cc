#include "agent/progress/label_set.h"

#include <gtest/gtest.h>

#include <string>

namespace agent::progress {
namespace {

TEST(LabelSet, NumbersValuesInTheOrderFirstSeen) {
  LabelSet labels;
  EXPECT_EQ(labels.intern("parse", 100), 0);
  EXPECT_EQ(labels.intern("embed", 100), 1);
  EXPECT_EQ(labels.intern("parse", 100), 0);
  EXPECT_EQ(labels.name(1), "embed");
  EXPECT_EQ(labels.size(), 2U);
}

TEST(LabelSet, FindsManyValuesAgain) {
  LabelSet labels;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(labels.intern(std::to_string(i), 100), i);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(labels.intern(std::to_string(i), 100), i);
  EXPECT_EQ(labels.folded(), 0U);
}

TEST(LabelSet, FoldsWhatDoesNotFitIntoOther) {
  LabelSet labels;
  labels.intern("a", 2);
  labels.intern("b", 2);
  const LabelId c = labels.intern("c", 2);
  EXPECT_EQ(labels.name(c), "other");
  EXPECT_EQ(labels.intern("d", 2), c);
  EXPECT_EQ(labels.intern("a", 2), 0);
  EXPECT_EQ(labels.size(), 3U);
  EXPECT_EQ(labels.folded(), 2U);
}

TEST(LabelSet, ManyInventedNamesCostOneMoreValue) {
  LabelSet labels;
  for (int i = 0; i < 100'000; ++i) labels.intern("name" + std::to_string(i), 100);
  EXPECT_EQ(labels.size(), 101U);
  EXPECT_EQ(labels.folded(), 99'900U);
}

TEST(LabelSet, AValueCalledOtherIsTheSharedOne) {
  LabelSet labels;
  const LabelId other = labels.intern("other", 2);
  labels.intern("b", 2);
  EXPECT_EQ(labels.intern("c", 2), other);
  EXPECT_EQ(labels.size(), 2U);
}

TEST(LabelSet, CutsLongValuesAndMergesThoseThatBecomeEqual) {
  LabelSet labels;
  const LabelId a = labels.intern(std::string(200, 'x') + "1", 100);
  EXPECT_EQ(labels.intern(std::string(200, 'x') + "2", 100), a);
  EXPECT_EQ(labels.name(a).size(), kMaxLabelValue);
}

}  // namespace
}  // namespace agent::progress
