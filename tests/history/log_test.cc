// SQLite's log: no commit waits until it is taken into the file, and a restart finds little of it.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "agent/history/store.h"
#include "tests/fakes/temporary_folder.h"

namespace agent::history {
namespace {

class Log : public testing::Test {
 protected:
  Log() {
    options_.folder = folder_.path();
    auto opened = Store::open(options_);
    EXPECT_TRUE(opened);
    store_ = *std::move(opened);
  }
  [[nodiscard]] std::uintmax_t size(const char* file) const {
    return std::filesystem::file_size(folder_.path() / file);
  }
  void append(std::size_t bytes) {
    ASSERT_TRUE(store_->append(++revision_, std::string(bytes, 'x')));
  }

  static constexpr std::size_t kMega = std::size_t{1} << 20U;
  fakes::TemporaryFolder folder_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
  std::uint64_t revision_ = 0;
};

TEST_F(Log, NoCommitTakesItIntoTheFile) {
  store_->shorten_log(true);
  const std::uintmax_t before = size("agent.db");
  for (int i = 0; i < 12; ++i) append(kMega);
  EXPECT_EQ(before, size("agent.db"));
  EXPECT_LT(12 * kMega, size("agent.db-wal"));
  store_->shorten_log(false);
  EXPECT_LT(12 * kMega, size("agent.db"));
}

TEST_F(Log, IsTakenOverOnlyOnceItIsLong) {
  store_->shorten_log(true);
  const std::uintmax_t before = size("agent.db");
  append(kMega);
  store_->shorten_log(false);
  EXPECT_EQ(before, size("agent.db"));
}

TEST_F(Log, IsEmptyAtRest) {
  append(2 * kMega);
  store_->shorten_log(true);
  EXPECT_EQ(0U, size("agent.db-wal"));
  EXPECT_LT(2 * kMega, size("agent.db"));
}

// Who reads it meanwhile keeps it, and nobody waits for them.
TEST_F(Log, StaysWhileSomebodyReadsIt) {
  append(2 * kMega);
  {
    Database reader((folder_.path() / "agent.db").string(), Database::Access::kReadOnly, "");
    reader.execute("BEGIN");
    EXPECT_EQ(1, reader.integer("SELECT count(*) FROM live_changes"));
    append(10);
    store_->shorten_log(true);
    EXPECT_LT(2 * kMega, size("agent.db-wal"));
    append(10);
    EXPECT_EQ(1, reader.integer("SELECT count(*) FROM live_changes"));
  }
  store_->shorten_log(true);
  EXPECT_EQ(0U, size("agent.db-wal"));
}

}  // namespace
}  // namespace agent::history
