// What a session is, event by event: the contract, sections 3 and 4.

#include "agent/progress/session.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/one_session.h"

namespace agent::progress {
namespace {

using enum FileStatus;
using fakes::moment;
using fakes::OneSession;
using fakes::span;
using std::chrono::seconds;

constexpr std::int64_t kHuge = std::int64_t{1} << 53;  // the largest amount of one event

SessionStarted start_with(SessionFacts facts, bool resume = false) {
  return {std::move(facts), resume};
}

// ---- the clock

TEST(SessionClock, NowIsTheLargestTsPlusTheSteadyTimeSince) {
  OneSession s;
  s.send(100, SessionStarted{}, 500);
  s.send(130, ResourcesUsed{}, 510);
  s.send(120, ResourcesUsed{}, 515);  // out of order: does not count
  EXPECT_EQ(s.at(517).metrics.current_time, moment(137));
  EXPECT_EQ(s.metrics(517).elapsed, span(37));
}

TEST(SessionClock, StandsStillOnceEnded) {
  OneSession s;
  s.start(0);
  s.end(50);
  EXPECT_EQ(s.metrics(1'000).elapsed, span(50));
  EXPECT_EQ(s.at(1'000).end_time, moment(50));
}

TEST(SessionClock, AnEndOlderThanTheNewestEventEndsThere) {
  OneSession s;
  s.start(0);
  s.send(60, ResourcesUsed{});
  s.send(50, SessionEnded{}, 61);
  EXPECT_EQ(s.at(61).end_time, moment(60));
}

TEST(SessionClock, TheFirstEventStartsTheSessionWhateverItIs) {
  OneSession s;
  s.file(10, "a", kProcessing);
  EXPECT_EQ(s.at(10).metrics.start_time, moment(10));
  EXPECT_EQ(s.at(10).identity->attempt, 1);
}

TEST(SessionClock, AnEventFromBeforeTheFirstMovesTheStartUnlessItWasTold) {
  OneSession untold;
  untold.file(10, "a", kProcessing);
  untold.file(4, "b", kProcessing);
  EXPECT_EQ(untold.at(10).metrics.start_time, moment(4));
  OneSession told;
  told.start(10);
  told.file(4, "b", kProcessing);
  EXPECT_EQ(told.at(10).metrics.start_time, moment(10));
}

TEST(SessionPause, PausedTimeIsNoWorkTime) {
  OneSession s;
  s.start(0);
  s.send(10, SessionPaused{});
  EXPECT_EQ(s.metrics(30).active_elapsed, span(10));
  s.send(40, SessionResumed{});
  EXPECT_EQ(s.metrics(60).active_elapsed, span(30));
  EXPECT_EQ(s.metrics(60).elapsed, span(60));
}

TEST(SessionPause, PausingAPausedOrResumingARunningSessionChangesNothing) {
  OneSession s;
  s.start(0);
  s.send(5, SessionResumed{});
  s.send(10, SessionPaused{});
  s.send(20, SessionPaused{});
  s.send(40, SessionResumed{});
  s.send(50, SessionResumed{});
  EXPECT_EQ(s.metrics(60).active_elapsed, span(30));
}

TEST(SessionPause, LatePausesNeverCountTheSameTimeTwice) {
  OneSession s;
  s.start(0);
  s.send(10, SessionPaused{});
  s.send(20, SessionResumed{});
  s.send(12, SessionPaused{}, 21);
  s.send(22, SessionResumed{});
  EXPECT_EQ(s.metrics(30).active_elapsed, span(18));
}

TEST(SessionPause, EndsWithTheSession) {
  OneSession s;
  s.start(0);
  s.send(10, SessionPaused{});
  s.end(30);
  EXPECT_EQ(s.metrics(30).active_elapsed, span(10));
  EXPECT_EQ(s.state(30), SessionState::kCompleted);
}

// ---- totals

TEST(SessionTotals, AnnouncedFilesNotSeenYetArePending) {
  OneSession s;
  s.send(0, start_with({.total_files = 10}));
  s.file(1, "a", kCompleted);
  EXPECT_EQ(s.session().total_files(), 10);
  EXPECT_EQ(s.count(kPending), 9);
  EXPECT_EQ(s.percentage(), 10);
}

TEST(SessionTotals, TheTotalIsTheLargerOfAnnouncedAndSeen) {
  OneSession s;
  s.send(0, start_with({.total_files = 2}));
  for (const char* id : {"a", "b", "c"}) s.file(1, id, kCompleted);
  EXPECT_EQ(s.session().total_files(), 3);
  EXPECT_EQ(s.count(kPending), 0);
}

TEST(SessionTotals, ProgressFallsWhenTheTotalGrows) {
  OneSession s;
  s.send(0, start_with({.total_files = 2}));
  s.file(1, "a", kCompleted);
  EXPECT_EQ(s.percentage(), 50);
  s.send(2, SessionUpdated{{.total_files = 4}});
  EXPECT_EQ(s.percentage(), 25);
}

TEST(SessionTotals, LinearEtaInputsLeaveOutWhatWasNotWorked) {
  OneSession s;
  s.send(0, start_with({.total_files = 1'000}));
  for (int i = 0; i < 900; ++i) s.file(0, std::to_string(i), kSkipped);
  s.file(10, "a", kCompleted);
  EXPECT_NEAR(s.percentage(), 90.1, 1e-9);
  EXPECT_EQ(s.session().work().earned, 1);
  EXPECT_EQ(s.session().work().remaining(), 99);
  EXPECT_DOUBLE_EQ(*s.metrics(10).average_throughput, 6);
}

// ---- counts only

CountsReported counts(std::optional<std::int64_t> completed, std::optional<std::int64_t> total = {},
                      std::optional<std::int64_t> failed = {},
                      std::optional<std::int64_t> skipped = {}) {
  return {.completed = completed, .failed = failed, .skipped = skipped, .total = total};
}

TEST(SessionCounts, AreAbsolute) {
  OneSession s;
  s.send(1, counts(5, 20, 1, 4));
  s.send(2, counts(8));
  EXPECT_EQ(s.count(kCompleted), 8);
  EXPECT_EQ(s.count(kFailed), 1);
  EXPECT_EQ(s.count(kSkipped), 4);
  EXPECT_EQ(s.count(kPending), 7);
  EXPECT_EQ(s.percentage(), 65);
  EXPECT_EQ(s.session().work().earned, 9);
}

TEST(SessionCounts, ALowerCountLowersGaugesOnly) {
  OneSession s;
  s.send(1, counts(10, 20));
  s.send(2, counts(7));
  EXPECT_EQ(s.count(kCompleted), 7);
  EXPECT_EQ(s.at(2).counters.files_ended[0], 10);
  s.send(3, counts(9));
  EXPECT_EQ(s.at(3).counters.files_ended[0], 12);
}

TEST(SessionCounts, HaveNoProgressWhileNoTotalIsKnown) {
  OneSession s;
  s.send(1, counts(10));
  EXPECT_EQ(s.percentage(), 0);
  EXPECT_EQ(s.session().total_files(), 10);
}

TEST(SessionCounts, AnOlderReportIsStale) {
  OneSession s;
  s.send(2, counts(10, 20));
  EXPECT_EQ(*s.send(1, counts(3)), Applied::kStale);
  EXPECT_EQ(s.count(kCompleted), 10);
}

TEST(SessionCounts, AreThroughput) {
  OneSession s;
  s.send(0, counts(0, 100));
  s.send(30, counts(10));
  EXPECT_DOUBLE_EQ(*s.metrics(30).current_throughput, 20);
}

TEST(SessionCounts, CannotBeMixedWithFilesInEitherOrder) {
  OneSession files;
  files.file(0, "a", kProcessing);
  const auto refused = files.send(1, counts(3));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, RejectReason::kInvalidField);
  EXPECT_EQ(files.count(kCompleted), 0);
  OneSession counted;
  counted.send(0, counts(3));
  EXPECT_EQ(counted.file(1, "a", kCompleted).error().reason, RejectReason::kInvalidField);
  EXPECT_EQ(counted.announce(1, {{.file = "a"}}).error().reason, RejectReason::kInvalidField);
  EXPECT_EQ(counted.session().total_files(), 3);
}

TEST(SessionCounts, ResumedCountsAreRestoredAndNoThroughput) {
  OneSession s;
  s.send(0, counts(0, 1'000));
  s.send(100, counts(900, {}, 5, 20));
  s.end(100, EndStatus::kFailed);
  s.send(200, start_with({.total_files = 1'000}, true));
  EXPECT_EQ(s.count(kCompleted), 900);
  EXPECT_EQ(s.count(kSkipped), 20);
  EXPECT_EQ(s.count(kFailed), 0);
  s.send(210, counts(901));
  EXPECT_EQ(s.session().work().earned, 1);
  EXPECT_DOUBLE_EQ(*s.metrics(210).average_throughput, 6);
  EXPECT_EQ(s.at(210).counters.files_ended[0], 901);
}

TEST(SessionCounts, BytesAloneAreProgressToo) {
  OneSession s;
  s.send(0, start_with({.total_bytes = 1'000}));
  s.send(10, CountsReported{.bytes_done = 250});
  EXPECT_EQ(s.percentage(), 25);
  EXPECT_EQ(s.session().work().earned, 250);
  EXPECT_DOUBLE_EQ(*s.metrics(10).bytes_per_second, 25);
}

// ---- attempts

TEST(SessionAttempts, AStartOnALiveSessionUpdatesIt) {
  OneSession s;
  s.send(0, start_with({.name = "one", .total_files = 3}));
  s.file(1, "a", kCompleted);
  s.send(2, start_with({.total_files = 5}));
  EXPECT_EQ(s.at(2).identity->attempt, 1);
  EXPECT_EQ(s.at(2).identity->name, "one");
  EXPECT_EQ(s.session().total_files(), 5);
  EXPECT_EQ(s.count(kCompleted), 1);
  EXPECT_EQ(s.at(2).metrics.start_time, moment(0));
}

TEST(SessionAttempts, AStartOnAnEndedOneOpensTheNextWithAnEmptyList) {
  OneSession s;
  s.start(0);
  s.send(1, FileProgressed{.file = "a", .status = kCompleted, .tokens = 5, .quality = 0.5});
  s.send(2, ApiCalled{});
  s.end(3);
  s.start(10);
  const SessionSnapshot now = s.at(10);
  EXPECT_EQ(now.identity->attempt, 2);
  EXPECT_EQ(now.metrics.total_files, 0);
  EXPECT_EQ(now.metrics.start_time, moment(10));
  EXPECT_EQ(now.metrics.total_tokens, 0);
  EXPECT_EQ(now.metrics.api_calls_total, 0);
  EXPECT_FALSE(now.metrics.quality_score);
  EXPECT_FALSE(now.end_time);
  // Counters continue.
  EXPECT_EQ(now.counters.files_ended[0], 1);
  EXPECT_EQ(now.counters.tokens(), 5);
  EXPECT_EQ(now.counters.api_ok, 1);
}

TEST(SessionAttempts, ResumeKeepsWhatIsDoneAsRestoredAndTheRestIsPendingAgain) {
  OneSession s;
  s.start(0);
  s.send(0, FileProgressed{.file = "done", .status = kProcessing});
  s.send(5, FileProgressed{.file = "done", .status = kCompleted, .tokens = 10});
  s.file(5, "skipped", kSkipped);
  s.send(5, FileProgressed{.file = "failed", .status = kFailed, .retries = 2});
  s.file(5, "cancelled", kCancelled);
  s.send(5, FileProgressed{.file = "half", .status = kProcessing, .progress = 50.0});
  s.end(6, EndStatus::kFailed);
  s.start(100, true);
  EXPECT_EQ(s.count(kCompleted), 1);
  EXPECT_EQ(s.count(kSkipped), 1);
  EXPECT_EQ(s.count(kPending), 3);
  EXPECT_TRUE(s.file_named("done").restored);
  EXPECT_EQ(s.file_named("half").progress, 0);
  EXPECT_EQ(s.file_named("failed").retries, 0);
  EXPECT_EQ(s.percentage(), 40);
  EXPECT_EQ(s.session().work().earned, 0);
  EXPECT_FALSE(s.metrics(110).average_processing_ms);
  EXPECT_EQ(s.metrics(110).retry_count, 0);
  EXPECT_DOUBLE_EQ(*s.metrics(110).average_throughput, 0);
  s.file(101, "half", kProcessing);
  s.file(110, "half", kCompleted);
  EXPECT_EQ(s.session().work().earned, 1);
  EXPECT_DOUBLE_EQ(*s.metrics(110).average_throughput, 6);
}

TEST(SessionAttempts, ARestoredFileThatIsProcessedAgainIsWorkAgain) {
  OneSession s;
  s.start(0);
  s.file(1, "a", kCompleted);
  s.end(2);
  s.start(10, true);
  s.file(11, "a", kProcessing);
  s.file(12, "a", kCompleted);
  EXPECT_FALSE(s.file_named("a").restored);
  EXPECT_EQ(s.session().work().earned, 1);
  EXPECT_EQ(s.at(12).counters.files_ended[0], 2);
}

TEST(SessionAttempts, LateFileEventsCorrectAnEndedSessionWithoutReopeningIt) {
  OneSession s;
  s.start(0);
  s.file(1, "a", kProcessing);
  s.end(10);
  s.file(11, "a", kCompleted);
  EXPECT_EQ(s.count(kCompleted), 1);
  EXPECT_EQ(s.state(20), SessionState::kCompleted);
  EXPECT_EQ(s.metrics(20).elapsed, span(10));
  EXPECT_EQ(s.at(20).identity->attempt, 1);
}

TEST(SessionAttempts, ASecondEndChangesNothing) {
  OneSession s;
  s.start(0);
  s.end(10, EndStatus::kFailed);
  s.end(20, EndStatus::kCompleted);
  EXPECT_EQ(s.state(20), SessionState::kFailed);
  EXPECT_EQ(s.at(20).end_time, moment(10));
}

TEST(SessionAttempts, NothingEndsWithoutAnEnd) {
  OneSession s;
  s.send(0, start_with({.total_files = 1}));
  s.file(1, "a", kCompleted);
  EXPECT_EQ(s.percentage(), 100);
  EXPECT_FALSE(s.session().ended());
  EXPECT_EQ(s.state(2), SessionState::kWaiting);
}

TEST(SessionAttempts, AnEventOnAStaleSessionOpensTheNextWithoutItsFiles) {
  OneSession s;
  s.file(0, "a", kCompleted);
  s.session().become_stale(fakes::now_at(3'700));
  EXPECT_EQ(s.state(3'700), SessionState::kStale);
  EXPECT_EQ(s.count(kCompleted), 1);  // its values stay, its files' memory is freed
  EXPECT_EQ(s.session().files().size(), 0U);
  s.file(4'000, "b", kProcessing);
  EXPECT_EQ(s.at(4'000).identity->attempt, 2);
  EXPECT_EQ(s.session().total_files(), 1);
  EXPECT_EQ(s.at(4'000).metrics.start_time, moment(4'000));
}

TEST(SessionRefusals, LeaveEverythingAsItWas) {
  OneSession s;
  s.start(0);
  s.files_left = 0;
  EXPECT_EQ(s.file(1, "a", kProcessing).error().reason, RejectReason::kTooManyFiles);
  EXPECT_EQ(s.announce(1, {{.file = "a"}}).error().reason, RejectReason::kTooManyFiles);
  EXPECT_EQ(s.metrics(1).current_time, moment(1));  // nobody was heard since 0
  EXPECT_TRUE(s.send(2, counts(3)));                // it is not a session of files yet
}

TEST(SessionRefusals, DoNotReopenAStaleSession) {
  OneSession s;
  s.start(0);
  s.session().become_stale(fakes::now_at(3'700));
  s.files_left = 0;
  EXPECT_FALSE(s.file(3'701, "a", kProcessing));
  EXPECT_EQ(s.state(3'701), SessionState::kStale);
  EXPECT_EQ(s.at(3'701).identity->attempt, 1);
}

TEST(SessionRefusals, KnownFilesGoOnWhenNoMoreFit) {
  OneSession s;
  s.file(0, "a", kProcessing);
  s.files_left = 0;
  EXPECT_TRUE(s.file(1, "a", kCompleted));
  EXPECT_TRUE(s.announce(1, {{.file = "a", .bytes = 3}}));
}

// ---- states

TEST(SessionStates, ASessionWithNothingToDoIsWaiting) {
  OneSession s;
  s.send(0, start_with({.total_files = 3}));
  EXPECT_EQ(s.state(1), SessionState::kWaiting);
}

TEST(SessionStates, SomethingProcessingIsWorkingAndFinishingWhenNothingIsPending) {
  OneSession s;
  s.send(0, start_with({.total_files = 2}));
  s.file(1, "a", kProcessing);
  EXPECT_EQ(s.state(1), SessionState::kWorking);
  s.file(2, "b", kProcessing);
  EXPECT_EQ(s.state(2), SessionState::kFinishing);
}

TEST(SessionStates, MovingCountsAreWorkingForAWindow) {
  OneSession s;
  s.send(0, counts(1, 10));
  EXPECT_EQ(s.state(1), SessionState::kWorking);
  s.send(50, counts(1));
  EXPECT_EQ(s.state(61), SessionState::kWaiting);
}

TEST(SessionStates, RateLimitedUntilTheLatestDelayOrReset) {
  OneSession s;
  s.file(0, "a", kProcessing);
  s.send(10, RateLimited{.delay = seconds(5)});
  s.send(11, RateLimited{.delay = seconds(1)});
  EXPECT_EQ(s.state(14.9), SessionState::kRateLimited);
  EXPECT_EQ(s.state(15), SessionState::kFinishing);
  s.send(20, RateLimited{.reset_at = moment(50)});
  EXPECT_EQ(s.state(49), SessionState::kRateLimited);
  EXPECT_EQ(s.state(50), SessionState::kFinishing);
}

TEST(SessionStates, StalledAfterAMinuteOfSilence) {
  OneSession s;
  s.file(0, "a", kProcessing);
  s.file(1, "a", kCompleted);
  s.file(1, "b", kProcessing);
  EXPECT_EQ(s.state(61), SessionState::kFinishing);
  EXPECT_EQ(s.state(61.001), SessionState::kStalled);
  s.send(70, ResourcesUsed{});
  EXPECT_EQ(s.state(70), SessionState::kFinishing);
}

// Half of the hour after which the session is stale.
constexpr double kNothingKnown = 1'800;

TEST(SessionStates, TheFirstFilesMayTakeAsLongAsNothingIsKnown) {
  OneSession s;
  for (const char* file : {"a", "b", "c"}) s.file(0, file, kProcessing);
  EXPECT_EQ(s.state(kNothingKnown), SessionState::kFinishing);
  EXPECT_EQ(s.state(kNothingKnown + 1), SessionState::kStalled);
  s.file(2, "a", kCompleted);
  EXPECT_EQ(s.state(62), SessionState::kFinishing);
  EXPECT_EQ(s.state(63), SessionState::kStalled);
}

TEST(SessionStates, OfCountsTheMeanTells) {
  OneSession s;
  s.send(0, start_with({.total_files = 100}));
  EXPECT_EQ(s.state(kNothingKnown), SessionState::kWaiting);
  s.send(400, CountsReported{.completed = 10, .total = 100});  // 40 s each
  EXPECT_EQ(s.state(400 + 5 * 40), SessionState::kWaiting);
  EXPECT_EQ(s.state(400 + 5 * 40 + 1), SessionState::kStalled);
}

TEST(SessionStates, SlowFilesMayBeSilentLonger) {
  OneSession s;
  for (int i = 0; i < 20; ++i) {
    s.file(i * 50, std::to_string(i), kProcessing);
    s.file(i * 50 + 40, std::to_string(i), kCompleted);
  }
  s.file(1'000, "a", kProcessing);
  EXPECT_EQ(s.state(1'000 + 5 * 40), SessionState::kFinishing);
  EXPECT_EQ(s.state(1'000 + 5 * 40 + 1), SessionState::kStalled);  // no bucket is that exact
}

TEST(SessionStates, HowLongFilesTakeIsKnownToATwentieth) {
  OneSession s;
  double t = 0;
  for (int i = 0; i < 100; ++i) {
    s.file(t, std::to_string(i), kProcessing);
    s.file(t += i < 96 ? 310 : 890, std::to_string(i), kCompleted);
  }
  s.file(t, "a", kProcessing);
  EXPECT_EQ(s.state(t + 5 * 310), SessionState::kFinishing);
  EXPECT_EQ(s.state(t + 5 * 310 * 1.05 + 1), SessionState::kStalled);
}

TEST(SessionStates, TheFirstThatHoldsIsShown) {
  OneSession s;
  s.file(0, "a", kProcessing);
  s.file(0, "a", kCompleted);
  s.file(0, "b", kProcessing);
  s.send(0, RateLimited{.delay = seconds(1'000)});
  EXPECT_EQ(s.state(500), SessionState::kRateLimited);  // before stalled
  s.send(501, SessionPaused{});
  EXPECT_EQ(s.state(501), SessionState::kPaused);  // before rate limited
  s.session().become_stale(fakes::now_at(502));
  EXPECT_EQ(s.state(502), SessionState::kStale);  // before paused
}

// ---- the workload

TEST(SessionWorkload, ReadingsAreNoEvents) {
  OneSession s;
  s.file(0, "a", kProcessing);
  s.file(1, "a", kCompleted);
  s.file(1, "b", kProcessing);
  s.session().observe_workload({.cpu_cores = 1.5, .cpu_limit_cores = 2}, fakes::now_at(60));
  EXPECT_EQ(s.at(60).resources.cpu_cores, 1.5);
  EXPECT_EQ(s.at(60).resources.cpu_limit_cores, 2);
  EXPECT_EQ(s.at(60).last_event_time, moment(1));
  EXPECT_EQ(s.state(62), SessionState::kStalled);
}

TEST(SessionWorkload, NetworkErrorsCountFromTheFirstReadingOn) {
  OneSession s;
  s.start(0);
  s.session().observe_workload({.network_errors = 100}, fakes::now_at(5));
  EXPECT_EQ(s.at(5).resources.network_errors_in_window, 0);
  s.session().observe_workload({.network_errors = 103}, fakes::now_at(10));
  EXPECT_EQ(s.at(10).resources.network_errors_in_window, 3);
}

TEST(SessionWorkload, WhatTheSessionReportsItselfGoesFirst) {
  OneSession s;
  s.send(0, ResourcesUsed{.memory_bytes = 10});
  s.session().observe_workload({.memory_bytes = 99}, fakes::now_at(5));
  EXPECT_EQ(s.at(5).resources.memory_bytes, 10);
  s.end(6);
  s.start(7);  // another attempt, which has reported nothing
  s.session().observe_workload({.memory_bytes = 99}, fakes::now_at(8));
  EXPECT_EQ(s.at(8).resources.memory_bytes, 99);
}

// ---- amounts

TEST(SessionApi, CallsAndTokensAddUpByDirection) {
  OneSession s;
  s.send(1, ApiCalled{.calls = 18, .provider = "a", .tokens_in = 100, .tokens_out = 20});
  s.send(2, ApiCalled{.ok = false, .calls = 2, .provider = "a", .tokens = 50, .tokens_in = 30});
  const SessionSnapshot now = s.at(2);
  EXPECT_EQ(now.metrics.api_calls_total, 20);
  EXPECT_DOUBLE_EQ(*now.metrics.api_success_rate, 0.9);
  EXPECT_EQ(now.counters.tokens_in, 130);
  EXPECT_EQ(now.counters.tokens_out, 20);
  EXPECT_EQ(now.counters.tokens_unspecified, 20);
  EXPECT_EQ(now.metrics.total_tokens, 170);
}

TEST(SessionApi, FileAndApiAmountsAreAddedTogether) {
  OneSession s;
  s.send(1, ApiCalled{.tokens = 100, .cost = 1.0});
  s.send(2, FileProgressed{.file = "a", .status = kCompleted, .tokens = 50, .cost = 0.5});
  EXPECT_EQ(s.metrics(2).total_tokens, 150);
  EXPECT_DOUBLE_EQ(s.metrics(2).estimated_cost, 1.5);
  EXPECT_DOUBLE_EQ(*s.metrics(2).cost_per_file, 1.5);
  EXPECT_DOUBLE_EQ(*s.metrics(2).tokens_per_file, 150);
}

TEST(SessionApi, TokensOfAPricedModelAreCosted) {
  Rules rules;
  rules.pricing.emplace(
      "gpt", Price{.input_per_million = 2, .output_per_million = 8, .cached_per_million = 0.5});
  OneSession s(rules);
  s.send(
      1,
      ApiCalled{
          .model = "gpt", .tokens_in = 1'000'000, .tokens_out = 500'000, .tokens_cached = 400'000});
  EXPECT_DOUBLE_EQ(s.metrics(1).estimated_cost, 1.2 + 0.2 + 4.0);
}

TEST(SessionApi, RatesAreAbsentWhileNothingIsKnown) {
  OneSession s;
  s.start(0);
  const Metrics m = s.metrics(0);
  EXPECT_FALSE(m.api_success_rate);
  EXPECT_FALSE(m.error_rate);
  EXPECT_FALSE(m.cost_per_file);
  EXPECT_FALSE(m.tokens_per_file);
  EXPECT_FALSE(m.api_efficiency);
  EXPECT_FALSE(m.quality_score);
  EXPECT_FALSE(m.average_processing_ms);
  EXPECT_FALSE(m.current_throughput);
  EXPECT_EQ(m.progress_percentage, 0);
}

TEST(SessionAmounts, NeverOverflowHoweverManyCome) {
  OneSession s;
  s.start(0);
  const Duration longest{std::chrono::milliseconds(kHuge)};
  for (int i = 1; i <= 3'000; ++i) {
    const auto applied = s.send(i, ApiCalled{.calls = kHuge,
                                             .duration = span(1),
                                             .tokens = kHuge,
                                             .tokens_in = kHuge,
                                             .tokens_out = kHuge,
                                             .cost = static_cast<double>(kHuge)});
    ASSERT_TRUE(applied);
    s.send(i, RateLimited{.delay = longest, .hits = kHuge});
  }
  const SessionSnapshot now = s.at(3'000);
  EXPECT_GT(now.metrics.total_tokens, kHuge);
  EXPECT_GT(now.metrics.api_calls_total, kHuge);
  EXPECT_GT(now.metrics.rate_limit_hits, kHuge);
  EXPECT_GT(now.metrics.rate_limit_delay, longest / 10);
  EXPECT_GT(now.providers[0].call_seconds.count(), std::uint64_t{1} << 62U);
  EXPECT_EQ(now.metrics.rate_limiting_impact, 1);
}

TEST(SessionAmounts, HugeCountsNeverOverflow) {
  OneSession s;
  s.start(0);
  for (int i = 1; i <= 3'000; ++i) {
    const std::int64_t n = i % 2 == 0 ? 0 : kHuge;
    s.send(i, CountsReported{
                  .completed = n, .failed = n, .skipped = n, .total = kHuge, .bytes_done = n});
  }
  EXPECT_GT(s.at(3'000).counters.files_ended[0], kHuge);
  EXPECT_GT(s.at(3'000).counters.bytes, kHuge);
}

// ---- identity and modes

TEST(SessionIdentity, TheFamilyIsTheNameUnlessGiven) {
  OneSession s;
  s.start(0);
  EXPECT_EQ(s.at(0).identity->family, "");
  s.send(1, SessionUpdated{{.name = "nightly"}});
  EXPECT_EQ(s.at(1).identity->family, "nightly");
  s.send(2, SessionUpdated{{.family = "batch"}});
  s.send(3, SessionUpdated{{.name = "weekly"}});
  EXPECT_EQ(s.at(3).identity->family, "batch");
}

TEST(SessionIdentity, ChangesOnlyWithUpdatesAndAttempts) {
  OneSession s;
  s.start(0);
  const auto before = s.at(0).identity;
  s.file(1, "a", kCompleted);
  EXPECT_EQ(s.at(1).identity, before);
  s.send(2, SessionUpdated{{.name = "x"}});
  EXPECT_GT(s.at(2).identity->revision, before->revision);
}

TEST(SessionIdentity, LabelsAreSorted) {
  OneSession s;
  const std::vector<std::pair<std::string_view, std::string_view>> labels = {{"tier", "gold"},
                                                                             {"team", "search"}};
  s.send(0, start_with({.labels = labels}));
  ASSERT_EQ(s.at(0).identity->labels.size(), 2U);
  EXPECT_EQ(s.at(0).identity->labels[0].first, "team");
}

TEST(SessionModes, MinimalLeavesOutRatesEfficiencyAndQuality) {
  OneSession s;
  s.send(0, start_with({.mode = Mode::kMinimal}));
  s.send(1, FileProgressed{.file = "a", .status = kProcessing, .quality = 0.5});
  s.file(2, "a", kCompleted);
  s.send(3, ApiCalled{});
  const Metrics m = s.metrics(3);
  EXPECT_FALSE(m.current_throughput);
  EXPECT_FALSE(m.peak_throughput);
  EXPECT_FALSE(m.average_processing_ms);
  EXPECT_FALSE(m.throughput_history);
  EXPECT_FALSE(m.api_efficiency);
  EXPECT_FALSE(m.quality_score);
  EXPECT_EQ(m.count(kCompleted), 1);
  EXPECT_EQ(m.api_success_rate, 1);
}

TEST(SessionModes, BasicAddsRatesAndEnhancedTheRest) {
  OneSession s;
  s.send(0, start_with({.mode = Mode::kBasic}));
  s.file(1, "a", kProcessing);
  s.file(2, "a", kCompleted);
  s.send(3, ApiCalled{});
  EXPECT_TRUE(s.metrics(3).current_throughput);
  EXPECT_FALSE(s.metrics(3).api_efficiency);
  EXPECT_FALSE(s.metrics(3).quality_score);
  s.send(4, SessionUpdated{{.mode = Mode::kEnhanced}});
  EXPECT_TRUE(s.metrics(4).api_efficiency);
  EXPECT_TRUE(s.metrics(4).quality_score);
}

TEST(SessionModes, ExplicitSwitchesWin) {
  OneSession s;
  SessionFacts facts{.mode = Mode::kMinimal};
  facts.config.quality_tracking = true;
  s.send(0, start_with(facts));
  s.send(1, ApiCalled{});
  EXPECT_TRUE(s.metrics(1).quality_score);
  SessionFacts off;
  off.mode = Mode::kComprehensive;
  off.config.quality_tracking = false;
  s.send(2, SessionUpdated{off});
  EXPECT_FALSE(s.metrics(2).quality_score);
}

// ---- rates

TEST(SessionRates, PeakIsTheAverageWhileNoWindowIsFull) {
  OneSession s;
  s.start(0);
  s.file(10, "a", kCompleted);
  s.file(20, "b", kCompleted);
  EXPECT_DOUBLE_EQ(*s.metrics(30).peak_throughput, 4);
  EXPECT_DOUBLE_EQ(*s.metrics(60).peak_throughput, 2);
}

TEST(SessionRates, ImpactOfRateLimitsIsSharedByAllWorkers) {
  OneSession s;
  s.send(0, start_with({.concurrency = 4}));
  s.send(10, RateLimited{.delay = seconds(8)});
  EXPECT_DOUBLE_EQ(*s.metrics(20).rate_limiting_impact, 0.1);
}

TEST(SessionRates, AChangedWindowCountsFromThenOn) {
  OneSession s;
  s.file(0, "a", kCompleted);
  SessionFacts facts;
  facts.config.throughput_window = seconds(10);
  for (int i = 1; i <= 30; ++i) s.file(i * 10, std::to_string(i), kCompleted);
  s.send(301, SessionUpdated{facts});
  EXPECT_DOUBLE_EQ(*s.metrics(301).current_throughput, 6);
  EXPECT_DOUBLE_EQ(*s.metrics(301).peak_throughput, 6);
}

// ---- the slowest files

TEST(SlowestFiles, AreNamedWhenAskedForTheOldestFirst) {
  progress::Rules rules;
  rules.limits.slowest_files = 2;
  OneSession s(rules);
  for (const auto& [ts, name] : {std::pair{1, "b"}, {0, "a"}, {2, "c"}, {3, "d"}}) {
    FileProgressed e;
    e.file = name;
    e.status = kProcessing;
    e.stage = "parse";
    e.progress = 25;
    s.send(10 + ts, e);
  }
  s.file(14, "b", kCompleted);
  const auto slowest = s.at(20).slowest_files;
  ASSERT_EQ(slowest.size(), 2U);
  EXPECT_EQ(slowest[0].file, "a");
  EXPECT_EQ(slowest[0].stage, "parse");
  EXPECT_DOUBLE_EQ(slowest[0].ratio, 0.25);
  EXPECT_EQ(slowest[0].in_flight, span(10));
  EXPECT_EQ(slowest[1].file, "c");
  s.send(21, SessionEnded{});
  EXPECT_TRUE(s.at(21).slowest_files.empty());

  OneSession silent;
  silent.file(0, "a", kProcessing);
  EXPECT_TRUE(silent.at(1).slowest_files.empty());
}

}  // namespace
}  // namespace agent::progress
