#include "agent/progress/file_table.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace agent::progress {
namespace {

FileRef add(FileTable& table, const std::string& id) {
  return table.insert(id, FileTable::hash(id));
}
std::vector<std::string> walk(const FileTable& table) {
  std::vector<std::string> ids;
  for (auto ref = table.next_from(0); ref;
       ref = table.next_from(FileTable::after(*ref, table.at(*ref)))) {
    ids.emplace_back(table.at(*ref).id());
  }
  return ids;
}

TEST(FileTable, FindsWhatWasInsertedAndNothingElse) {
  FileTable table;
  EXPECT_FALSE(table.find("a"));
  const FileRef a = add(table, "a");
  EXPECT_EQ(table.find("a"), a);
  EXPECT_FALSE(table.find("b"));
  EXPECT_EQ(table.size(), 1U);
}

TEST(FileTable, KeepsIdsOfEveryLengthApart) {
  FileTable table;
  std::vector<std::string> ids;
  for (std::size_t length = 1; length <= 512; ++length) ids.emplace_back(length, 'x');
  for (const auto& id : ids) add(table, id);
  for (const auto& id : ids) {
    const auto ref = table.find(id);
    ASSERT_TRUE(ref) << id.size();
    EXPECT_EQ(table.at(*ref).id(), id);
  }
}

TEST(FileTable, WalksInTheOrderFirstSeenAcrossBlocks) {
  FileTable table;
  std::vector<std::string> ids;
  for (int i = 0; i < 5'000; ++i) {
    ids.push_back(std::to_string(i * 7919) + std::string(static_cast<std::size_t>(i % 40), '-'));
    add(table, ids.back());
  }
  EXPECT_EQ(walk(table), ids);
}

TEST(FileTable, KeepsARecordAsItsBlockGrows) {
  FileTable table;
  const FileRef first = add(table, "first");
  table.at(first).bytes = 42;
  for (int i = 0; i < 500; ++i) add(table, std::to_string(i));
  EXPECT_EQ(table.at(first).bytes, 42);
  EXPECT_EQ(table.at(first).id(), "first");
}

TEST(FileTable, SeeksTheFirstRecordAtOrAfterAnyNumber) {
  FileTable table;
  std::vector<FileRef> refs;
  for (int i = 0; i < 2'000; ++i) refs.push_back(add(table, std::to_string(i)));
  for (std::size_t i = 1; i < refs.size(); i += 97) {
    EXPECT_EQ(table.seek(refs[i]), refs[i]);
    EXPECT_EQ(table.seek(refs[i] - 1U), refs[i]);  // in the middle of the one before
  }
  EXPECT_EQ(table.seek(0), refs.front());
}

TEST(FileTable, SeeksNothingBeyondTheEnd) {
  FileTable table;
  EXPECT_FALSE(table.seek(0));
  const FileRef only = add(table, "a");
  for (const std::uint64_t cursor :
       {std::uint64_t{only} + 1, std::uint64_t{1} << 32U, (std::uint64_t{1} << 32U) + 1,
        std::numeric_limits<std::uint64_t>::max()}) {
    EXPECT_FALSE(table.seek(cursor)) << cursor;
  }
}

TEST(FileTable, ClearForgetsAll) {
  FileTable table;
  table.rare(table.at(add(table, "a"))).error = "broken";
  table.clear();
  EXPECT_EQ(table.size(), 0U);
  EXPECT_FALSE(table.find("a"));
  EXPECT_FALSE(table.next_from(0));
  const FileRef again = add(table, "a");
  EXPECT_EQ(table.rare_of(table.at(again)), nullptr);
}

TEST(FileTable, KeepsRareFactsByFile) {
  FileTable table;
  const FileRef a = add(table, "a");
  const FileRef b = add(table, "b");
  const FileRef c = add(table, "c");
  table.rare(table.at(a)).error = "first";
  table.rare(table.at(b)).error = "second";
  EXPECT_EQ(table.rare(table.at(a)).error, "first");
  EXPECT_EQ(table.rare(table.at(b)).error, "second");
  EXPECT_EQ(table.rare_of(table.at(c)), nullptr);
}

TEST(FileTable, ARecordTakesNinetySixBytes) { EXPECT_EQ(sizeof(File), 96U); }

}  // namespace
}  // namespace agent::progress
