// What becomes of sessions' alerts: rows that say what fired, was resolved and dismissed, and when;
// and they go with their session.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "agent/history/store.h"
#include "tests/fakes/one_tracker.h"
#include "tests/fakes/store_commit.h"
#include "tests/fakes/temporary_folder.h"

namespace agent::history {
namespace {

using fakes::now_at;
using fakes::OneTracker;
using progress::FileStatus;

class AlertsTable : public testing::Test {
 protected:
  AlertsTable() {
    tracker_.tracker().keep_changes([] {}, now_at(0));
    options_.folder = folder_.path();
    auto opened = Store::open(options_);
    EXPECT_TRUE(opened);
    store_ = *std::move(opened);
  }

  // A session of which a fifth fails.
  void fail_often(double at, std::string_view session, bool persistence = true) {
    progress::SessionStarted started;
    started.facts.persistence = persistence;
    (void)tracker_.send(at, session, started);
    for (int i = 0; i < 100; ++i) {
      (void)tracker_.file(at, session, "f" + std::to_string(i),
                          i < 20 ? FileStatus::kFailed : FileStatus::kCompleted);
    }
  }
  void tick(double from, double to) {
    for (double t = from; t <= to; ++t) tracker_.tick(t);
  }
  // The id of the alert of that name.
  std::string id_of(double at, std::string_view session, std::string_view name) {
    for (const alert::Alert& alert : tracker_.session(at, session)->alerts->current) {
      if (alert.name() == name) return alert.id;
    }
    return {};
  }
  void commit(double at) { fakes::commit(tracker_, *store_, at); }
  void fold() {
    for (auto done = store_->fold(10); !done || !*done; done = store_->fold(10))
      ASSERT_TRUE(done) << done.error().message;
  }
  // Of HighErrorRate: "state reason", and of each time whether it is there, in seconds.
  std::string row(const char* session) {
    Database database((folder_.path() / "agent.db").string(), Database::Access::kReadOnly, "");
    Statement query = database.prepare(
        "SELECT a.state || ' ' || a.reason || ' ' || a.severity || '|' || "
        "coalesce((a.fired_at - a.breached_at) / 1000000, '-') || '|' || "
        "coalesce((a.resolved_at - a.breached_at) / 1000000, '-') || '|' || "
        "coalesce((a.dismissed_at - a.breached_at) / 1000000, '-') "
        "FROM alerts a JOIN batch_upload_sessions s USING (session, attempt) "
        "WHERE s.session_id = ? AND a.name = 'HighErrorRate'");
    query.bind_text(session);
    std::string rows;
    while (query.step()) rows += (rows.empty() ? "" : ", ") + std::string(query.bytes(0));
    return rows;
  }
  std::int64_t count(const char* sql) {
    Database database((folder_.path() / "agent.db").string(), Database::Access::kReadOnly, "");
    return database.integer(sql);
  }

  OneTracker tracker_;
  fakes::TemporaryFolder folder_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
};

TEST_F(AlertsTable, SaysWhatFiredAndWhenItWasResolved) {
  fail_often(0, "s");
  tick(1, 10);
  commit(10);
  fold();
  EXPECT_EQ("", row("s"));  // pending: no alert yet
  tick(11, 70);
  commit(70);
  fold();
  EXPECT_EQ("firing held critical|60|-|-", row("s"));
  for (int i = 0; i < 400; ++i)
    (void)tracker_.file(80, "s", "g" + std::to_string(i), FileStatus::kCompleted);
  tick(81, 300);
  commit(300);
  fold();
  EXPECT_TRUE(row("s").starts_with("resolved recovered critical|60|")) << row("s");
  EXPECT_TRUE(row("s").ends_with("|-")) << row("s");
}

TEST_F(AlertsTable, SaysWhenItWasDismissed) {
  fail_often(0, "s");
  tick(1, 70);
  commit(70);
  ASSERT_TRUE(tracker_.tracker().dismiss(id_of(70, "s", "HighErrorRate")));
  commit(71);
  tick(72, 90);
  progress::SessionUpdated update;
  update.facts.name = "renamed";
  (void)tracker_.send(95, "s", update);
  commit(95);
  fold();
  EXPECT_EQ("firing held critical|60|-|70", row("s"));
}

TEST_F(AlertsTable, KeepsThoseOfASessionThatIsGone) {
  fail_often(0, "s");
  tick(1, 70);
  commit(70);
  tracker_.tracker().clean_up(Duration::zero(), now_at(80));
  commit(80);
  fold();
  EXPECT_EQ("resolved gone critical|60|79|-", row("s"));
}

TEST_F(AlertsTable, KeepsNothingOfASessionThatIsNotToBeStored) {
  fail_often(0, "s", false);
  fail_often(0, "t");
  tick(1, 70);
  commit(70);
  fold();
  EXPECT_LT(0, count("SELECT count(*) FROM alerts"));
  EXPECT_EQ(0, count("SELECT count(*) FROM alerts a WHERE NOT EXISTS (SELECT * FROM "
                     "batch_upload_sessions s WHERE s.session = a.session)"));
}

TEST_F(AlertsTable, ForgetsThemWithTheirSession) {
  fail_often(0, "s");
  tick(1, 70);
  commit(70);
  tracker_.tracker().clean_up(Duration::zero(), now_at(80));
  commit(80);
  fold();
  EXPECT_LT(0, count("SELECT count(*) FROM alerts"));
  for (auto done = store_->retain(now_at(1'000).wall); !done || !*done;
       done = store_->retain(now_at(1'000).wall))
    ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(0, count("SELECT count(*) FROM alerts"));
}

TEST_F(AlertsTable, HasThemAllAgainWhenTheDatabaseIsBegunAnew) {
  fail_often(0, "s");
  tick(1, 70);
  commit(70);
  store_.reset();
  (void)Store::set_aside(options_, now_at(70).wall);
  auto anew = Store::open(options_);
  ASSERT_TRUE(anew);
  store_ = *std::move(anew);
  tracker_.tracker().forget_saved();
  commit(71);
  fold();
  EXPECT_EQ("firing held critical|60|-|-", row("s"));
}

}  // namespace
}  // namespace agent::history
