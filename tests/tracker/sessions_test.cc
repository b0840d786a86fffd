// Which sessions there are, and who leaves when: the contract, section 3.

#include "agent/tracker/sessions.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/fakes/one_tracker.h"

namespace agent::tracker {
namespace {

using fakes::OneTracker;
using progress::FileStatus;
using progress::RejectReason;
using progress::SessionPaused;
using progress::SessionResumed;
using progress::SessionState;
using progress::SessionUpdated;

constexpr double kHour = 3'600;
constexpr double kLinger = 900;

Settings with(progress::Limits limits) { return {.rules = {.limits = limits, .pricing = {}}}; }

TEST(Sessions, AreShownInTheOrderFirstSeen) {
  OneTracker t;
  for (const char* id : {"b", "a", "c"}) t.start(0, id);
  t.end(1, "b");
  t.start(2, "b");
  EXPECT_EQ(t.ids(2), "b a c");
}

TEST(SessionsStale, AfterAnHourWithoutAnEvent) {
  OneTracker t;
  t.file(0, "s", "a", FileStatus::kProcessing);
  t.tick(kHour);
  EXPECT_NE(t.session(kHour, "s")->state, SessionState::kStale);
  t.tick(kHour + 1);
  EXPECT_EQ(t.session(kHour + 1, "s")->state, SessionState::kStale);
  EXPECT_EQ(t.session(kHour + 1, "s")->metrics.count(FileStatus::kProcessing), 1);
}

TEST(SessionsStale, FreesTheFilesMemory) {
  OneTracker t;
  t.file(0, "s", "a", FileStatus::kProcessing);
  EXPECT_EQ(t.tracker().totals().files, 1U);
  t.tick(kHour + 1);
  EXPECT_EQ(t.tracker().totals().files, 0U);
}

TEST(SessionsStale, NeverWhilePaused) {
  OneTracker t;
  t.start(0, "s");
  t.send(1, "s", SessionPaused{});
  t.tick(10 * kHour);
  EXPECT_EQ(t.session(10 * kHour, "s")->state, SessionState::kPaused);
  t.send(10 * kHour, "s", SessionResumed{});
  t.tick(10 * kHour + 1);
  EXPECT_NE(t.session(10 * kHour + 1, "s")->state, SessionState::kStale);
}

TEST(SessionsStale, RunsOnReceiveTimeNotOnTs) {
  OneTracker t;
  progress::Event old;
  old.session = "s";
  old.ts = fakes::moment(-10 * kHour);
  old.fact = progress::SessionStarted{};
  ASSERT_TRUE(Tracker::Batch(t.tracker(), fakes::now_at(0)).apply(old));
  t.tick(kHour - 1);
  EXPECT_NE(t.session(kHour - 1, "s")->state, SessionState::kStale);
}

TEST(SessionsStale, ShownForItsLingerThenGoneEvenUnscraped) {
  OneTracker t;
  t.start(0, "s");
  t.tick(kHour + 1);
  t.tick(kHour + kLinger);
  EXPECT_TRUE(t.has(kHour + kLinger, "s"));
  t.tick(kHour + 1 + kLinger);
  EXPECT_FALSE(t.has(kHour + 1 + kLinger, "s"));
}

TEST(SessionsStale, ALaterEventOpensANewAttempt) {
  OneTracker t;
  t.file(0, "s", "a", FileStatus::kCompleted);
  t.tick(kHour + 1);
  t.file(kHour + 2, "s", "b", FileStatus::kProcessing);
  const auto s = t.session(kHour + 2, "s");
  EXPECT_EQ(s->identity->attempt, 2);
  EXPECT_EQ(s->metrics.total_files, 1);
  EXPECT_EQ(s->counters.files_ended[0], 1);  // counters continue
  t.tick(kHour + 3 + kLinger);
  EXPECT_TRUE(t.has(kHour + 3 + kLinger, "s"));
}

TEST(SessionsEnded, StayForTheirLingerAndUntilScraped) {
  OneTracker t;
  t.start(0, "scraped");
  t.end(1, "scraped");
  t.scrape(2);
  t.start(2, "unscraped");
  t.end(3, "unscraped");
  t.tick(kLinger);
  EXPECT_EQ(t.ids(kLinger), "scraped unscraped");
  t.tick(10 * kLinger);
  EXPECT_EQ(t.ids(10 * kLinger), "unscraped");
  t.scrape(10 * kLinger);
  t.tick(10 * kLinger + 1);
  EXPECT_EQ(t.ids(10 * kLinger + 1), "");
}

TEST(SessionsEnded, AScrapeOfEarlierValuesDoesNotCount) {
  OneTracker t;
  t.start(0, "s");
  const View before = t.tracker().view(fakes::now_at(0));
  t.end(1, "s");
  t.tracker().mark_scraped(before);
  t.tick(2 * kLinger);
  EXPECT_TRUE(t.has(2 * kLinger, "s"));
}

TEST(SessionsEnded, BeyondTheirNumberScrapedOnesGoFirstThenTheOldest) {
  OneTracker t(with({.max_ended = 2}));
  for (const char* id : {"a", "b", "c", "d"}) t.start(0, id);
  t.end(1, "a");
  t.end(2, "b");
  t.scrape(3);
  t.end(4, "c");  // a was scraped and is older than b
  EXPECT_EQ(t.ids(4), "b c d");
  t.end(5, "d");  // b was scraped
  EXPECT_EQ(t.ids(5), "c d");
  t.start(6, "e");
  t.end(6, "e");  // none was: the oldest
  EXPECT_EQ(t.ids(6), "d e");
  EXPECT_EQ(t.tracker().totals().sessions_evicted, 3U);
}

TEST(SessionsEnded, NoneMayBeKept) {
  OneTracker t(with({.max_ended = 0}));
  t.start(0, "s");
  EXPECT_TRUE(t.end(1, "s"));
  EXPECT_EQ(t.ids(1), "");
}

TEST(SessionsEnded, ARunningSessionThatReportsNeverExpires) {
  OneTracker t(with({.max_ended = 1}));
  t.start(0, "s");
  for (double at = 0; at < 100 * kHour; at += kHour / 2) {
    t.file(at, "s", "a", FileStatus::kProcessing);
    t.tick(at);
    t.scrape(at);
  }
  EXPECT_EQ(t.session(100 * kHour, "s")->identity->attempt, 1);
}

TEST(SessionsEnded, AReopenedOneIsNotEvictedAsEnded) {
  OneTracker t(with({.max_ended = 1}));
  t.start(0, "a");
  t.end(1, "a");
  t.scrape(2);
  t.start(3, "a");
  t.start(3, "b");
  t.end(4, "b");
  t.tick(2 * kLinger);
  EXPECT_EQ(t.ids(2 * kLinger), "a b");
}

TEST(SessionsStop, RefusesEventsUntilAStart) {
  OneTracker t;
  t.file(0, "s", "a", FileStatus::kProcessing);
  EXPECT_TRUE(t.tracker().stop("s", fakes::now_at(1)));
  EXPECT_FALSE(t.session(1, "s")->is_tracking);
  EXPECT_EQ(t.file(2, "s", "a", FileStatus::kCompleted).error().reason,
            RejectReason::kSessionStopped);
  EXPECT_EQ(t.send(2, "s", SessionUpdated{}).error().reason, RejectReason::kSessionStopped);
  EXPECT_TRUE(t.start(3, "s"));
  EXPECT_TRUE(t.session(3, "s")->is_tracking);
  EXPECT_EQ(t.session(3, "s")->identity->attempt, 2);
  EXPECT_TRUE(t.file(4, "s", "a", FileStatus::kCompleted));
}

TEST(SessionsStop, FinalValuesStayUntilScraped) {
  OneTracker t;
  t.file(0, "s", "a", FileStatus::kCompleted);
  t.tracker().stop("s", fakes::now_at(1));
  t.tick(10 * kHour);
  ASSERT_TRUE(t.has(10 * kHour, "s"));
  EXPECT_EQ(t.session(10 * kHour, "s")->metrics.count(FileStatus::kCompleted), 1);
  t.scrape(10 * kHour);
  t.tick(10 * kHour + 1);
  EXPECT_FALSE(t.has(10 * kHour + 1, "s"));
}

TEST(SessionsStop, IsRememberedWhenTheSessionIsGone) {
  OneTracker t;
  t.start(0, "s");
  t.tracker().stop("s", fakes::now_at(1));
  t.scrape(2);
  t.tick(3);
  ASSERT_FALSE(t.has(3, "s"));
  EXPECT_EQ(t.file(4, "s", "a", FileStatus::kCompleted).error().reason,
            RejectReason::kSessionStopped);
  EXPECT_TRUE(t.start(5, "s"));
}

TEST(SessionsStop, OfAnEndedSessionRefusesItsLateEventsToo) {
  OneTracker t;
  t.start(0, "s");
  t.end(1, "s");
  EXPECT_TRUE(t.tracker().stop("s", fakes::now_at(2)));
  EXPECT_EQ(t.session(2, "s")->state, SessionState::kCompleted);
  EXPECT_EQ(t.file(3, "s", "a", FileStatus::kCompleted).error().reason,
            RejectReason::kSessionStopped);
}

TEST(SessionsStop, ARefusedStartLeavesItStopped) {
  OneTracker t(with({.max_active = 1}));
  t.start(0, "s");
  t.tracker().stop("s", fakes::now_at(1));
  t.start(2, "other");
  EXPECT_EQ(t.start(3, "s").error().reason, RejectReason::kTooManySessions);
  t.end(4, "other");
  EXPECT_EQ(t.file(5, "s", "a", FileStatus::kCompleted).error().reason,
            RejectReason::kSessionStopped);
}

TEST(SessionsStop, OfAnUnknownOrStoppedSessionSaysSo) {
  OneTracker t;
  EXPECT_FALSE(t.tracker().stop("nobody", fakes::now_at(0)));
  t.start(0, "s");
  EXPECT_TRUE(t.tracker().stop("s", fakes::now_at(1)));
  EXPECT_FALSE(t.tracker().stop("s", fakes::now_at(2)));
}

TEST(SessionsStop, OnlySoManyNamesAreRemembered) {
  OneTracker t(with({.max_stopped = 2}));
  for (const char* id : {"a", "b", "c"}) {
    t.start(0, id);
    t.tracker().stop(id, fakes::now_at(1));
  }
  t.scrape(2);
  t.tick(3);
  EXPECT_TRUE(t.file(4, "a", "x", FileStatus::kPending));  // forgotten: a new session
  EXPECT_FALSE(t.file(4, "b", "x", FileStatus::kPending));
  EXPECT_FALSE(t.file(4, "c", "x", FileStatus::kPending));
}

TEST(SessionsCleanUp, RemovesEndedAndRunningOnesWithoutAnEventForSoLong) {
  OneTracker t;
  t.start(0, "running");
  t.start(0, "ended");
  t.end(10, "ended");
  t.start(50, "fresh");
  EXPECT_EQ(t.tracker().clean_up(fakes::span(60), fakes::now_at(65)), 1U);
  EXPECT_EQ(t.ids(65), "ended fresh");
  EXPECT_EQ(t.tracker().clean_up(fakes::span(60), fakes::now_at(70)), 1U);
  EXPECT_EQ(t.ids(70), "fresh");
}

TEST(SessionsCleanUp, OfZeroRemovesAll) {
  OneTracker t;
  t.file(0, "a", "x", FileStatus::kPending);
  t.file(1, "b", "x", FileStatus::kPending);
  EXPECT_EQ(t.tracker().clean_up(Duration::zero(), fakes::now_at(1)), 2U);
  EXPECT_EQ(t.ids(1), "");
  EXPECT_EQ(t.tracker().totals().files, 0U);
}

TEST(SessionsBounds, MoreActiveSessionsAreRefusedUntilOneEnds) {
  OneTracker t(with({.max_active = 2}));
  t.start(0, "a");
  t.start(0, "b");
  EXPECT_EQ(t.start(1, "c").error().reason, RejectReason::kTooManySessions);
  EXPECT_FALSE(t.has(1, "c"));
  EXPECT_TRUE(t.file(1, "a", "x", FileStatus::kPending));
  t.end(2, "b");
  EXPECT_TRUE(t.start(3, "c"));
  EXPECT_EQ(t.start(4, "b").error().reason, RejectReason::kTooManySessions);
}

TEST(SessionsBounds, PlacesAreFreeAgainHoweverASessionLeft) {
  OneTracker t(with({.max_active = 1}));
  t.start(0, "stale");
  t.tick(kHour + 1);
  EXPECT_TRUE(t.start(kHour + 2, "stopped"));
  t.tracker().stop("stopped", fakes::now_at(kHour + 3));
  EXPECT_TRUE(t.start(kHour + 4, "cleaned"));
  t.tracker().clean_up(Duration::zero(), fakes::now_at(kHour + 5));
  EXPECT_TRUE(t.start(kHour + 6, "ended"));
  t.end(kHour + 7, "ended");
  EXPECT_TRUE(t.start(kHour + 8, "again"));
}

TEST(SessionsBounds, AllSessionsShareTheRoomForFiles) {
  OneTracker t(with({.max_files = 3}));
  t.file(0, "a", "1", FileStatus::kPending);
  t.file(0, "a", "2", FileStatus::kPending);
  t.file(0, "b", "1", FileStatus::kPending);
  EXPECT_EQ(t.file(1, "b", "2", FileStatus::kPending).error().reason, RejectReason::kTooManyFiles);
  EXPECT_EQ(t.session(1, "b")->rejected[static_cast<std::size_t>(RejectReason::kTooManyFiles)], 1U);
  EXPECT_TRUE(t.file(1, "b", "1", FileStatus::kCompleted));
  t.end(2, "a");
  t.start(3, "a");  // an empty list
  EXPECT_TRUE(t.file(4, "b", "2", FileStatus::kPending));
}

TEST(SessionsBounds, ARefusedFirstEventStartsNothing) {
  OneTracker t(with({.max_files = 0}));
  EXPECT_FALSE(t.file(0, "s", "a", FileStatus::kPending));
  EXPECT_FALSE(t.has(0, "s"));
  EXPECT_TRUE(t.start(1, "s"));
}

}  // namespace
}  // namespace agent::tracker
