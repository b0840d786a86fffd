// The writer with a real tracker and a real file, in real time: what was acknowledged is there
// after any end, whatever fails on the way.
#include "agent/history/writer.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <thread>

#include "agent/history/database.h"
#include "agent/tracker/tracker.h"
#include "tests/fakes/faulty_vfs.h"
#include "tests/fakes/random_job.h"
#include "tests/fakes/snapshot_text.h"
#include "tests/fakes/temporary_folder.h"

namespace agent::history {
namespace {

using fakes::RandomJob;
using progress::SnapshotPtr;
using std::chrono::milliseconds;
using std::chrono::seconds;

// What the agent does: a tracker, and the writer that stores it.
class Stored final : public Source {
 public:
  explicit Stored(const std::filesystem::path& folder, const std::string& vfs = "",
                  std::size_t fold_bytes = 20'000, Duration fold_after = milliseconds(50)) {
    WriterOptions options;
    options.store.folder = folder;
    options.store.vfs = vfs;
    options.store.fold_bytes = fold_bytes;
    options.fold_after = fold_after;
    writer_ =
        std::make_unique<Writer>(options, Pace{std::chrono::microseconds(100)}, *this, clock_);
    tracker_.keep_changes([this] { writer_->wake(); }, clock_.now());
    writer_->open();
    writer_->start();
  }
  ~Stored() override { writer_->stop(); }

  bool restore(std::shared_ptr<const progress::SavedState> state, Now at) override {
    return tracker_.restore(state, at);
  }
  progress::Restoring restore_more() override { return tracker_.restore_more(); }
  std::optional<std::uint64_t> gather(progress::Packer& into, Now at) override {
    const auto revision = tracker_.checkpoint(into, at);
    if (revision && on_commit) on_commit();
    return revision;
  }
  void committed() override { tracker_.committed(); }
  void storage_fails(bool failing) override { tracker_.storage_fails(failing); }
  void forget_saved() override { tracker_.forget_saved(); }

  // One event of a producer; its revision.
  tracker::Revision count(const std::string& producer, std::int64_t seq) {
    tracker::Tracker::Batch batch(tracker_, clock_.now());
    progress::Event event;
    const std::string session = "of-" + producer;
    const std::string file = "file-" + std::to_string(seq % 100);
    event.session = session;
    event.producer = producer;
    event.seq = seq;
    progress::ApiCalled call;
    call.provider = "p";
    event.fact = call;
    (void)batch.apply(event);
    event.seq.reset();
    progress::FileProgressed progressed;
    progressed.file = file;
    progressed.status = progress::FileStatus::kProcessing;
    event.fact = progressed;
    (void)batch.apply(event);
    return batch.revision();
  }
  [[nodiscard]] bool await_durable(tracker::Revision revision, Duration patience = seconds(60)) {
    return await([&] { return tracker_.durable() >= revision; }, patience);
  }
  [[nodiscard]] bool await(const std::function<bool()>& condition,
                           Duration patience = seconds(60)) {
    for (const SteadyInstant end = clock_.now().steady + patience; !condition();) {
      if (clock_.now().steady > end) return false;
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
    return true;
  }
  // Calls of the session that count() makes.
  std::int64_t calls(const std::string& producer) {
    const SnapshotPtr s = tracker_.session("of-" + producer, clock_.now());
    return s == nullptr ? 0 : s->counters.api_ok;
  }

  [[nodiscard]] tracker::Tracker& tracker() { return tracker_; }
  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] Writer& writer() { return *writer_; }

  std::function<void()> on_commit;  // before one; to be set before there is any

