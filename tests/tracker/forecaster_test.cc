// A session and its ETA over a restart: both come back from their bytes, and foretell what they
// would have foretold.
#include "agent/tracker/forecaster.h"

#include <gtest/gtest.h>

#include <cmath>

#include "agent/progress/changes.h"
#include "tests/fakes/manual_clock.h"

namespace agent::tracker {
namespace {

using fakes::moment;
using fakes::now_at;
using progress::FileStatus;

const progress::Rules kRules;

// A session with its forecaster, as the tracker holds them.
struct Followed {
  explicit Followed(const eta::History& history)
      : session("job", kRules, moment(0), now_at(0)), forecaster(session, &history, {}) {
    session.stored_files().keep_changes();
  }
  void send(double at, progress::Fact fact) {
    progress::Event event;
    event.session = "job";
    event.ts = moment(at);
    event.fact = std::move(fact);
    EXPECT_TRUE(session.apply(event, moment(at), now_at(at), 1'000, forecaster));
    if (!std::holds_alternative<progress::FileProgressed>(event.fact))
      forecaster.after(event, moment(at));
  }
  // As the tracker does: what was due is kept first.
  void event(double at, int number, FileStatus status) {
    forecaster.before(moment(at));
    file(at, number, status);
  }
  void file(double at, int number, FileStatus status) {
    progress::FileProgressed e;
    const std::string id = "file" + std::to_string(number);
    e.file = id;
    e.status = status;
    send(at, e);
  }
  void start(std::string_view family) {
    progress::SessionStarted e;
    e.facts.family = family;
    e.facts.total_files = 60;
    send(0, e);
  }
  // Two at a time, 5 s each, announced from the beginning.
  void work(int from, int to) {
    for (int i = from; i < to; ++i) {
      const double pair = 5.0 * std::floor(i / 2.0), at = pair + 0.1 * (i % 2);
      if (i > 1) file(at, i - 2, FileStatus::kCompleted);
      file(at, i, FileStatus::kProcessing);
      EXPECT_TRUE(i == 0 || forecaster.estimate(moment(pair + 0.2)).has_value());
    }
  }

  progress::Session session;
  Forecaster forecaster;
};

// What storage keeps of it.
struct Stored {
  std::string session, files;
  std::vector<std::string> forecasts;

  void take(Followed& from, double at) {
    progress::Packer packer(now_at(at));
    from.session.save(packer);
    session = packer.bytes();
    packer.clear(now_at(at));
    from.session.stored_files().save_changed(packer);
    files = packer.bytes();
    take_forecasts(from);
  }
  void take_forecasts(Followed& from) {
    progress::Packer packer;
    from.forecaster.save(packer);
    forecasts.emplace_back(packer.bytes());
  }
  [[nodiscard]] bool give(Followed& to, double at) const {
    bool good = to.session.load(session, now_at(at));
    good = good && to.session.stored_files().load_records(files) &&
           to.session.stored_files().end_loading();
    const std::vector<std::string_view> parts(forecasts.begin(), forecasts.end());
    return good && to.forecaster.load(parts);
  }
};

eta::History one_run_of(std::string_view family) {
  eta::History history;
  Followed first(history);
  first.start(family);
  first.work(0, 60);
  auto finish = first.forecaster.finish(moment(160), progress::EndStatus::kCompleted);
  history.add(family, std::move(finish->run), finish->complete);
  return history;
}

TEST(Forecaster, ComesBackWithItsSession) {
  const eta::History history = one_run_of("f");
  Followed original(history), restored(history);
  original.start("f");
  original.work(0, 10);
  Stored stored;
  stored.take_forecasts(original);
  original.work(10, 20);
  stored.take(original, 60);
  ASSERT_TRUE(stored.give(restored, 60));
  for (Followed* w : {&original, &restored}) w->work(20, 40);
  const auto a = original.forecaster.estimate(moment(110)),
             b = restored.forecaster.estimate(moment(110));
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->remaining, b->remaining);
  EXPECT_EQ(a->low, b->low);
  EXPECT_EQ(a->high, b->high);
  EXPECT_EQ(a->methods, b->methods);
  EXPECT_EQ(a->confidence, b->confidence);
}

// Its family ran once more meanwhile (in another Pod's storage, or while this one was stopped).
TEST(Forecaster, LearnsWhatItsFamilyKnowsByNow) {
  eta::History history = one_run_of("f");
  Followed original(history);
  original.start("f");
  original.work(0, 20);
  Stored stored;
  stored.take(original, 60);
  eta::FamilyRun run;
  run.known_files = {{progress::stable_hash("file50"), 500.0F, 0}};
  history.add("f", run, false);
  Followed restored(history);
  ASSERT_TRUE(stored.give(restored, 60));
  const auto f = restored.forecaster.estimate(moment(61));
  ASSERT_TRUE(f);
  EXPECT_GT(f->remaining, Span(0));
}

TEST(Forecaster, IsRefusedWhenDamaged) {
  const eta::History history;
  Followed original(history), restored(history);
  original.start("f");
  original.work(0, 20);
  Stored stored;
  stored.take(original, 60);
  stored.forecasts[0][40] ^= 1;
  EXPECT_FALSE(stored.give(restored, 60));
}

// Reading often, seldom, or at odd times changes nothing of what is foretold later, nor how the
// prediction of when a tenth was done compares.
TEST(Forecaster, SaysTheSameWhoeverReadsIt) {
  const eta::History history = one_run_of("f");
  Followed quiet(history), watched(history);
  for (Followed* w : {&quiet, &watched}) w->start("f");
  for (int i = 0; i < 40; ++i) {
    const double at = 5.0 * std::floor(i / 2.0) + 0.1 * (i % 2);
    for (Followed* w : {&quiet, &watched}) {
      if (i > 1) w->event(at, i - 2, FileStatus::kCompleted);
      w->event(at, i, FileStatus::kProcessing);
    }
    for (int k = 0; k < i % 7; ++k) {
      // Before the next event: what comes late cannot be undone.
      EXPECT_TRUE(watched.forecaster.estimate(moment(at + 0.004 * (k + 1) * (i % 5))));
    }
  }
  const auto a = quiet.forecaster.estimate(moment(103)),
             b = watched.forecaster.estimate(moment(103));
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->remaining, b->remaining);
  EXPECT_EQ(a->methods, b->methods);
  EXPECT_EQ(a->confidence, b->confidence);
  ASSERT_TRUE(quiet.forecaster.early() && watched.forecaster.early());
  EXPECT_EQ(quiet.forecaster.early()->low, watched.forecaster.early()->low);
  EXPECT_EQ(quiet.forecaster.early()->high, watched.forecaster.early()->high);
  EXPECT_EQ(quiet.forecaster.early()->total, watched.forecaster.early()->total);
  const auto graded = quiet.forecaster.finish(moment(160), progress::EndStatus::kCompleted);
  const auto other = watched.forecaster.finish(moment(160), progress::EndStatus::kCompleted);
  EXPECT_EQ(graded->grade.errors, other->grade.errors);
}

// Late events correct counts; they begin no estimator, and an empty part says that there is none.
TEST(Forecaster, RestsOnceItsSessionIsOver) {
  const eta::History history;
  Followed original(history), restored(history);
  original.start("f");
  original.work(0, 20);
  original.send(60, progress::SessionEnded{progress::EndStatus::kCancelled, ""});
  ASSERT_TRUE(original.forecaster.finish(moment(60), progress::EndStatus::kCancelled).has_value());
  original.file(61, 19, FileStatus::kCompleted);
  EXPECT_EQ(original.forecaster.estimator(), nullptr);
  Stored stored;
  stored.take(original, 62);
  EXPECT_TRUE(stored.forecasts[0].empty());
  EXPECT_TRUE(stored.give(restored, 62));
  EXPECT_EQ(restored.forecaster.estimator(), nullptr);
}

}  // namespace
}  // namespace agent::tracker
