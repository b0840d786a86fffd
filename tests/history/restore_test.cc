// What storage keeps of the tracker, and how it comes back: whatever happened and whenever it was
// saved, a tracker that begins with what was saved answers as the one that was never stopped, and
// goes on as it does.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "agent/progress/changes.h"
#include "agent/tracker/tracker.h"
#include "tests/fakes/memory_storage.h"
#include "tests/fakes/random_job.h"
#include "tests/fakes/snapshot_text.h"

namespace agent::tracker {
namespace {

using namespace progress;
using fakes::RandomJob;
using Memory = fakes::MemoryStorage;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Instant kStart = RandomJob::kStart;

Now after(Duration d) { return {kStart + d, SteadyInstant(std::chrono::hours(5)) + d}; }

// All that anybody can see.
std::string everything(Tracker& tracker, Now at, bool with_past = true) {
  std::string text;
  for (const SnapshotPtr& snapshot : tracker.view(at).sessions) {
    text += fakes::text_of(*snapshot, with_past) + '\n';
    const auto files = tracker.files(snapshot->id(), std::nullopt, 0, 10'000);
    for (const FileSnapshot& file : files->files) text += fakes::text_of(file) + '\n';
  }
  for (const char* producer : {"p1", "p2", "p3"})
    text += std::to_string(tracker.last_seq(producer)) + ' ';
  return text;
}

class Restored : public testing::TestWithParam<unsigned> {
 protected:
  void run(int steps, std::initializer_list<std::pair<Tracker*, Memory*>> trackers) {
    for (int i = 0; i < steps; ++i) {
      time_ += milliseconds(random_() % 800);
      const auto chance = [&](unsigned of) { return random_() % of == 0; };
      const bool commits = chance(3), stops = chance(50), ticks = chance(50), cleans = chance(90);
      const bool restores = chance(30);
      const auto seed = static_cast<unsigned>(random_());
      for (const auto& [tracker, memory] : trackers) {
        RandomJob(seed).step(*tracker, after(time_));
        if (restores) {
          EXPECT_NE(Restoring::kDamaged, tracker->restore_more());
        }
        if (commits) memory->commit(*tracker, after(time_));
        if (stops) tracker->stop("session-3", after(time_));
        if (ticks) tracker->tick(after(time_ + seconds(3'600)));
        if (cleans) tracker->clean_up(seconds(30), after(time_));
      }
    }
    for (const auto& [tracker, memory] : trackers) memory->commit(*tracker, after(time_));
  }

  std::mt19937 random_{GetParam()};
  Duration time_{};
};

TEST_P(Restored, AnswersAndGoesOnAsIfNeverStopped) {
  Tracker original({}), restored({}), again({});
  for (Tracker* tracker : {&original, &restored, &again}) tracker->keep_changes([] {}, after({}));
  Memory memory;
  run(250, {{&original, &memory}});
  ASSERT_TRUE(memory.restore_into(restored, after(time_)));
  EXPECT_EQ(original.durable(), restored.durable());
  EXPECT_EQ(original.totals().files, restored.totals().files);

  Memory second = memory;
  const int more = GetParam() % 2 == 0 ? 100 : 0;
  run(more, {{&original, &memory}, {&restored, &second}});
  ASSERT_TRUE(second.restore_into(again, after(time_)));
  time_ += seconds(2);  // older than any answer that is given again
  const std::string expected = everything(original, after(time_), more == 0);
  EXPECT_EQ(expected, everything(restored, after(time_), more == 0));
  EXPECT_EQ(expected, everything(again, after(time_), more == 0));
}

INSTANTIATE_TEST_SUITE_P(Random, Restored, testing::Range(1U, 41U));

Event counted(std::int64_t completed) {
  Event event;
  event.session = "s";
  CountsReported counts;
  counts.completed = completed;
  counts.total = 100;
  event.fact = counts;
  return event;
}

// A job of 200 files on four workers; each takes about six seconds in two stages. It stands still
// from 100 s to 160 s.
class Job {
 public:
  explicit Job(const char* session) : session_(session) {}

  // What happens in second `t`.
  void step(Tracker& tracker, int t) const {
    const int worked = t < 100 ? t : std::max(100, t - 60);
    if (t == 0) start(tracker, t);
    if (t == 100) apply(tracker, t, SessionPaused{});
    if (t == 160) apply(tracker, t, SessionResumed{});
    if (worked != (t < 100 ? t : t - 60)) return;
    for (int worker = 0; worker < 4; ++worker) {
      const int phase = (worked + worker) % 6, number = (worked + worker) / 6 * 4 + worker;
      if (number >= 200) continue;
      if (phase == 0) file(tracker, t, number, FileStatus::kProcessing, "read");
      if (phase == 2) file(tracker, t, number, FileStatus::kProcessing, "write");
      if (phase == 5) file(tracker, t, number, FileStatus::kCompleted, "write");
    }
    if (worked == 300) apply(tracker, t, SessionEnded{});
  }
  static constexpr int kSeconds = 361;

 private:
  void apply(Tracker& tracker, int t, Fact fact) const {
    Tracker::Batch batch(tracker, after(seconds(t)));
    Event event;
    event.session = session_;
    event.ts = kStart + seconds(t);
    event.fact = std::move(fact);
    ASSERT_TRUE(batch.apply(event));
  }
  void start(Tracker& tracker, int t) const {
    SessionStarted started;
    started.facts.family = "nightly";
    started.facts.total_files = 200;
    apply(tracker, t, started);
  }
  void file(Tracker& tracker, int t, int number, FileStatus status, const char* stage) const {
    const std::string id = "file-" + std::to_string(number);
    FileProgressed progressed;
    progressed.file = id;
    progressed.status = status;
    progressed.stage = stage;
    apply(tracker, t, progressed);
  }
  const char* session_;
};

Forecast forecast(Tracker& tracker, const char* session, int t) {
  const SnapshotPtr snapshot = tracker.session_at(session, after(seconds(t)));
  EXPECT_TRUE(snapshot && snapshot->eta) << session << ' ' << t;
  return snapshot && snapshot->eta ? *snapshot->eta : Forecast{};
}

TEST(Storage, ForecastsGoOnAfterARestart) {
  for (const int stop : {30, 90, 130, 200, 300}) {
    Tracker original({}), restored({});
    for (Tracker* tracker : {&original, &restored}) tracker->keep_changes([] {}, after({}));
    Memory memory;
    const Job job("s");
    for (int t = 0; t < stop; ++t) {
      job.step(original, t);
      (void)original.session_at("s", after(seconds(t)));
      memory.commit(original, after(seconds(t)));
    }
    ASSERT_TRUE(memory.restore_into(restored, after(seconds(stop))));
    for (int t = stop; t + 1 < Job::kSeconds; ++t) {
      job.step(original, t);
      job.step(restored, t);
      const Forecast expected = forecast(original, "s", t), found = forecast(restored, "s", t);
      const double total = t + expected.remaining.count();
      EXPECT_NEAR(expected.remaining.count(), found.remaining.count(), 0.01 * total)
          << "at " << t << " after a restart at " << stop;
      EXPECT_NEAR(expected.low.count(), found.low.count(), 0.05 * total);
      EXPECT_NEAR(expected.high.count(), found.high.count(), 0.05 * total);
      EXPECT_EQ(expected.method, found.method);
    }
  }
}

TEST(Storage, WhatAFamilyLearnedIsKept) {
  Tracker original({}), restored({});
  for (Tracker* tracker : {&original, &restored}) tracker->keep_changes([] {}, after({}));
  Memory memory;
  const Job first("first"), second("second");
  for (int t = 0; t < Job::kSeconds; ++t) {
    first.step(original, t);
    (void)original.session_at("first", after(seconds(t)));
  }
  memory.commit(original, after(seconds(Job::kSeconds)));
  ASSERT_TRUE(memory.restore_into(restored, after(seconds(Job::kSeconds))));
  for (int t = 0; t < 50; ++t) {
    for (Tracker* tracker : {&original, &restored}) second.step(*tracker, t);
    const Forecast expected = forecast(original, "second", t + 1);
    const Forecast found = forecast(restored, "second", t + 1);
    ASSERT_EQ(expected.remaining, found.remaining) << t;
    ASSERT_TRUE(found.historical_accuracy);
    ASSERT_EQ(expected.historical_accuracy, found.historical_accuracy);
  }
}

TEST(Storage, RemembersWhatWasScraped) {
  Tracker original({});
  original.keep_changes([] {}, after({}));
  Memory memory;
  {
    Tracker::Batch batch(original, after(seconds(0)));
    Event event;
    event.fact = SessionEnded{};
    for (const char* name : {"scraped", "unseen"}) {
      event.session = name;
      ASSERT_TRUE(batch.apply(event));
    }
  }
  memory.commit(original, after(seconds(0)));
  View view = original.view(after(seconds(1)));
  std::erase_if(view.sessions, [](const auto& s) { return s->id() == "unseen"; });
  original.mark_scraped(view);
  memory.commit(original, after(seconds(1)));

  Tracker restored({});
  restored.keep_changes([] {}, after({}));
  ASSERT_TRUE(memory.restore_into(restored, after(seconds(2))));
  restored.tick(after(seconds(3)));
  EXPECT_EQ(2U, restored.view(after(seconds(3))).sessions.size());
  restored.tick(after(std::chrono::minutes(16)));
  EXPECT_EQ(nullptr, restored.session("scraped", after(std::chrono::minutes(16))));
  EXPECT_NE(nullptr, restored.session("unseen", after(std::chrono::minutes(16))));
}

TEST(Storage, TimeWithoutTheAgentIsNoSilence) {
  Tracker original({});
  original.keep_changes([] {}, after({}));
  Memory memory;
  {
    Tracker::Batch batch(original, after(seconds(0)));
    ASSERT_TRUE(batch.apply(counted(1)));
  }
  memory.commit(original, after(seconds(0)));
  Tracker restored({});
  restored.keep_changes([] {}, after({}));
  const Now later = after(std::chrono::hours(30));
  ASSERT_TRUE(memory.restore_into(restored, later));
  restored.tick(later);
  EXPECT_FALSE(is_ended(restored.session("s", later)->state));
  EXPECT_NE(SessionState::kStale, restored.session("s", later)->state);
  EXPECT_EQ(std::chrono::hours(30), restored.session("s", later)->metrics.elapsed);
}

TEST(Storage, DamagedBytesAreRefusedOrAreLeftOutAndTold) {
  Tracker original({});
  original.keep_changes([] {}, after({}));
  Memory memory;
  for (unsigned i = 0; i < 40; ++i) {
    RandomJob(i).step(original, after(seconds(i)));
    memory.commit(original, after(seconds(i)));
  }
  const std::size_t all = original.totals().sessions;
  std::mt19937 random(7);
  int refused = 0, told = 0;
  for (int i = 0; i < 400; ++i) {
    Memory damaged = memory;
    std::string& changes = damaged.commits[random() % damaged.commits.size()];
    if (i % 2 == 0) {
      changes[random() % changes.size()] ^= static_cast<char>(1U << random() % 8);
    } else {
      changes.resize(random() % changes.size());
    }
    Tracker tracker({});
    tracker.keep_changes([] {}, after({}));
    const bool taken = damaged.restore_into(tracker, after(seconds(50)));
    const std::size_t shown = tracker.view(after(seconds(50))).sessions.size();
    EXPECT_EQ(tracker.totals().sessions, shown);
    if (!taken) {
      ++refused;
      EXPECT_EQ(0U, shown);
    } else if (tracker.restore_more() == Restoring::kDamaged) {
      ++told;
      EXPECT_LT(shown, all);
      EXPECT_EQ(Restoring::kDone, tracker.restore_more());
    } else {
      EXPECT_EQ(all, shown);
    }
  }
  EXPECT_GT(refused, 150);
  EXPECT_GT(told, 10);
}

TEST(Storage, ShowsOnlyWhatIsCommitted) {
  Tracker tracker({});
  tracker.keep_changes([] {}, after({}));
  Packer packer;
  Revision first = 0;
  {
    Tracker::Batch batch(tracker, after(seconds(1)));
    ASSERT_TRUE(batch.apply(counted(1)));
    first = batch.revision();
  }
  EXPECT_TRUE(tracker.durable_means_committed());
  EXPECT_LT(tracker.durable(), first);
  EXPECT_TRUE(tracker.view(after(seconds(1))).sessions.empty());

  ASSERT_EQ(first, tracker.checkpoint(packer, after(seconds(1))));
  EXPECT_TRUE(tracker.view(after(seconds(1))).sessions.empty());
  {
    Tracker::Batch batch(tracker, after(seconds(2)));
    ASSERT_TRUE(batch.apply(counted(2)));
  }
  tracker.committed();
  EXPECT_EQ(first, tracker.durable());
  const auto completed = [&] {
    return tracker.session("s", after(seconds(2)))->counters.files_ended[0];
  };
  EXPECT_EQ(1, completed());

  tracker.storage_fails(true);
  EXPECT_EQ(2, completed());
  EXPECT_EQ(first, tracker.durable());
  tracker.storage_fails(false);
  ASSERT_TRUE(tracker.checkpoint(packer, after(seconds(3))));
  tracker.committed();
  EXPECT_EQ(2, completed());
  EXPECT_EQ(first + 1, tracker.durable());
}

// To answer for all of them in one commit would hold up events.
TEST(Storage, AnswersForVeryManySessionsTakeTurns) {
  constexpr int kSessions = 5'000;
  Tracker tracker({});
  tracker.keep_changes([] {}, after({}));
  Memory memory;
  const auto count = [&](std::int64_t n, Duration at) {
    Tracker::Batch batch(tracker, after(at));
    for (int i = 0; i < kSessions; ++i) {
      Event event = counted(n);
      const std::string session = std::to_string(i);
      event.session = session;
      ASSERT_TRUE(batch.apply(event));
    }
  };
  const auto shown = [&](std::int64_t n, Duration at) {
    return std::ranges::count_if(tracker.view(after(at)).sessions, [&](const auto& session) {
      return session->counters.files_ended[0] >= n;
    });
  };
  count(1, seconds(0));
  memory.commit(tracker, after(seconds(0)));
  EXPECT_EQ(kSessions, shown(1, seconds(0)));  // each has its first answer at once
  std::int64_t n = 2;
  for (const int expected : {2'000, 4'000, kSessions}) {
    const Duration at = seconds(2) + n * milliseconds(100);
    count(n, at);
    memory.commit(tracker, after(at));
    count(++n, at);  // so that what is shown is what was committed
    EXPECT_EQ(expected, shown(2, at));
  }
  memory.commit(tracker, after(seconds(3)));
  EXPECT_EQ(kSessions, shown(n, seconds(3)));
}

TEST(Storage, WakesOnceAfterAnEmptyCheckpoint) {
  int woken = 0;
  Tracker tracker({});
  tracker.keep_changes([&] { ++woken; }, after({}));
  Packer packer;
  const auto event = [&](std::int64_t n) {
    Tracker::Batch batch(tracker, after(seconds(n)));
    EXPECT_TRUE(batch.apply(counted(n)));
  };
  event(1);
  EXPECT_EQ(0, woken);
  ASSERT_TRUE(tracker.checkpoint(packer, after(seconds(1))));
  tracker.committed();
  EXPECT_FALSE(tracker.checkpoint(packer, after(seconds(1))));
  event(2);
  event(3);
  EXPECT_EQ(1, woken);
}

TEST(Storage, AfterForgettingEverythingIsSavedAgain) {
  Tracker original({});
  original.keep_changes([] {}, after({}));
  Memory lost;
  for (unsigned i = 0; i < 60; ++i) {
    RandomJob(i).step(original, after(seconds(i)));
    lost.commit(original, after(seconds(i)));
  }
  original.stop("session-1", after(seconds(60)));
  lost.commit(original, after(seconds(60)));
  original.forget_saved();
  Memory anew;
  anew.commit(original, after(seconds(60)));
  Tracker restored({});
  restored.keep_changes([] {}, after({}));
  ASSERT_TRUE(anew.restore_into(restored, after(seconds(60))));
  EXPECT_EQ(everything(original, after(seconds(60))), everything(restored, after(seconds(60))));
  Tracker::Batch batch(restored, after(seconds(61)));
  Event event;
  event.session = "session-1";
  event.fact = SessionPaused{};
  EXPECT_EQ(RejectReason::kSessionStopped, batch.apply(event).error().reason);
}

}  // namespace
}  // namespace agent::tracker
