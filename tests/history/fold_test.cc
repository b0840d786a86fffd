// Folding: how much at a time, and that it loses nothing when it is interrupted, as by kills.
#include "agent/history/fold.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "agent/history/store.h"
#include "tests/fakes/one_tracker.h"
#include "tests/fakes/snapshot_text.h"
#include "tests/fakes/store_commit.h"
#include "tests/fakes/temporary_folder.h"

namespace agent::history {
namespace {

using fakes::now_at;
using fakes::OneTracker;
using progress::FileStatus;

constexpr int kSessions = 100;

std::string name_of_session(int number) { return "session-" + std::to_string(number); }

class Folding : public testing::Test {
 protected:
  Folding() {
    tracker_.tracker().keep_changes([] {}, now_at(0));
    options_.folder = folder_.path();
    open();
  }

  void open() {
    store_.reset();
    auto opened = Store::open(options_);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }
  // Of one more file of each session.
  void commit_all(double at) {
    for (int i = 0; i < kSessions; ++i) {
      const std::string file = "file-" + std::to_string(static_cast<int>(at));
      progress::FileProgressed done;
      done.file = file;
      done.status = FileStatus::kCompleted;
      done.stage = "parse";
      (void)tracker_.send(at, name_of_session(i), done);
    }
    commit(at);
  }
  void commit(double at) { fakes::commit(tracker_, *store_, at); }
  void fold_all() {
    while (store_->can_fold()) ASSERT_TRUE(store_->fold(1'000));
  }
  std::int64_t query(const char* sql) {
    Database database((folder_.path() / "agent.db").string(), Database::Access::kReadOnly, "");
    return database.integer(sql);
  }
  // All that storage gives at a restart, as the tracker shows it.
  std::string restored(double at) {
    auto loaded = store_->load();
    if (!loaded) return loaded.error().message;
    const std::shared_ptr<Loaded> all = *std::move(loaded);
    tracker::Tracker tracker{tracker::Settings{}};
    tracker.keep_changes([] {}, now_at(at));
    if (!tracker.restore({all, &all->state}, now_at(at))) return "refused";
    return text_of(tracker, at);
  }
  static std::string text_of(tracker::Tracker& tracker, double at) {
    std::string text;
    for (const auto& session : tracker.view(now_at(at)).sessions)
      text += session->id() + ' ' + std::to_string(session->version) + ' ' +
              std::to_string(session->metrics.total_files) + '\n';
    return text;
  }

  const fakes::TemporaryFolder folder_;
  OneTracker tracker_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
};

// Each run commits once and has time for a third of a fold.
TEST_F(Folding, ComesToItsEndHoweverOftenTheAgentIsKilled) {
  constexpr int kRuns = 12;
  for (int run = 1; run <= kRuns; ++run) {
    commit_all(run);
    for (int step = 0; step < 8; ++step) ASSERT_TRUE(store_->fold(100));
    open();
  }
  EXPECT_LE(query("SELECT count(*) FROM live_changes"), kRuns - 3);
  const std::string truth = text_of(tracker_.tracker(), kRuns);
  EXPECT_EQ(truth, restored(kRuns));
  fold_all();
  EXPECT_EQ(0, query("SELECT count(*) FROM live_changes"));
  EXPECT_EQ(kRuns * kSessions, query("SELECT count(*) FROM batch_upload_files"));
  EXPECT_EQ(truth, restored(kRuns));
}

TEST_F(Folding, TakesNoMoreThanShouldWait) {
  options_.fold_bytes = 1;
  open();
  for (const int at : {1, 2, 3}) commit_all(at);
  for (const int left : {2, 1, 0}) {
    for (auto done = store_->fold(1'000); !*done; done = store_->fold(1'000)) ASSERT_TRUE(done);
    EXPECT_EQ(left, query("SELECT count(*) FROM live_changes"));
  }
}

// Its row is gone before the changes that lead there.
TEST_F(Folding, ASessionThatWasDroppedStaysDropped) {
  commit_all(1);
  fold_all();
  (void)tracker_.end(2, name_of_session(0));
  commit_all(2);
  tracker_.scrape(3);
  for (double at = 3; tracker_.has(at, name_of_session(0)); at += 60) tracker_.tick(at);
  commit(10'000);
  while (query("SELECT count(*) FROM live_sessions") == kSessions) {
    const auto done = store_->fold(1);
    ASSERT_TRUE(done) << done.error().message;
    ASSERT_FALSE(*done);
  }
  options_.fold_bytes = 1;  // which counts only for the next
  open();
  while (store_->can_fold()) {
    const auto done = store_->fold(1'000);
    ASSERT_TRUE(done) << done.error().message;
  }
  EXPECT_EQ(kSessions - 1, query("SELECT count(*) FROM live_sessions"));
  EXPECT_EQ(text_of(tracker_.tracker(), 10'000), restored(10'000));
}

}  // namespace
}  // namespace agent::history
