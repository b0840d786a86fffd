// A restart with many sessions: nothing of those that run is read before somebody asks, and nobody
// can tell.
#include <gtest/gtest.h>

#include <string>

#include "agent/tracker/tracker.h"
#include "tests/fakes/manual_clock.h"
#include "tests/fakes/memory_storage.h"
#include "tests/fakes/one_tracker.h"

namespace agent::tracker {
namespace {

using namespace progress;
using fakes::MemoryStorage;
using fakes::now_at;
using fakes::OneTracker;

constexpr int kSessions = 200, kFiles = 3;

std::string name(int session) { return "s-" + std::to_string(session); }

// Sessions that run; and "over", which does not.
class Restart : public testing::Test {
 protected:
  Restart() {
    before_.tracker().keep_changes([] {}, now_at(0));
    for (int file = 0; file < kFiles; ++file) {
      for (int session = 0; session < kSessions; ++session) {
        (void)before_.file(file, name(session), std::to_string(file), FileStatus::kCompleted);
        if (session % 50 == 0) storage_.commit(before_.tracker(), now_at(file));
      }
    }
    (void)before_.end(kFiles, "over");
    storage_.commit(before_.tracker(), now_at(kFiles));
  }
  // A tracker that begins with what `storage` has.
  void restart(OneTracker& tracker, const MemoryStorage& storage) {
    tracker.tracker().keep_changes([] {}, now_at(10));
    ASSERT_TRUE(storage.restore_into(tracker.tracker(), now_at(10)));
  }
  // How many slices are left of what was restored; none may be damaged.
  static int slices_left(Tracker& tracker) {
    int slices = 0;
    for (Restoring how; (how = tracker.restore_more()) != Restoring::kDone; ++slices)
      EXPECT_EQ(Restoring::kGoesOn, how);
    return slices;
  }
  // Damages what is stored of the session's states, but for its id.
  void damage(int session) {
    const std::uint64_t serial = before_.session(kFiles, name(session))->serial;
    for (std::string& changes : storage_.commits)
      ASSERT_TRUE(read_changes(std::string_view(changes), Damage{serial, changes}));
  }
  struct Damage {
    std::uint64_t serial;
    std::string& bytes;
    template <typename Other>
    void operator()(const Other& /*other*/) const {}
    void operator()(const SessionChange& change) const {
      if (change.serial != serial) return;
      const auto begin = static_cast<std::size_t>(change.state.data() - bytes.data());
      const std::size_t size = change.state.size();
      bytes.replace(begin + size / 2, size - size / 2, size - size / 2, '\xFF');
    }
  };

