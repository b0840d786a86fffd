#include "agent/tracker/scrapers.h"

#include <gtest/gtest.h>

namespace agent::tracker {
namespace {

using std::chrono::seconds;

constexpr SteadyInstant at(int second) { return SteadyInstant(seconds(second)); }

TEST(Scrapers, NobodyHasReadAnythingAtFirst) {
  const Scrapers scrapers;
  EXPECT_FALSE(scrapers.all_have(0, at(0)));
}

TEST(Scrapers, EverybodyKnownMustHaveReadTheFinalValues) {
  Scrapers scrapers;
  scrapers.received("10.0.0.1", 5, at(0));
  scrapers.received("10.0.0.2", 4, at(1));
  EXPECT_TRUE(scrapers.all_have(4, at(2)));
  EXPECT_FALSE(scrapers.all_have(5, at(2))) << "the second has an older page";
  scrapers.received("10.0.0.2", 5, at(3));
  EXPECT_TRUE(scrapers.all_have(5, at(3)));
}

TEST(Scrapers, AnOlderPageThatArrivesLateTakesNothingBack) {
  Scrapers scrapers;
  scrapers.received("10.0.0.1", 5, at(0));
  scrapers.received("10.0.0.1", 4, at(1));
  EXPECT_TRUE(scrapers.all_have(5, at(1)));
}

TEST(Scrapers, OneThatStaysAwayForThreeOfItsIntervalsIsForgotten) {
  Scrapers scrapers;
  scrapers.received("gone", 1, at(0));
  scrapers.received("gone", 1, at(10));
  scrapers.received("here", 2, at(39));
  EXPECT_FALSE(scrapers.all_have(2, at(40)));
  EXPECT_TRUE(scrapers.all_have(2, at(41)));
  EXPECT_EQ(scrapers.known(at(41)), 1);
}

TEST(Scrapers, IfAllAreForgottenNobodyHasReadIt) {
  Scrapers scrapers;
  scrapers.received("gone", 1, at(0));
  scrapers.received("gone", 1, at(10));
  EXPECT_FALSE(scrapers.all_have(2, at(100)));
}

TEST(Scrapers, OneSeenOnceIsWaitedFor) {
  Scrapers scrapers;
  scrapers.received("once", 1, at(0));
  EXPECT_FALSE(scrapers.all_have(2, at(100'000)));
}

TEST(Scrapers, RememberABoundedNumber) {
  Scrapers scrapers;
  for (int i = 0; i < 1'000; ++i) scrapers.received("10.0.0." + std::to_string(i), 1, at(i));
  EXPECT_EQ(scrapers.known(at(1'000)), 64);
}

}  // namespace
}  // namespace agent::tracker
