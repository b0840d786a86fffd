// The page about the schema, held to the schema.
#include "agent/history/schema.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "agent/history/store.h"
#include "tests/fakes/temporary_folder.h"

namespace agent::history {
namespace {

std::string page() {
  std::ifstream file("agent/history/README.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> examples() {
  const std::string text = page();
  std::vector<std::string> found;
  for (std::size_t at = 0; (at = text.find("```sql\n", at)) != std::string::npos;) {
    at += 7;
    const std::size_t end = text.find("```", at);
    found.push_back(text.substr(at, end - at));
    at = end;
  }
  return found;
}

class Schema : public testing::Test {
 protected:
  Schema() {
    StoreOptions options;
    options.folder = folder_.path();
    EXPECT_TRUE(Store::open(options));
    database_.emplace((folder_.path() / "agent.db").string(), Database::Access::kReadWrite, "");
  }
  fakes::TemporaryFolder folder_;
  std::optional<Database> database_;
};

TEST_F(Schema, ExampleQueriesRunAndAnswer) {
  database_->execute(
      "INSERT INTO batch_upload_sessions VALUES (1, 1, 's', 'n', 'nightly', 'completed', 0, "
      "9000000,"
      " 9000000, '', 9000, 4, 3, 1, 0, 0, 100, 5, 6, 0.5, 0, 0, 0, 0, 0, 20, 30, 700, 0.9, '{}');"
      "INSERT INTO batch_upload_files VALUES (1, 1, 0, 'slow.pdf', 'completed', 100, 'parse', 1, 1,"
      " NULL, 2, 0.1, NULL, NULL, 0, 1, NULL, 0, 1000000, 4000000, 4000000);"
      "INSERT INTO api_quota_tracking VALUES (1, 1, 'openai', 0, 100, 7, 2, 1500, 1);");
  const std::vector<std::string> queries = examples();
  ASSERT_EQ(3U, queries.size());

  Statement files = database_->prepare(queries[0]);
  ASSERT_TRUE(files.step());
  EXPECT_EQ("slow.pdf", files.bytes(1));
  EXPECT_EQ(3, files.real(2));

  Statement families = database_->prepare(queries[1]);
  ASSERT_TRUE(families.step());
  EXPECT_EQ("nightly", families.bytes(0));
  EXPECT_EQ(9, families.real(2));
  EXPECT_EQ(0.25, families.real(4));

  Statement providers = database_->prepare(queries[2]);
  ASSERT_TRUE(providers.step());
  EXPECT_EQ(2, providers.integer(1));
  EXPECT_EQ(1.5, providers.real(2));
}

TEST_F(Schema, ThePageNamesEveryTable) {
  const std::string text = page();
  Statement tables = database_->prepare("SELECT name FROM sqlite_master WHERE type = 'table'");
  int count = 0;
  for (; tables.step(); ++count) {
    const std::string quoted = '`' + std::string(tables.bytes(0)) + '`';
    EXPECT_NE(std::string::npos, text.find(quoted)) << quoted;
  }
  EXPECT_LT(8, count);
  EXPECT_NE(std::string::npos, text.find("version " + std::to_string(kSchemaVersion)));
}

TEST_F(Schema, MigratingTwiceChangesNothing) {
  migrate(*database_);
  EXPECT_EQ(SchemaState::kOurs, look_at_schema(*database_));
  EXPECT_EQ(kSchemaVersion, database_->integer("PRAGMA user_version"));
}

TEST_F(Schema, HistoryGoesByAge) {
  database_->execute(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) "
      "INSERT INTO batch_upload_sessions SELECT i, 1, 's', 'n', '', 'completed', 0, i * 1000000,"
      " i * 1000000, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, '{}' "
      "FROM n;"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) "
      "INSERT INTO batch_upload_files SELECT 3, 1, i, 'f', 'completed', 100, NULL, 1, 1,"
      " NULL, 2, 0.1, NULL, NULL, 0, 1, NULL, 0, 1, 2, 2 FROM n;");
  database_.reset();
  StoreOptions options;
  options.folder = folder_.path();
  options.most_sessions = 8;
  auto store = Store::open(options);
  ASSERT_TRUE(store);
  const Instant oldest{std::chrono::seconds(5)};
  int steps = 0;
  for (auto done = (*store)->retain(oldest); done && !*done; done = (*store)->retain(oldest))
    ++steps;
  EXPECT_LE(2, steps);  // the big one takes three, together with the small ones
  EXPECT_GE(4, steps);
  Database database((folder_.path() / "agent.db").string(), Database::Access::kReadOnly, "");
  EXPECT_EQ(8, database.integer("SELECT count(*) FROM batch_upload_sessions"));  // 13 to 20
  EXPECT_EQ(13, database.integer("SELECT min(session) FROM batch_upload_sessions"));
  EXPECT_EQ(0, database.integer("SELECT count(*) FROM batch_upload_files"));
}

}  // namespace
}  // namespace agent::history
