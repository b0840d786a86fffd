#include "agent/progress/throughput.h"

#include <gtest/gtest.h>

#include "tests/fakes/manual_clock.h"

namespace agent::progress {
namespace {

using fakes::moment;
using fakes::span;

constexpr Duration kMinute = std::chrono::seconds(60);

TEST(Window, HoldsWhatLiesInItsOpenClosedInterval) {
  Window window(kMinute);
  window.add(moment(0), 1);
  window.add(moment(30), 2);
  window.advance(moment(59.999));
  EXPECT_EQ(window.sum(), 3);
  window.advance(moment(60));
  EXPECT_EQ(window.sum(), 2);
  window.advance(moment(90));
  EXPECT_EQ(window.sum(), 0);
}

TEST(Window, TakesWhatComesLate) {
  Window window(kMinute);
  window.add(moment(50), 1);
  window.add(moment(20), 2);
  window.advance(moment(80));
  EXPECT_EQ(window.sum(), 1);
}

TEST(Window, LeavesOutWhatCameTooLate) {
  Window window(kMinute);
  window.advance(moment(100));
  window.add(moment(40), 5);
  EXPECT_EQ(window.sum(), 0);
}

TEST(Window, StaysExactWhenNobodyAdvancesIt) {
  Window window(kMinute);
  for (int i = 0; i < 10'000; ++i) window.add(moment(i), 1);
  window.advance(moment(9'999));
  EXPECT_EQ(window.sum(), 60);
}

TEST(Window, MergesInstantsWhenThereAreTooMany) {
  Window window(kMinute);
  for (int i = 0; i < 100'000; ++i) window.add(moment(i * 0.001), 1);
  window.advance(moment(99.999));
  // Exact but for what falls together at the edge: 1/1,024 of the window.
  EXPECT_NEAR(window.sum(), 60'000, 60'000 / 1'024.0 * 2);
}

TEST(Throughput, IsUnknownWhileNoTimeHasPassed) {
  const Throughput t(kMinute, span(1));
  EXPECT_FALSE(t.current(moment(0), span(0)));
}

TEST(Throughput, DividesByTheActiveTimeWhileThatIsShorterThanTheWindow) {
  Throughput t(kMinute, span(1));
  t.advance(moment(10), span(10));
  t.complete(moment(10), 1);
  EXPECT_DOUBLE_EQ(*t.current(moment(10), span(10)), 6);
  t.advance(moment(120), span(120));
  EXPECT_DOUBLE_EQ(*t.current(moment(120), span(120)), 0);
}

TEST(Throughput, HasNoPeakUntilAWindowIsFull) {
  Throughput t(kMinute, span(1));
  t.advance(moment(10), span(10));
  t.complete(moment(10), 5);
  EXPECT_FALSE(t.peak(moment(59), span(59)));
  EXPECT_DOUBLE_EQ(*t.peak(moment(60), span(60)), 5);
}

TEST(Throughput, PeaksBetweenTwoLooks) {
  Throughput t(kMinute, span(1));
  for (int i = 0; i < 10; ++i) {
    t.advance(moment(100 + i), span(100 + i));
    t.complete(moment(100 + i), 1);
  }
  t.advance(moment(1'000), span(1'000));
  EXPECT_DOUBLE_EQ(*t.current(moment(1'000), span(1'000)), 0);
  EXPECT_DOUBLE_EQ(*t.peak(moment(1'000), span(1'000)), 10);
}

TEST(Throughput, CountsWhatTheFirstFullWindowHeldAtTheInstantItWasFull) {
  Throughput t(kMinute, span(1));
  t.advance(moment(1), span(1));
  t.complete(moment(1), 7);
  t.advance(moment(61.5), span(61.5));  // by now the seven have left
  EXPECT_DOUBLE_EQ(*t.current(moment(61.5), span(61.5)), 0);
  EXPECT_DOUBLE_EQ(*t.peak(moment(61.5), span(61.5)), 7);
}

TEST(Throughput, KeepsItsPeakAsARateWhenTheWindowIsChanged) {
  Throughput t(kMinute, span(1));
  t.advance(moment(100), span(100));
  t.complete(moment(100), 6);
  t.advance(moment(130), span(130));
  t.resize(span(10));
  t.advance(moment(200), span(200));
  EXPECT_DOUBLE_EQ(*t.peak(moment(200), span(200)), 6);
}

TEST(Throughput, WaitsForALongerWindowToFill) {
  Throughput t(span(10), span(1));
  t.advance(moment(20), span(20));
  t.resize(kMinute);
  t.advance(moment(30), span(30));
  t.complete(moment(30), 3);
  EXPECT_DOUBLE_EQ(*t.peak(moment(30), span(30)), 0);  // of the short windows that were full
  t.advance(moment(60), span(60));
  EXPECT_DOUBLE_EQ(*t.peak(moment(60), span(60)), 3);
}

TEST(Throughput, LookingChangesNoLaterAnswer) {
  Throughput t(kMinute, span(1));
  t.advance(moment(50), span(50));
  t.complete(moment(50), 6);
  EXPECT_DOUBLE_EQ(*t.current(moment(115), span(115)), 0);
  EXPECT_DOUBLE_EQ(*t.current(moment(105), span(105)), 6);  // a late event set the clock back
}

TEST(ThroughputHistory, HoldsAPointForEachSecond) {
  Throughput t(kMinute, span(1));
  t.begin(moment(0));
  t.advance(moment(1.5), span(1.5));
  t.complete(moment(1.5), 1);
  t.advance(moment(3), span(3));
  const auto points = t.history().points();
  ASSERT_EQ(points->size(), 3U);
  EXPECT_EQ((*points)[0].timestamp, moment(1));
  EXPECT_DOUBLE_EQ((*points)[0].files_per_minute, 0);
  EXPECT_DOUBLE_EQ((*points)[1].files_per_minute, 30);
  EXPECT_DOUBLE_EQ((*points)[2].files_per_minute, 20);
}

TEST(ThroughputHistory, ThinsEvenlyAndNeverExceedsItsBound) {
  Throughput t(kMinute, span(1));
  t.begin(moment(0));
  for (int i = 1; i <= 20'000; ++i) {
    t.advance(moment(i), span(i));
    ASSERT_LE(t.history().points()->size(), ThroughputHistory::kPoints);
  }
  const auto points = t.history().points();
  ASSERT_GE(points->size(), ThroughputHistory::kPoints / 2);
  const auto spacing = (*points)[1].timestamp - (*points)[0].timestamp;
  for (std::size_t i = 1; i < points->size(); ++i) {
    EXPECT_EQ((*points)[i].timestamp - (*points)[i - 1].timestamp, spacing);
  }
}

TEST(ThroughputHistory, SharesItsPointsUntilANewOneComes) {
  Throughput t(kMinute, span(1));
  t.begin(moment(0));
  t.advance(moment(1), span(1));
  const auto before = t.history().points();
  t.advance(moment(1.5), span(1.5));
  EXPECT_EQ(t.history().points(), before);
  t.advance(moment(2), span(2));
  EXPECT_NE(t.history().points(), before);
}

}  // namespace
}  // namespace agent::progress
