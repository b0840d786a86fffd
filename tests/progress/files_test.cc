// What events do to files: the contract, section 3, "Rules that decide totals and ETAs".

#include "agent/progress/files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "tests/fakes/one_session.h"

namespace agent::progress {
namespace {

using enum FileStatus;
using fakes::moment;
using fakes::OneSession;
using fakes::span;

TEST(Files, TheFirstEventThatNamesAFileRegistersIt) {
  OneSession s;
  s.file(0, "a", kProcessing);
  EXPECT_EQ(s.count(kProcessing), 1);
  EXPECT_EQ(s.session().total_files(), 1);
}

TEST(Files, ANewFileWithoutStatusIsPending) {
  OneSession s;
  s.send(0, FileProgressed{.file = "a", .bytes = 10});
  EXPECT_EQ(s.count(kPending), 1);
}

TEST(Files, AnEventWithoutStatusKeepsTheState) {
  OneSession s;
  s.file(0, "a", kProcessing);
  s.send(1, FileProgressed{.file = "a", .progress = 40.0});
  EXPECT_EQ(s.file_named("a").status, kProcessing);
  s.file(2, "a", kFailed);
  s.send(3, FileProgressed{.file = "a", .error = "disk full"});
  EXPECT_EQ(s.file_named("a").status, kFailed);
  EXPECT_EQ(s.file_named("a").error, "disk full");
}

TEST(Files, AreCountedInExactlyOneState) {
  OneSession s;
  for (const FileStatus status :
       {kPending, kProcessing, kCompleted, kFailed, kSkipped, kCancelled}) {
    s.file(1, name_of(status), kProcessing);
    s.file(2, name_of(status), status);
  }
  for (const FileStatus status : {kPending, kProcessing, kCompleted, kFailed, kSkipped, kCancelled})
    EXPECT_EQ(s.count(status), 1) << name_of(status);
}

TEST(Files, AnOlderEventIsStaleAndChangesNothing) {
  OneSession s;
  s.file(10, "a", kProcessing);
  const auto applied = s.send(9, FileProgressed{.file = "a", .status = kCompleted, .tokens = 5});
  EXPECT_EQ(*applied, Applied::kStale);
  EXPECT_EQ(s.file_named("a").status, kProcessing);
  EXPECT_EQ(s.at(10).counters.tokens(), 0);
  EXPECT_EQ(s.at(10).stale_events, 1U);
}

TEST(Files, AnOlderEventOfAnotherFileIsNotStale) {
  OneSession s;
  s.file(10, "a", kProcessing);
  EXPECT_EQ(*s.file(9, "b", kCompleted), Applied::kApplied);
  EXPECT_EQ(s.file_named("b").status, kCompleted);
}

TEST(Files, AnEventOlderThanTheAnnouncementIsNotStale) {
  OneSession s;
  s.announce(10, {{.file = "a"}});
  EXPECT_EQ(*s.file(9, "a", kProcessing), Applied::kApplied);
}

TEST(Files, AtEqualTimesTheStrongerStateWinsInEitherOrder) {
  constexpr std::array kByStrength = {kPending, kProcessing, kCancelled,
                                      kSkipped, kFailed,     kCompleted};
  for (std::size_t weak = 0; weak < kByStrength.size(); ++weak) {
    for (std::size_t strong = weak; strong < kByStrength.size(); ++strong) {
      OneSession first;
      first.file(1, "a", kByStrength[weak]);
      first.file(1, "a", kByStrength[strong]);
      EXPECT_EQ(first.file_named("a").status, kByStrength[strong]) << weak << ' ' << strong;
      OneSession last;
      last.file(1, "a", kByStrength[strong]);
      last.file(1, "a", kByStrength[weak]);
      EXPECT_EQ(last.file_named("a").status, kByStrength[strong]) << weak << ' ' << strong;
    }
  }
}

TEST(Files, AtEqualTimesTheLargerProgressWins) {
  OneSession s;
  s.send(1, FileProgressed{.file = "a", .status = kProcessing, .progress = 60.0});
  s.send(1, FileProgressed{.file = "a", .status = kProcessing, .progress = 30.0});
  EXPECT_EQ(s.file_named("a").progress, 60);
  s.send(1, FileProgressed{.file = "a", .status = kFailed});
  s.send(1, FileProgressed{.file = "a", .status = kProcessing, .progress = 80.0});
  EXPECT_EQ(s.file_named("a").progress, 80);
}

TEST(Files, AStateToldEarlierDoesNotBeatOneToldAtTheInstantOfAMereUpdate) {
  for (const bool update_first : {true, false}) {
    OneSession s;
    s.file(5, "a", kCompleted);
    const FileProgressed update{.file = "a", .quality = 0.5};
    if (update_first) s.send(7, update);
    s.file(7, "a", kProcessing);
    if (!update_first) s.send(7, update);
    EXPECT_EQ(s.file_named("a").status, kProcessing) << update_first;
  }
}

TEST(Files, NoTimingIsEverNegative) {
  OneSession s;
  s.file(5, "a", kCompleted);
  s.send(7, FileProgressed{.file = "a", .quality = 0.5});
  s.file(7, "a", kProcessing);
  s.file(7, "a", kCompleted);
  EXPECT_GE(s.metrics(7).average_processing_ms.value_or(0), 0);
}

TEST(Files, TheWeakerOfTwoReportsOfOneInstantStillTellsAmountsAndSizes) {
  OneSession s;
  s.file(1, "a", kCompleted);
  s.send(1, FileProgressed{.file = "a",
                           .status = kProcessing,
                           .bytes = 100,
                           .tokens = 7,
                           .units = 3.0,
                           .quality = 0.5});
  const FileSnapshot a = s.file_named("a");
  EXPECT_EQ(a.status, kCompleted);
  EXPECT_EQ(a.bytes, 100);
  EXPECT_EQ(a.bytes_done, 100);
  EXPECT_EQ(a.units, 3);
  EXPECT_EQ(a.tokens, 7);
  EXPECT_EQ(a.quality, 0.5);
  EXPECT_EQ(s.at(1).file_bytes.count(), 1U);
  EXPECT_EQ(s.changes.entries().back().change.bytes_to, 100);
}

TEST(Files, DuplicatesChangeNothing) {
  OneSession s;
  const FileProgressed done{
      .file = "a", .status = kCompleted, .bytes = 100, .tokens = 7, .cost = 0.5, .quality = 0.9};
  s.file(1, "a", kProcessing);
  s.send(2, done);
  const SessionSnapshot once = s.at(2);
  s.send(2, done);
  s.file(1, "a", kProcessing);
  const SessionSnapshot again = s.at(2);
  EXPECT_EQ(again.metrics.files, once.metrics.files);
  EXPECT_EQ(again.counters.files_ended, once.counters.files_ended);
  EXPECT_EQ(again.counters.bytes, once.counters.bytes);
  EXPECT_EQ(again.counters.tokens(), once.counters.tokens());
  EXPECT_EQ(again.counters.cost, once.counters.cost);
  EXPECT_EQ(again.metrics.quality_score, once.metrics.quality_score);
  EXPECT_EQ(again.file_seconds[0].count(), 1U);
}

TEST(Files, ANewerProcessingReopensAnyFinalFile) {
  for (const FileStatus final : {kCompleted, kFailed, kSkipped, kCancelled}) {
    OneSession s;
    s.send(1, FileProgressed{.file = "a", .status = kProcessing, .progress = 70.0});
    s.file(2, "a", final);
    s.file(3, "a", kProcessing);
    EXPECT_EQ(s.file_named("a").status, kProcessing) << name_of(final);
    EXPECT_EQ(s.file_named("a").progress, 0) << name_of(final);
    EXPECT_EQ(s.file_named("a").tries, 2) << name_of(final);
  }
}

TEST(Files, OnlyFailedToProcessingIsARetry) {
  for (const FileStatus final : {kCompleted, kFailed, kSkipped, kCancelled}) {
    OneSession s;
    s.file(1, "a", kProcessing);
    s.file(2, "a", final);
    s.file(3, "a", kProcessing);
    EXPECT_EQ(s.file_named("a").retries, final == kFailed ? 1 : 0) << name_of(final);
    EXPECT_EQ(s.metrics(3).retry_count, final == kFailed ? 1 : 0) << name_of(final);
  }
}

TEST(Files, RetriesAreTheLargerOfReportedAndSeen) {
  OneSession s;
  s.file(1, "a", kProcessing);
  s.send(2, FileProgressed{.file = "a", .status = kFailed, .retries = 3});
  s.file(3, "a", kProcessing);  // one seen, three reported
  EXPECT_EQ(s.file_named("a").retries, 3);
  for (int i = 0; i < 3; ++i) {  // four seen
    s.file(4 + 2 * i, "a", kFailed);
    s.file(5 + 2 * i, "a", kProcessing);
  }
  EXPECT_EQ(s.file_named("a").retries, 4);
  EXPECT_EQ(s.metrics(10).retry_count, 4);
}

TEST(Files, ARetryReportedWithItsFailureIsNotCountedAgainWhenItBegins) {
  OneSession s;
  s.file(1, "a", kProcessing);
  s.send(2, FileProgressed{.file = "a", .status = kFailed, .retries = 1});
  s.file(3, "a", kProcessing);
  EXPECT_EQ(s.file_named("a").retries, 1);
}

TEST(Files, ProgressOnlyRisesWithinATry) {
  OneSession s;
  s.send(1, FileProgressed{.file = "a", .status = kProcessing, .progress = 60.0});
  s.send(2, FileProgressed{.file = "a", .progress = 20.0});
  EXPECT_EQ(s.file_named("a").progress, 60);
}

TEST(Files, ProgressIsTakenFromBytesWhenItIsNotTold) {
  OneSession s;
  s.send(1, FileProgressed{.file = "a", .status = kProcessing, .bytes = 200, .bytes_done = 50});
  EXPECT_EQ(s.file_named("a").progress, 25);
  s.send(2, FileProgressed{.file = "a", .bytes_done = 400});
  EXPECT_EQ(s.file_named("a").progress, 100);
}

TEST(Files, BytesDoneAreAShareOnceTheSizeIsKnown) {
  OneSession s;
  s.send(1, FileProgressed{.file = "a", .status = kProcessing, .bytes_done = 50});
  EXPECT_EQ(s.file_named("a").progress, 0);
  s.send(2, FileProgressed{.file = "a", .bytes = 200});
  EXPECT_EQ(s.file_named("a").progress, 25);
}

TEST(Files, ToldProgressGoesBeforeBytes) {
  OneSession s;
  s.send(1,
         FileProgressed{
             .file = "a", .status = kProcessing, .progress = 10.0, .bytes = 200, .bytes_done = 50});
  EXPECT_EQ(s.file_named("a").progress, 10);
}

TEST(Files, AmountsAreRunningTotalsThatOnlyRise) {
  OneSession s;
  s.send(1, FileProgressed{.file = "a", .status = kProcessing, .tokens = 100, .cost = 0.2});
  s.send(2, FileProgressed{.file = "a", .tokens = 60, .cost = 0.1});
  s.send(3, FileProgressed{.file = "a", .tokens = 150, .cost = 0.3});
  EXPECT_EQ(s.file_named("a").tokens, 150);
  EXPECT_EQ(s.metrics(3).total_tokens, 150);
  EXPECT_DOUBLE_EQ(s.metrics(3).estimated_cost, 0.3);
}

TEST(Files, ANewTryStartsAmountsAgainAndAddsThemToTheSession) {
  OneSession s;
  s.file(0, "a", kProcessing);
  s.send(1, FileProgressed{.file = "a", .status = kFailed, .bytes_done = 30, .tokens = 100});
  s.send(2, FileProgressed{.file = "a", .status = kProcessing, .bytes_done = 10, .tokens = 40});
  EXPECT_EQ(s.file_named("a").tokens, 40);
  EXPECT_EQ(s.file_named("a").bytes_done, 10);
  EXPECT_EQ(s.metrics(2).total_tokens, 140);
  EXPECT_EQ(s.at(2).counters.bytes, 40);
}

TEST(Files, AllBytesAreDoneOnCompletion) {
  OneSession s;
  s.send(1, FileProgressed{.file = "a", .status = kProcessing, .bytes = 100, .bytes_done = 40});
  s.file(2, "a", kCompleted);
  EXPECT_EQ(s.file_named("a").bytes_done, 100);
  EXPECT_EQ(s.at(2).counters.bytes, 100);
}

TEST(Files, AllBytesAreDoneWhenTheSizeOfACompletedFileIsLearnedLate) {
  OneSession s;
  s.file(1, "a", kCompleted);
  s.announce(2, {{.file = "a", .bytes = 100}});
  EXPECT_EQ(s.file_named("a").bytes_done, 100);
  EXPECT_EQ(s.at(2).counters.bytes, 100);
}

TEST(Files, TokensOfAPricedModelAreCosted) {
  Rules rules;
  rules.pricing.emplace(
      "gpt", Price{.input_per_million = 2, .output_per_million = 8, .cached_per_million = {}});
  OneSession s(rules);
  s.send(1,
         FileProgressed{.file = "a", .status = kProcessing, .tokens = 1'000'000, .model = "gpt"});
  EXPECT_DOUBLE_EQ(s.metrics(1).estimated_cost, 2);
  s.send(2, FileProgressed{.file = "a", .tokens = 1'500'000});
  EXPECT_DOUBLE_EQ(s.metrics(2).estimated_cost, 3);
  s.send(3, FileProgressed{.file = "b", .tokens = 1'000'000, .cost = 9.0, .model = "gpt"});
  EXPECT_DOUBLE_EQ(s.metrics(3).estimated_cost, 12);  // a told cost goes before the price list
  s.send(4, FileProgressed{.file = "c", .tokens = 1'000'000, .model = "unpriced"});
  EXPECT_DOUBLE_EQ(s.metrics(4).estimated_cost, 12);
}

TEST(Files, ProcessingTimeIsFinalStateLessFirstProcessing) {
  OneSession s;
  s.file(0, "a", kPending);
  s.file(10, "a", kProcessing);
  s.send(20, FileProgressed{.file = "a", .progress = 50.0});
  s.file(25, "a", kProcessing);
  s.file(40, "a", kCompleted);
  s.file(41, "unprocessed", kCompleted);
  s.file(41, "failed", kProcessing);
  s.file(99, "failed", kFailed);
  EXPECT_DOUBLE_EQ(*s.metrics(99).average_processing_ms, 30'000);
  EXPECT_EQ(s.at(99).file_seconds[0].count(), 1U);
  EXPECT_DOUBLE_EQ(s.at(99).file_seconds[1].sum(), 58);
}

TEST(Files, TheLastToldQualityOfEachFileCounts) {
  OneSession s;
  s.send(1, FileProgressed{.file = "a", .quality = 0.2});
  s.send(2, FileProgressed{.file = "a", .quality = 0.8});
  s.send(3, FileProgressed{.file = "b", .quality = 0.4});
  EXPECT_EQ(s.session().files().tally().quality_count, 2);
  EXPECT_NEAR(s.session().files().tally().quality_sum, 1.2, 1e-12);
}

TEST(Files, StagesAreTimedFromOneToTheNext) {
  OneSession s;
  s.send(0, FileProgressed{.file = "a", .status = kProcessing, .stage = "parse"});
  s.send(3, FileProgressed{.file = "a", .stage = "parse"});
  s.send(10, FileProgressed{.file = "a", .stage = "embed"});
  s.file(15, "a", kCompleted);
  const auto stages = s.at(15).stages;
  ASSERT_EQ(stages.size(), 2U);
  EXPECT_EQ(stages[0].stage, "parse");
  EXPECT_DOUBLE_EQ(stages[0].seconds.sum(), 10);
  EXPECT_EQ(stages[1].stage, "embed");
  EXPECT_DOUBLE_EQ(stages[1].seconds.sum(), 5);
}

TEST(Files, AsManyStagesAreKeptApartAsTheRulesAllow) {
  Rules rules;
  rules.limits.max_label_values = 2;
  OneSession s(rules);
  double at = 0;
  for (const char* stage : {"a", "b", "c", "d"}) {
    s.send(++at, FileProgressed{.file = "f", .status = kProcessing, .stage = stage});
  }
  s.file(9, "f", kCompleted);
  const auto stages = s.at(9).stages;
  ASSERT_EQ(stages.size(), 3U);
  EXPECT_EQ(stages[1].stage, "b");
  EXPECT_EQ(stages[2].stage, "other");
}

TEST(Files, AnAnnouncementRegistersPendingFilesWithSizes) {
  OneSession s;
  s.announce(0, {{.file = "a", .bytes = 100}, {.file = "b", .bytes = 300, .units = 2.0}});
  EXPECT_EQ(s.count(kPending), 2);
  EXPECT_EQ(s.file_named("b").bytes, 300);
  EXPECT_EQ(s.at(0).file_bytes.count(), 2U);
  s.file(1, "a", kCompleted);
  EXPECT_DOUBLE_EQ(s.percentage(), 25);
}

TEST(Files, AnAnnouncementKeepsTheStateOfAKnownFile) {
  OneSession s;
  s.file(0, "a", kProcessing);
  s.announce(1, {{.file = "a", .bytes = 100}});
  EXPECT_EQ(s.file_named("a").status, kProcessing);
  EXPECT_EQ(s.file_named("a").bytes, 100);
}

TEST(Files, AnOldAnnouncementAddsOnlyWhatWasNotKnown) {
  OneSession s;
  s.send(5, FileProgressed{.file = "a", .status = kProcessing, .bytes = 100});
  s.announce(1, {{.file = "a", .bytes = 70, .units = 2.0}});
  EXPECT_EQ(s.file_named("a").bytes, 100);
  EXPECT_EQ(s.file_named("a").units, 2);
}

TEST(Files, ALearnedSizeIsObservedOnce) {
  OneSession s;
  s.announce(0, {{.file = "a", .bytes = 100}});
  s.send(1, FileProgressed{.file = "a", .status = kProcessing, .bytes = 100});
  s.send(2, FileProgressed{.file = "a", .status = kCompleted, .bytes = 120});
  EXPECT_EQ(s.at(2).file_bytes.count(), 1U);
}

TEST(Files, ErrorsAreCut) {
  OneSession s;
  const std::string error(10'000, 'e');
  s.send(0, FileProgressed{.file = "a", .status = kFailed, .error = error});
  EXPECT_EQ(s.file_named("a").error.size(), 256U);
}

TEST(Files, TheOldestInFlightIsKnownAsFilesComeAndGo) {
  OneSession s;
  EXPECT_FALSE(s.start(0).value() == Applied::kStale);
  EXPECT_FALSE(s.at(0).oldest_in_flight);
  s.file(1, "a", kProcessing);
  s.file(2, "b", kProcessing);
  s.file(3, "c", kProcessing);
  EXPECT_EQ(s.at(10).oldest_in_flight, span(9));
  s.file(10, "a", kCompleted);
  EXPECT_EQ(s.at(10).oldest_in_flight, span(8));
  s.file(11, "c", kFailed);
  EXPECT_EQ(s.at(11).oldest_in_flight, span(9));
  s.file(12, "b", kSkipped);
  EXPECT_FALSE(s.at(12).oldest_in_flight);
}

TEST(Files, ConcurrencyIsTheMostProcessingAtOnce) {
  OneSession s;
  s.file(0, "a", kPending);
  EXPECT_EQ(s.session().concurrency(), 1);
  s.file(1, "a", kProcessing);
  s.file(1, "b", kProcessing);
  s.file(1, "c", kProcessing);
  s.file(2, "a", kCompleted);
  s.file(2, "b", kCompleted);
  EXPECT_EQ(s.session().concurrency(), 3);
}

TEST(Files, ObserversAreToldOfStatesStagesAndSizesButNotOfMereProgress) {
  OneSession s;
  s.send(0, FileProgressed{.file = "a", .status = kProcessing, .stage = "parse"});
  s.send(1, FileProgressed{.file = "a", .progress = 10.0});
  s.send(2, FileProgressed{.file = "a", .stage = "embed"});
  s.send(3, FileProgressed{.file = "a", .bytes = 100});
  s.file(4, "a", kCompleted);
  s.file(5, "a", kProcessing);
  const auto& told = s.changes.entries();
  ASSERT_EQ(told.size(), 5U);
  EXPECT_TRUE(told[0].change.is_new);
  EXPECT_EQ(told[0].change.to, kProcessing);
  EXPECT_NE(told[1].change.stage_from, told[1].change.stage_to);
  EXPECT_FALSE(told[2].change.bytes_from);
  EXPECT_EQ(told[2].change.bytes_to, 100);
  EXPECT_EQ(told[3].change.to, kCompleted);
  EXPECT_EQ(told[3].change.started, moment(0));
  EXPECT_TRUE(told[4].change.new_try);
}

}  // namespace
}  // namespace agent::progress
