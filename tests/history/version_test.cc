// A database that an earlier version of the agent left behind is taken over: what was tracked goes
// on, what was history stays, and what is new in it is there.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>

#include "agent/history/schema.h"
#include "agent/history/store.h"
#include "agent/tracker/tracker.h"
#include "tests/fakes/temporary_folder.h"

namespace agent::history {
namespace {

using progress::FileStatus;

std::string text_of(const char* path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class EarlierVersion : public testing::Test {
 protected:
  EarlierVersion() {
    options_.folder = folder_.path();
    Database(path(), Database::Access::kReadWrite, "")
        .execute(text_of("tests/history/version-1.sql").c_str());
    auto opened = Store::open(options_);
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
    store_ = *std::move(opened);
  }
  [[nodiscard]] std::string path() const { return (folder_.path() / "agent.db").string(); }

  fakes::TemporaryFolder folder_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
};

TEST_F(EarlierVersion, GoesOnWithWhatWasTracked) {
  auto loaded = store_->load();
  ASSERT_TRUE(loaded) << loaded.error().message;
  const std::shared_ptr<const Loaded> kept = *std::move(loaded);
  const std::shared_ptr<const progress::SavedState> state(kept, &kept->state);
  const Instant later = state->committed_at + std::chrono::seconds(3);
  const Now now{later, SteadyInstant(std::chrono::hours(1))};
  tracker::Tracker tracker({});
  tracker.keep_changes([] {}, now);
  ASSERT_TRUE(tracker.restore(state, now));

  const auto live = tracker.session("live", now);
  ASSERT_TRUE(live);
  EXPECT_EQ(6, live->metrics.count(FileStatus::kCompleted));
  EXPECT_EQ(5, live->metrics.count(FileStatus::kProcessing));
  EXPECT_EQ(40, live->metrics.total_files);
  EXPECT_DOUBLE_EQ(1.5, live->metrics.estimated_cost);
  EXPECT_EQ(3, live->counters.api_ok);
  EXPECT_EQ("5.pdf", tracker.file("live", "5.pdf")->file);
  EXPECT_TRUE(is_ended(tracker.session("done", now)->state));
  EXPECT_EQ(23, tracker.session("done", now)->metrics.count(FileStatus::kCompleted));
  EXPECT_EQ(83, tracker.last_seq("p"));

  tracker::Tracker::Batch batch(tracker, now);
  progress::Event event;
  event.session = "counts";
  event.fact = progress::CountsReported{};
  const auto refused = batch.apply(event);
  ASSERT_FALSE(refused);
  EXPECT_EQ(progress::RejectReason::kSessionStopped, refused.error().reason);
}

TEST_F(EarlierVersion, KeepsItsHistory) {
  for (auto done = store_->fold(10); !done || !*done; done = store_->fold(10))
    ASSERT_TRUE(done) << done.error().message;
  Database database(path(), Database::Access::kReadOnly, "");
  EXPECT_EQ(kSchemaVersion, database.integer("PRAGMA user_version"));
  EXPECT_EQ(3, database.integer("SELECT count(*) FROM batch_upload_sessions"));
  EXPECT_EQ(36, database.integer("SELECT count(*) FROM batch_upload_files WHERE status IN "
                                 "('completed', 'failed')"));
  EXPECT_EQ(0, database.integer("SELECT count(*) FROM alerts"));
  EXPECT_EQ(0, database.integer("SELECT count(*) FROM live_changes"));
}

}  // namespace
}  // namespace agent::history
