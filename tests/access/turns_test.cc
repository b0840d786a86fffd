#include "agent/access/turns.h"

#include <gtest/gtest.h>

#include <string>

namespace agent::access {
namespace {

using std::chrono::milliseconds;
using Line = Turns<std::string>;

constexpr SteadyInstant at(int ms) { return SteadyInstant(milliseconds(ms)); }

std::string next(Line& turns, SteadyInstant now = at(0)) {
  const auto turn = turns.next(now);
  return turn ? turn->second : "none";
}

TEST(Turns, AreTakenBySenders) {
  Line turns;
  for (const char* item : {"a1", "a2", "a3"}) EXPECT_FALSE(turns.add(1, item));
  EXPECT_FALSE(turns.add(2, "b1"));
  EXPECT_FALSE(turns.add(3, "c1"));
  EXPECT_FALSE(turns.add(2, "b2"));
  for (const char* item : {"a1", "b1", "c1", "a2", "b2", "a3", "none"})
    EXPECT_EQ(next(turns), item);
  EXPECT_FALSE(turns.due());
}

TEST(Turns, WhoeverWasWrongRests) {
  Line turns;
  for (const char* item : {"a1", "a2"}) EXPECT_FALSE(turns.add(1, item));
  EXPECT_EQ(next(turns), "a1");
  turns.was_wrong(1, milliseconds(100), at(100));
  EXPECT_EQ(next(turns, at(999)), "none");
  EXPECT_EQ(turns.due(), at(1000));
  EXPECT_FALSE(turns.add(2, "b1"));
  EXPECT_EQ(next(turns, at(999)), "b1") << "others do not wait for it";
  EXPECT_EQ(next(turns, at(1000)), "a2");
}

TEST(Turns, RestIsKeptWithNothingWaiting) {
  Line turns;
  turns.was_wrong(1, milliseconds(100), at(100));
  EXPECT_EQ(next(turns, at(100)), "none");
  EXPECT_FALSE(turns.due());
  EXPECT_FALSE(turns.add(1, "a1"));
  EXPECT_EQ(turns.due(), at(1000));
  EXPECT_EQ(next(turns, at(500)), "none");
}

TEST(Turns, NobodyRestsForLong) {
  Line turns;
  turns.was_wrong(1, std::chrono::hours(1), at(0));
  EXPECT_FALSE(turns.add(1, "a1"));
  EXPECT_EQ(turns.due(), SteadyInstant(Line::kLongestRest));
}

TEST(Turns, OnlySoManyOfOneWait) {
  Line turns;
  for (std::size_t i = 0; i < Line::kMostOfOne; ++i) EXPECT_FALSE(turns.add(1, "a"));
  EXPECT_EQ(turns.add(1, "too many"), "too many");
  EXPECT_EQ(turns.count(), Line::kMostOfOne);
}

// With all places taken whoever has most gives way, so that a few cannot keep the others out.
TEST(Turns, WhoeverHasMostGivesWay) {
  Line turns;
  for (std::size_t i = 0; i < Line::kMost; ++i)
    EXPECT_FALSE(turns.add(i / Line::kMostOfOne, "of many"));
  EXPECT_EQ(turns.add(1000, "new"), "of many");
  EXPECT_EQ(turns.count(), Line::kMost);
  for (std::size_t i = 2; i < Line::kMostOfOne; ++i) EXPECT_EQ(turns.add(1000, "new"), "of many");
  EXPECT_EQ(turns.add(1000, "new"), "new") << "now it has most itself";
}

TEST(Turns, AmongEqualsTheLastGivesWay) {
  Line turns;
  for (std::size_t i = 0; i < Line::kMost; ++i) EXPECT_FALSE(turns.add(i, "old"));
  EXPECT_EQ(turns.add(1000, "new"), "new");
}

}  // namespace
}  // namespace agent::access
