#include "agent/tracker/tracker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tests/fakes/one_tracker.h"

namespace agent::tracker {
namespace {

using fakes::moment;
using fakes::now_at;
using fakes::OneTracker;
using progress::FileProgressed;
using progress::FileStatus;
using progress::SessionUpdated;

TEST(Tracker, ASnapshotIsTheSameValueWhileNothingChangedAndItIsYoung) {
  OneTracker t;
  t.file(0, "s", "a", FileStatus::kProcessing);
  const auto first = t.session(0, "s");
  EXPECT_EQ(t.session(0.9, "s"), first);
  EXPECT_NE(t.session(1, "s"), first);
}

TEST(Tracker, AnEventIsVisibleAtOnce) {
  OneTracker t;
  t.file(0, "s", "a", FileStatus::kProcessing);
  const auto first = t.session(0, "s");
  t.file(0, "s", "a", FileStatus::kCompleted);
  EXPECT_EQ(t.session(0, "s")->metrics.count(FileStatus::kCompleted), 1);
  EXPECT_GT(t.session(0, "s")->version, first->version);
}

TEST(Tracker, ASnapshotNeverChanges) {
  OneTracker t;
  t.file(0, "s", "a", FileStatus::kProcessing);
  const auto before = t.session(0, "s");
  t.file(1, "s", "a", FileStatus::kCompleted);
  EXPECT_EQ(before->metrics.count(FileStatus::kProcessing), 1);
}

TEST(Tracker, TheUpdateIntervalSaysHowOldASilentAnswerMayBe) {
  OneTracker t;
  progress::SessionFacts facts;
  facts.config.update_interval = std::chrono::seconds(10);
  t.send(0, "s", SessionUpdated{facts});
  const auto first = t.session(0, "s");
  EXPECT_EQ(t.session(9.9, "s"), first);
  EXPECT_EQ(t.session(10, "s")->metrics.elapsed, fakes::span(10));
}

TEST(Tracker, AnEndedSessionIsNotRebuilt) {
  OneTracker t;
  t.start(0, "s");
  t.end(1, "s");
  EXPECT_EQ(t.session(1, "s"), t.session(1'000, "s"));
}

TEST(Tracker, AnUnknownSessionHasNoAnswers) {
  OneTracker t;
  EXPECT_EQ(t.session(0, "x"), nullptr);
  EXPECT_FALSE(t.tracker().files("x", {}, 0, 10));
  EXPECT_FALSE(t.tracker().file("x", "a"));
}

TEST(Tracker, TheGenerationRisesWithEveryChange) {
  OneTracker t;
  auto last = t.tracker().generation();
  const auto rose = [&] {
    return t.tracker().generation() > std::exchange(last, t.tracker().generation());
  };
  t.start(0, "s");
  EXPECT_TRUE(rose());
  t.file(1, "s", "a", FileStatus::kPending);
  EXPECT_TRUE(rose());
  EXPECT_FALSE(rose());
  t.tick(3'700);  // stale
  EXPECT_TRUE(rose());
  t.tracker().stop("s", now_at(3'701));
  EXPECT_TRUE(rose());
  t.tracker().clean_up(Duration::zero(), now_at(3'702));
  EXPECT_TRUE(rose());
}

TEST(Tracker, TheLinearEtaFollowsTheContract) {
  OneTracker t;
  progress::SessionStarted start;
  start.facts.total_files = 10;
  t.send(0, "s", start);
  for (int i = 0; i < 4; ++i) t.file(5, "s", "skipped" + std::to_string(i), FileStatus::kSkipped);
  EXPECT_FALSE(
      t.session(5, "s")->eta &&
      t.session(5, "s")->eta->methods[static_cast<std::size_t>(progress::EtaMethod::kLinear)]);
  t.file(30, "s", "a", FileStatus::kCompleted);
  t.file(30, "s", "b", FileStatus::kCompleted);
  const auto s = t.session(40, "s");
  ASSERT_TRUE(s->eta);
  // 4 files remain, 2 took 40 s.
  EXPECT_EQ(s->eta->methods[static_cast<std::size_t>(progress::EtaMethod::kLinear)],
            fakes::span(80));
  t.end(41, "s");
  EXPECT_FALSE(t.session(41, "s")->eta);
}

TEST(Tracker, HardlyAnyProgressGivesAFiniteEta) {
  OneTracker t;
  t.send(0, "s",
         FileProgressed{.file = "a", .status = FileStatus::kProcessing, .progress = 1e-300});
  const auto s = t.session(1'000, "s");
  ASSERT_TRUE(s->eta);
  EXPECT_GT(s->eta->remaining, Duration::zero());
  EXPECT_GT(s->eta->completion, moment(1'000));
}

// ---- files

std::vector<std::string> page_through(Tracker& tracker, std::optional<FileStatus> status,
                                      std::size_t limit) {
  std::vector<std::string> ids;
  std::uint64_t cursor = 0;
  for (;;) {
    const auto page = tracker.files("s", status, cursor, limit);
    EXPECT_LE(page->files.size(), limit);
    for (const auto& f : page->files) ids.push_back(f.file);
    if (!page->next) return ids;
    EXPECT_GT(*page->next, cursor);
    cursor = *page->next;
  }
}

TEST(TrackerFiles, PagesShowEachFileOnceInTheOrderFirstSeen) {
  OneTracker t;
  std::vector<std::string> all, failed;
  for (int i = 0; i < 3'000; ++i) {
    all.push_back("file-" + std::to_string(i) + std::string(static_cast<std::size_t>(i % 60), 'x'));
    if (i % 7 == 0) failed.push_back(all.back());
    t.file(0, "s", all.back(), i % 7 == 0 ? FileStatus::kFailed : FileStatus::kPending);
  }
  for (const std::size_t limit : {std::size_t{1}, std::size_t{7}, std::size_t{1'000}}) {
    EXPECT_EQ(page_through(t.tracker(), {}, limit), all) << limit;
    EXPECT_EQ(page_through(t.tracker(), FileStatus::kFailed, limit), failed) << limit;
  }
}

TEST(TrackerFiles, NewFilesShowUpBehindAnOldCursor) {
  OneTracker t;
  for (const char* id : {"a", "b", "c"}) t.file(0, "s", id, FileStatus::kPending);
  const auto page = t.tracker().files("s", {}, 0, 2);
  ASSERT_TRUE(page->next);
  t.file(1, "s", "d", FileStatus::kPending);
  const auto rest = t.tracker().files("s", {}, *page->next, 10);
  ASSERT_EQ(rest->files.size(), 2U);
  EXPECT_EQ(rest->files[0].file, "c");
  EXPECT_EQ(rest->files[1].file, "d");
  EXPECT_FALSE(rest->next);
}

TEST(TrackerFiles, AnInventedCursorShowsWhatLiesBehindItOrNothing) {
  OneTracker t;
  for (int i = 0; i < 1'000; ++i) t.file(0, "s", std::to_string(i), FileStatus::kPending);
  const auto all = t.tracker().files("s", {}, 0, 2'000)->files.size();
  for (std::uint64_t cursor = 0; cursor < 20'000; cursor += 17) {
    EXPECT_LE(t.tracker().files("s", {}, cursor, 2'000)->files.size(), all);
  }
  for (const std::uint64_t cursor :
       {std::uint64_t{1} << 31U, (std::uint64_t{1} << 32U) - 1, std::uint64_t{1} << 32U,
        std::uint64_t{1} << 63U, std::numeric_limits<std::uint64_t>::max()}) {
    EXPECT_TRUE(t.tracker().files("s", {}, cursor, 10)->files.empty()) << cursor;
  }
}

TEST(TrackerFiles, OneIsFoundByName) {
  OneTracker t;
  t.send(0, "s", FileProgressed{.file = "a", .status = FileStatus::kFailed, .error = "disk full"});
  EXPECT_EQ(t.tracker().file("s", "a")->error, "disk full");
  EXPECT_FALSE(t.tracker().file("s", "b"));
}

// ---- batches and order

progress::SnapshotPtr told_in_batches_of(std::size_t size) {
  Tracker tracker({});
  std::vector<std::string> ids;
  for (int i = 0; i < 50; ++i) ids.push_back(std::to_string(i % 10));
  std::vector<progress::Event> events;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    progress::Event& e = events.emplace_back();
    e.session = "s";
    e.ts = moment(static_cast<double>(i));
    e.fact = FileProgressed{.file = ids[i], .status = static_cast<FileStatus>(i % 4)};
  }
  for (std::size_t i = 0; i < events.size(); i += size) {
    Tracker::Batch batch(tracker, now_at(100));
    for (std::size_t j = i; j < std::min(events.size(), i + size); ++j)
      EXPECT_TRUE(batch.apply(events[j]));
  }
  return tracker.session("s", now_at(100));
}

TEST(TrackerBatches, OneOrManyGiveTheSameSnapshot) {
  const auto one = told_in_batches_of(50);
  for (const std::size_t size : {1U, 2U, 7U}) {
    const auto many = told_in_batches_of(size);
    EXPECT_EQ(many->version, one->version);
    EXPECT_EQ(many->state, one->state);
    EXPECT_EQ(many->metrics.files, one->metrics.files);
    EXPECT_EQ(many->metrics.progress_percentage, one->metrics.progress_percentage);
    EXPECT_EQ(many->metrics.current_throughput, one->metrics.current_throughput);
    EXPECT_EQ(many->metrics.peak_throughput, one->metrics.peak_throughput);
    EXPECT_EQ(many->metrics.average_processing_ms, one->metrics.average_processing_ms);
    EXPECT_EQ(many->counters.files_ended, one->counters.files_ended);
  }
}

TEST(TrackerBatches, TheOrderOfDifferentSessionsDoesNotMatter) {
  OneTracker one_by_one, interleaved;
  const auto send = [](OneTracker& t, double at, const char* session) {
    t.file(at, session, "f" + std::to_string(static_cast<int>(at) % 3),
           static_cast<FileStatus>(static_cast<int>(at) % 4));
  };
  for (const char* session : {"a", "b"}) {
    for (int i = 0; i < 20; ++i) send(one_by_one, i, session);
  }
  for (int i = 0; i < 20; ++i) {
    for (const char* session : {"b", "a"}) send(interleaved, i, session);
  }
  for (const char* session : {"a", "b"}) {
    const auto x = one_by_one.session(30, session);
    const auto y = interleaved.session(30, session);
    EXPECT_EQ(x->metrics.files, y->metrics.files);
    EXPECT_EQ(x->metrics.current_throughput, y->metrics.current_throughput);
    EXPECT_EQ(x->metrics.progress_percentage, y->metrics.progress_percentage);
    EXPECT_EQ(x->counters.files_ended, y->counters.files_ended);
    EXPECT_EQ(x->counters.retries, y->counters.retries);
  }
}

TEST(TrackerBatches, EachHasARevisionOfItsOwn) {
  Tracker tracker({});
  const Revision first = Tracker::Batch(tracker, now_at(0)).revision();
  const Revision second = Tracker::Batch(tracker, now_at(0)).revision();
  EXPECT_GT(second, first);
  EXPECT_GE(tracker.durable(), second);
}

}  // namespace
}  // namespace agent::tracker