  OneTracker before_;
  MemoryStorage storage_;
};

TEST_F(Restart, CountsWhatIsNotBackYet) {
  OneTracker after;
  restart(after, storage_);
  const Totals expected = before_.tracker().totals(), found = after.tracker().totals();
  EXPECT_EQ(kSessions + 1U, found.sessions);
  EXPECT_EQ(expected.sessions, found.sessions);
  EXPECT_EQ(expected.active, found.active);
  EXPECT_EQ(expected.files, found.files);
  EXPECT_LT(2, slices_left(after.tracker()));
  EXPECT_EQ(expected.sessions, after.tracker().totals().sessions);
  EXPECT_EQ(expected.active, after.tracker().totals().active);
  EXPECT_EQ(expected.files, after.tracker().totals().files);
}

TEST_F(Restart, BringsBackOneWhenItIsAskedFor) {
  OneTracker after;
  restart(after, storage_);
  EXPECT_EQ(kFiles, after.session(10, name(7))->metrics.count(FileStatus::kCompleted));
  ASSERT_TRUE(after.file(11, name(8), "new", FileStatus::kCompleted));
  const auto file = after.tracker().file(name(8), "0");
  ASSERT_TRUE(file);
  EXPECT_EQ(FileStatus::kCompleted, file->status);
  EXPECT_LT(2, slices_left(after.tracker()));
}

TEST_F(Restart, WhoAsksForAllSeesAllInTheirOrder) {
  for (int asked : {-1, 3, 150}) {
    OneTracker after;
    restart(after, storage_);
    if (asked >= 0) {
      ASSERT_TRUE(after.has(10, name(asked)));
    }
    EXPECT_EQ(before_.ids(10), after.ids(10));
    EXPECT_EQ(0, slices_left(after.tracker()));
  }
}

// Though nobody looked between the restart and the next event.
TEST_F(Restart, ShowsWhatIsCommittedUntilTheNextIs) {
  OneTracker after;
  restart(after, storage_);
  ASSERT_TRUE(after.file(11, name(8), "new", FileStatus::kCompleted));
  (void)after.send(11, name(9), SessionPaused{}, "p", 1);
  (void)after.send(11, name(9), SessionPaused{}, "p", 1);
  const auto completed = [&](int session) {
    const SnapshotPtr shown = after.session(12, name(session));
    return shown ? shown->metrics.count(FileStatus::kCompleted) : -1;
  };
  EXPECT_EQ(kFiles, completed(8));
  EXPECT_EQ(kFiles, completed(9));
  EXPECT_EQ(before_.ids(12), after.ids(12));
  storage_.commit(after.tracker(), now_at(12));
  EXPECT_EQ(kFiles + 1, completed(8));
}

TEST_F(Restart, TicksOverAll) {
  OneTracker after;
  restart(after, storage_);
  after.tick(10'000);
  storage_.commit(after.tracker(), now_at(10'000));
  EXPECT_EQ(0U, after.tracker().totals().active);
  EXPECT_EQ(SessionState::kStale, after.session(10'000, name(3))->state);
}

TEST_F(Restart, HoldsItsLimitsMeanwhile) {
  Limits limits;
  limits.max_active = kSessions + 1;
  limits.max_files = kSessions * kFiles + 1;
  OneTracker after({.rules = {.limits = limits, .pricing = {}}});
  restart(after, storage_);
  ASSERT_TRUE(after.file(11, "first", "f", FileStatus::kProcessing));
  const auto session = after.start(11, "second");
  ASSERT_FALSE(session);
  EXPECT_EQ(RejectReason::kTooManySessions, session.error().reason);
  const auto file = after.file(11, name(0), "g", FileStatus::kProcessing);
  ASSERT_FALSE(file);
  EXPECT_EQ(RejectReason::kTooManyFiles, file.error().reason);
}

// All that storage keeps of them but their ids and numbers may be damaged: it was not read.
TEST_F(Restart, ReadsNothingBeforeItIsNeeded) {
  damage(5);
  OneTracker after;
  restart(after, storage_);
  EXPECT_EQ(kSessions + 1U, after.tracker().totals().sessions);
  EXPECT_TRUE(after.has(10, name(6)));

  EXPECT_FALSE(after.has(10, name(5)));
  EXPECT_EQ(Restoring::kDamaged, after.tracker().restore_more());
  EXPECT_EQ(0U, static_cast<unsigned>(after.ids(10).find("s-0 s-1 s-2 s-3 s-4 s-6 ")));
  EXPECT_EQ(Restoring::kDone, after.tracker().restore_more());
  EXPECT_EQ(kSessions + 0U, after.tracker().totals().sessions);
  EXPECT_EQ((kSessions - 1U) * kFiles, after.tracker().totals().files);
  EXPECT_EQ(kSessions - 1U, after.tracker().totals().active);
}

// What the writer does then.
TEST_F(Restart, AllButWhatIsDamagedIsStoredAnew) {
  damage(5);
  OneTracker after, again;
  restart(after, storage_);
  after.tracker().forget_saved();
  MemoryStorage anew;
  anew.commit(after.tracker(), now_at(11));
  restart(again, anew);
  EXPECT_EQ(after.ids(11), again.ids(11));
  EXPECT_EQ(kSessions + 0U, again.tracker().totals().sessions);
}

}  // namespace
}  // namespace agent::tracker