 private:
  SystemClock clock_;
  tracker::Tracker tracker_{tracker::Settings{}};
  std::unique_ptr<Writer> writer_;
};

std::string everything(tracker::Tracker& tracker) {
  const Now at = SystemClock().now();
  std::string text;
  for (const SnapshotPtr& snapshot : tracker.view(at).sessions) {
    text += snapshot->id() + ' ' + std::to_string(snapshot->version) + ' ' +
            std::to_string(snapshot->counters.files_ended[0]) + '\n';
    const auto page = tracker.files(snapshot->id(), std::nullopt, 0, 10'000);
    for (const auto& file : page->files) text += fakes::text_of(file) + '\n';
  }
  return text;
}

std::int64_t query(const std::filesystem::path& folder, const char* sql) {
  Database database((folder / "agent.db").string(), Database::Access::kReadOnly, "");
  return database.integer(sql);
}

TEST(Writer, BringsBackWhatWasCommitted) {
  const fakes::TemporaryFolder folder;
  std::string before;
  {
    Stored stored(folder.path());
    for (unsigned i = 0; i < 300; ++i) {
      RandomJob(i).step(stored.tracker(), stored.clock().now());
      if (i % 10 != 0) continue;
      ASSERT_TRUE(stored.await_durable(stored.count("p", i + 1)));
    }
    ASSERT_TRUE(stored.await_durable(stored.count("p", 1'000)));
    before = everything(stored.tracker());
    stored.writer().stop(Duration::zero());  // as if killed: nothing more is written
  }
  Stored again(folder.path());
  EXPECT_EQ(before, everything(again.tracker()));
  EXPECT_EQ(1'000, again.tracker().last_seq("p"));
  EXPECT_FALSE(again.writer().state().failing);
}

// Each commit is of all sessions, far more than one step of folding takes.
TEST(Writer, AFloodLeavesLittleThatIsNotFolded) {
  constexpr int kSessions = 1'500, kRounds = 20;
  const fakes::TemporaryFolder folder;
  Stored stored(folder.path());
  std::int64_t most = 0;
  for (int round = 0; round < kRounds; ++round) {
    tracker::Revision revision{};
    {
      tracker::Tracker::Batch batch(stored.tracker(), stored.clock().now());
      for (int i = 0; i < kSessions; ++i) {
        const std::string session = "session-" + std::to_string(i);
        progress::Event event;
        event.session = session;
        progress::FileProgressed progressed;
        progressed.file = "one.pdf";
        progressed.progress = round;
        event.fact = progressed;
        ASSERT_TRUE(batch.apply(event));
      }
      revision = batch.revision();
    }
    ASSERT_TRUE(stored.await_durable(revision));
    most = std::max(most, query(folder.path(),
                                "SELECT sum(length(changes)) / max(length(changes)) FROM "
                                "live_changes"));
  }
  EXPECT_LT(most, 8);  // commits
}

// Far more was left to fold than should wait; the first senders do not wait for that.
TEST(Writer, TheFirstCommitsComeBeforeFolding) {
  const fakes::TemporaryFolder folder;
  constexpr const char* kWaiting = "SELECT count(*) FROM live_changes";
  {
    Stored stored(folder.path(), "", SIZE_MAX, std::chrono::hours(1));
    for (int seq = 1; seq <= 100; ++seq) {
      RandomJob(static_cast<unsigned>(seq)).step(stored.tracker(), stored.clock().now());
      ASSERT_TRUE(stored.await_durable(stored.count("p", seq)));
    }
    stored.writer().stop(Duration::zero());
  }
  const std::int64_t left = query(folder.path(), kWaiting);
  ASSERT_LE(100, left);
  Stored again(folder.path());
  std::vector<std::int64_t> seen;
  again.on_commit = [&] { seen.push_back(query(folder.path(), kWaiting)); };
  for (const int seq : {101, 102}) ASSERT_TRUE(again.await_durable(again.count("p", seq)));
  again.writer().stop(Duration::zero());
  ASSERT_LE(2U, seen.size());
  EXPECT_EQ(left, seen[0]);
  EXPECT_EQ(left + 1, seen[1]);
}

TEST(Writer, AClosedDatabaseIsFolded) {
  const fakes::TemporaryFolder folder;
  {
    Stored stored(folder.path());
    for (unsigned i = 0; i < 100; ++i) RandomJob(i).step(stored.tracker(), stored.clock().now());
  }
  EXPECT_EQ(0, query(folder.path(), "SELECT count(*) FROM live_changes"));
  EXPECT_EQ(6, query(folder.path(), "SELECT count(*) FROM live_sessions"));
  EXPECT_LT(6, query(folder.path(), "SELECT count(*) FROM batch_upload_files"));
  EXPECT_EQ(0, query(folder.path(),
                     "SELECT count(*) FROM batch_upload_files f WHERE NOT EXISTS (SELECT 1 FROM "
                     "batch_upload_sessions s WHERE s.session = f.session AND s.attempt = "
                     "f.attempt)"));
}

class Failing : public testing::TestWithParam<int> {};

// Each call that writes fails once, in turn.
TEST_P(Failing, IsSurvivedWithoutAFalseAcknowledgement) {
  const fakes::TemporaryFolder folder;
  fakes::FaultyVfs vfs;
  std::int64_t acknowledged = 0;
  {
    vfs.fail_call(GetParam());
    Stored stored(folder.path(), vfs.name());
    std::int64_t last = 400;  // some more after the fault
    for (std::int64_t seq = 1; seq <= last; ++seq) {
      if (vfs.has_failed()) last = std::min(last, seq + 4);
      const tracker::Revision revision = stored.count("p", seq);
      ASSERT_TRUE(stored.await_durable(revision, seconds(2))) << stored.writer().state().last_error;
      acknowledged = seq;
    }
    EXPECT_TRUE(stored.await([&] { return !stored.writer().state().failing; }, seconds(2)));
    EXPECT_TRUE(vfs.has_failed());
    stored.writer().stop(Duration::zero());
  }
  Stored again(folder.path());
  EXPECT_EQ(acknowledged, again.tracker().last_seq("p"));
  EXPECT_EQ(acknowledged, again.calls("p"));
  EXPECT_EQ(0U, again.writer().state().set_aside);
}
INSTANTIATE_TEST_SUITE_P(Call, Failing, testing::Range(1, 301));

TEST(Writer, AFullDiskIsSurvived) {
  const fakes::TemporaryFolder folder;
  fakes::FaultyVfs vfs;
  Stored stored(folder.path(), vfs.name());
  ASSERT_TRUE(stored.await_durable(stored.count("p", 1)));
  vfs.fail_all(SQLITE_FULL);
  const tracker::Revision revision = stored.count("p", 2);
  ASSERT_TRUE(stored.await([&] { return stored.writer().state().failing; }));
  EXPECT_LT(stored.tracker().durable(), revision);
  EXPECT_EQ(2, stored.calls("p"));  // published runs ahead
  EXPECT_NE("", stored.writer().state().last_error);
  vfs.fail_all(SQLITE_OK);
  ASSERT_TRUE(stored.await_durable(revision, seconds(2)));
  EXPECT_TRUE(stored.await([&] { return !stored.writer().state().failing; }));
}

TEST(Writer, ALockIsWaitedFor) {
  const fakes::TemporaryFolder folder;
  { Stored stored(folder.path()); }
  Database other((folder.path() / "agent.db").string(), Database::Access::kReadWrite, "");
  other.execute("BEGIN IMMEDIATE");
  Stored stored(folder.path());
  const tracker::Revision revision = stored.count("p", 1);
  ASSERT_TRUE(stored.await([&] { return stored.writer().state().failing; }));
  EXPECT_EQ(1, stored.calls("p"));
  EXPECT_LT(stored.tracker().durable(), revision);
  other.execute("ROLLBACK");
  EXPECT_TRUE(stored.await_durable(revision, seconds(2)));
}

TEST(Writer, TwoAgentsDoNotShareAFolder) {
  const fakes::TemporaryFolder folder;
  auto first = std::make_unique<Stored>(folder.path());
  ASSERT_TRUE(first->await_durable(first->count("p", 1)));
  Stored second(folder.path());
  EXPECT_TRUE(second.writer().state().failing);
  const tracker::Revision revision = second.count("q", 1);
  EXPECT_EQ(1, second.calls("q"));
  EXPECT_LT(second.tracker().durable(), revision);
  first.reset();
  EXPECT_TRUE(second.await_durable(revision, seconds(3)));
  EXPECT_EQ(1, second.calls("p"));  // taken over late, and together with its own
  EXPECT_EQ(1, second.calls("q"));
}

class Unusable : public testing::TestWithParam<int> {};

TEST_P(Unusable, IsSetAside) {
  const fakes::TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "agent.db";
  if (GetParam() == 0) {
    std::ofstream(file) << "this is no database, but it is quite a bit longer than a header "
                        << std::string(4'000, '.');
  } else if (GetParam() == 1) {
    Database(file.string(), Database::Access::kReadWrite, "").execute("CREATE TABLE theirs (a)");
  } else {
    { Stored stored(folder.path()); }
    Database(file.string(), Database::Access::kReadWrite, "").execute("PRAGMA user_version = 99");
  }
  Stored stored(folder.path());
  EXPECT_EQ(1U, stored.writer().state().set_aside);
  EXPECT_TRUE(stored.await_durable(stored.count("p", 1)));
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    files += entry.path().filename().string().starts_with("agent.db.unusable-") ? 1 : 0;
  EXPECT_LE(1, files);
}
INSTANTIATE_TEST_SUITE_P(File, Unusable, testing::Range(0, 3));

// One session that cannot be read does not take the others with it.
TEST(Writer, KeepsWhatIsNotDamaged) {
  const fakes::TemporaryFolder folder;
  {
    Stored stored(folder.path());
    for (const char* producer : {"p", "q", "r"})
      ASSERT_TRUE(stored.await_durable(stored.count(producer, 1)));
  }
  Database((folder.path() / "agent.db").string(), Database::Access::kReadWrite, "")
      .execute(
          "UPDATE live_sessions SET state = substr(state, 1, length(state) / 2) "
          "WHERE serial = (SELECT min(serial) FROM live_sessions)");
  {
    Stored stored(folder.path());
    ASSERT_TRUE(stored.await([&] { return stored.writer().state().set_aside == 1; }));
    EXPECT_EQ(0, stored.calls("p"));
    EXPECT_EQ(1, stored.calls("q"));
    ASSERT_TRUE(stored.await_durable(stored.count("q", 2)));
    stored.writer().stop(Duration::zero());
  }
  Stored again(folder.path());
  EXPECT_EQ(0, again.calls("p"));
  EXPECT_EQ(2, again.calls("q"));
  EXPECT_EQ(1, again.calls("r"));
  EXPECT_EQ(1, again.tracker().last_seq("p"));
}

// Damage anywhere in the file: either it is noticed, or it did not matter to the counts.
TEST(Writer, ADamagedFileNeverCrashes) {
  const fakes::TemporaryFolder folder;
  {
    Stored stored(folder.path());
    for (unsigned i = 0; i < 200; ++i) RandomJob(i).step(stored.tracker(), stored.clock().now());
  }
  std::mt19937 random(3);
  for (int i = 0; i < 40; ++i) {
    const fakes::TemporaryFolder copy;
    std::filesystem::copy_file(folder.path() / "agent.db", copy.path() / "agent.db");
    {
      std::fstream file(copy.path() / "agent.db", std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(static_cast<std::streamoff>(random() %
                                             std::filesystem::file_size(copy.path() / "agent.db")));
      for (int n = 0; n < 64; ++n) file.put(static_cast<char>(random()));
    }
    Stored stored(copy.path());
    EXPECT_TRUE(stored.await_durable(stored.count("p", 1'000'000)));
  }
}

}  // namespace
}  // namespace agent::history
