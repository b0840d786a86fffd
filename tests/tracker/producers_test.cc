// Acknowledged delivery, as far as the tracker knows of it: the contract, section 2.

#include "agent/tracker/producers.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/fakes/one_tracker.h"

namespace agent::tracker {
namespace {

using fakes::OneTracker;
using progress::ApiCalled;
using progress::RejectReason;

TEST(Producers, AnEventSentAgainIsNotAppliedAgain) {
  OneTracker t;
  EXPECT_EQ(*t.send(0, "s", ApiCalled{}, "p", 1), Applied::kApplied);
  EXPECT_EQ(*t.send(1, "s", ApiCalled{}, "p", 1), Applied::kDuplicate);
  EXPECT_EQ(t.session(1, "s")->counters.api_ok, 1);
  EXPECT_EQ(t.session(1, "s")->duplicates, 1U);
  EXPECT_EQ(t.tracker().totals().duplicates, 1U);
}

TEST(Producers, EachCountsForItself) {
  OneTracker t;
  EXPECT_EQ(*t.send(0, "s", ApiCalled{}, "p", 1), Applied::kApplied);
  EXPECT_EQ(*t.send(0, "s", ApiCalled{}, "q", 1), Applied::kApplied);
  EXPECT_EQ(t.tracker().last_seq("p"), 1);
  EXPECT_EQ(t.tracker().last_seq("q"), 1);
  EXPECT_EQ(t.tracker().last_seq("r"), 0);
}

TEST(Producers, ASeqCoversAllSessionsOfItsProducer) {
  OneTracker t;
  t.send(0, "a", ApiCalled{}, "p", 1);
  EXPECT_EQ(*t.send(0, "b", ApiCalled{}, "p", 1), Applied::kDuplicate);
  EXPECT_FALSE(t.has(0, "b"));
}

TEST(Producers, AGapIsAppliedAndCounted) {
  OneTracker t;
  t.send(0, "s", ApiCalled{}, "p", 1);
  EXPECT_EQ(*t.send(1, "s", ApiCalled{}, "p", 5), Applied::kApplied);
  EXPECT_EQ(t.tracker().totals().gaps, 3U);
  EXPECT_EQ(*t.send(2, "s", ApiCalled{}, "p", 3), Applied::kDuplicate);
  EXPECT_EQ(t.tracker().last_seq("p"), 5);
}

TEST(Producers, ARefusedEventUsesUpItsSeqExceptOverloaded) {
  OneTracker t;
  t.send(0, "s", ApiCalled{}, "p", 1);
  Tracker::Batch(t.tracker(), fakes::now_at(1)).refuse("s", "p", 2, RejectReason::kInvalidField);
  EXPECT_EQ(t.tracker().last_seq("p"), 2);
  Tracker::Batch(t.tracker(), fakes::now_at(1)).refuse("s", "p", 3, RejectReason::kOverloaded);
  EXPECT_EQ(t.tracker().last_seq("p"), 2);
  EXPECT_EQ(*t.send(2, "s", ApiCalled{}, "p", 3), Applied::kApplied);
}

TEST(Producers, AnEventRefusedByTheDomainUsesUpItsSeqToo) {
  OneTracker t;
  t.send(0, "s", progress::CountsReported{.completed = 1}, "p", 1);
  EXPECT_FALSE(t.send(1, "s", progress::FileProgressed{.file = "a"}, "p", 2));
  EXPECT_EQ(t.tracker().last_seq("p"), 2);
  EXPECT_EQ(*t.send(2, "s", progress::FileProgressed{.file = "a"}, "p", 2), Applied::kDuplicate);
}

TEST(Producers, ARefusalIsShownWithItsSession) {
  OneTracker t;
  t.start(0, "s");
  Tracker::Batch(t.tracker(), fakes::now_at(1)).refuse("s", "", {}, RejectReason::kInvalidField);
  EXPECT_EQ(t.session(1, "s")->rejected[static_cast<std::size_t>(RejectReason::kInvalidField)], 1U);
  Tracker::Batch(t.tracker(), fakes::now_at(1)).refuse("x", "", {}, RejectReason::kInvalidField);
  EXPECT_FALSE(t.has(1, "x"));
}

TEST(Producers, ATakenOverProducerGoesOnWhereItWas) {
  OneTracker t;
  t.send(0, "s", ApiCalled{}, "p", 7);
  EXPECT_EQ(t.tracker().last_seq("p"), 7);  // a new hello
  EXPECT_EQ(*t.send(1, "s", ApiCalled{}, "p", 8), Applied::kApplied);
}

TEST(Producers, TheLongestSilentIsForgottenWhenThereAreTooMany) {
  OneTracker t({.rules = {}, .max_producers = 2});
  t.send(0, "s", ApiCalled{}, "a", 1);
  t.send(1, "s", ApiCalled{}, "b", 1);
  t.send(2, "s", ApiCalled{}, "a", 2);
  t.send(3, "s", ApiCalled{}, "c", 1);
  EXPECT_EQ(t.tracker().totals().producers, 2U);
  EXPECT_EQ(t.tracker().last_seq("a"), 2);
  EXPECT_EQ(t.tracker().last_seq("b"), 0);
}

TEST(Producers, AHelloOfManyNamesCostsNoMoreThanTheBound) {
  Producers producers(100);
  for (int i = 0; i < 10'000; ++i) producers.touch("p" + std::to_string(i));
  EXPECT_EQ(producers.size(), 100U);
  EXPECT_EQ(producers.all().size(), 100U);
  EXPECT_EQ(producers.all().front().name, "p9999");
}

TEST(Producers, ALowerBoundForgetsAtOnce) {
  Producers producers(100);
  for (int i = 0; i < 100; ++i) producers.touch("p" + std::to_string(i)).last_seq = i;
  producers.set_most(10);
  EXPECT_EQ(producers.size(), 10U);
  EXPECT_EQ(producers.touch("p95").last_seq, 95);
  EXPECT_EQ(producers.touch("p5").last_seq, 0);
}

}  // namespace
}  // namespace agent::tracker
