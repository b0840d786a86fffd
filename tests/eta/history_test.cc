#include "agent/eta/history.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/eta/simulated_job.h"

namespace agent::eta {
namespace {

Family family_of(std::size_t runs, std::size_t files, FamilyBounds bounds = {}) {
  std::shared_ptr<const Family> family = std::make_shared<const Family>();
  for (std::size_t r = 0; r < runs; ++r) {
    FamilyRun run;
    run.seconds = 100 + static_cast<float>(r);
    run.method_error = {0.1F, 0.2F, 0.3F, std::numeric_limits<float>::quiet_NaN()};
    run.stages = {{7, 10, 2, 0.5F, 0, 1}};
    for (std::size_t f = 0; f < files; ++f) run.known_files.push_back({f * 77 + 1, 2.0F, 0.5F});
    family = family->with(std::move(run), true, bounds);
  }
  return *family;
}

TEST(History, KeepsWhatItsBoundsAllow) {
  const Family family = family_of(20, 50, {.runs = 16, .files = 30});
  EXPECT_EQ(family.runs().size(), 16U);
  EXPECT_EQ(family.runs().front().seconds, 104);
  EXPECT_EQ(family.run_count(), 20U);
  EXPECT_EQ(family.files(), 30U);
  EXPECT_NE(family.file(1), nullptr);  // the smallest hashes stay
  EXPECT_EQ(family.file(49 * 77 + 1), nullptr);

  History history({.families = 3, .family = {}});
  for (const char* name : {"a", "b", "c", "a", "d"}) history.add(name, {}, true);
  EXPECT_EQ(history.names(),
            (std::vector<std::string>{"a", "c", "d"}));  // b was added to longest ago
  EXPECT_EQ(history.family("b"), nullptr);
}

TEST(History, AFileNotSeenForLongestGoesFirst) {
  std::shared_ptr<const Family> family = std::make_shared<const Family>();
  const auto run = [](std::uint64_t first) {
    FamilyRun r;
    for (std::uint64_t f = first; f < first + 10; ++f) r.known_files.push_back({f, 1, 1});
    return r;
  };
  family = family->with(run(1), true, {.runs = 16, .files = 15});
  family = family->with(run(100), true, {.runs = 16, .files = 15});
  EXPECT_EQ(family->files(), 15U);
  EXPECT_NE(family->file(109), nullptr);
  EXPECT_NE(family->file(5), nullptr);
  EXPECT_EQ(family->file(6), nullptr);
}

TEST(History, OfARunCutShortOnlyTheFilesCount) {
  FamilyRun run;
  run.known_files = {{1, 4.0F, 0}};
  History history;
  history.add("f", run, false);
  ASSERT_NE(history.family("f"), nullptr);
  EXPECT_TRUE(history.family("f")->runs().empty());
  ASSERT_NE(history.family("f")->file(1), nullptr);
  EXPECT_NEAR(history.family("f")->file(1)->log_seconds, std::log(4.0), 1e-6);
}

TEST(History, BytesBringBackTheSameFamily) {
  const Family family = family_of(5, 100);
  const std::string bytes = History::encode(family);
  const auto back = History::decode(bytes);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(History::encode(**back), bytes);
  EXPECT_EQ((*back)->files(), 100U);
  EXPECT_EQ((*back)->runs().back().seconds, 104);
  EXPECT_TRUE(std::isnan((*back)->runs().back().method_error[3]));
}

TEST(History, TellsStorageWhatChanged) {
  History history({.families = 2, .family = {}});
  history.add("before", {}, true);
  EXPECT_TRUE(history.take_changes().changed.empty());  // nobody keeps them
  history.keep_changes();
  history.add("b", {}, true);
  history.add("a", {}, true);
  auto c = history.take_changes();
  EXPECT_EQ(c.changed, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(c.gone, std::vector<std::string>{"before"});
  EXPECT_TRUE(c.overall);
  c = history.take_changes();
  EXPECT_TRUE(c.changed.empty() && c.gone.empty() && !c.overall);
  history.add("c", {}, false);
  history.add("b", {}, false);  // comes back
  c = history.take_changes();
  EXPECT_EQ(c.changed, (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(c.gone, std::vector<std::string>{"a"});
  EXPECT_FALSE(c.overall);
}

TEST(History, TheOverallRecordIsPackedByItsFields) {
  History history;
  FamilyRun run;
  run.method_error = {0.5F, 0.25F, 0.125F, std::numeric_limits<float>::quiet_NaN()};
  history.add("", run, true);
  progress::Packer packer;
  packer(history.overall());
  MethodRecord back;
  progress::Unpacker unpacker(packer.bytes());
  unpacker(back);
  EXPECT_TRUE(unpacker.ok());
  EXPECT_EQ(back.error, history.overall().error);
  EXPECT_EQ(back.sessions, history.overall().sessions);
}

TEST(History, DamagedBytesAreRefused) {
  const std::string bytes = History::encode(family_of(3, 10));
  for (std::size_t n = 0; n < bytes.size(); n += 7) {
    EXPECT_FALSE(History::decode(std::string_view(bytes).substr(0, n)));
  }
  EXPECT_FALSE(History::decode(bytes + "x"));
  std::string other = bytes;
  other[4] = 99;  // the version
  EXPECT_FALSE(History::decode(other));
  for (std::size_t i = 8; i < bytes.size();
       ++i) {  // nothing else may crash, or take memory without end
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(~damaged[i]);
    if (auto family = History::decode(damaged)) {
      EXPECT_LE((*family)->files(), bytes.size());
    }
  }
}

TEST(History, TheOverallRecordAges) {
  History history;
  FamilyRun run;
  run.method_error = {0.5F, 0.5F, 0.5F, 0.5F};
  for (int i = 0; i < 30; ++i) history.add("", run, true);
  EXPECT_NEAR(history.overall().sessions[0], 10, 1);
  run.method_error = {0.1F, 0.1F, 0.1F, 0.1F};
  for (int i = 0; i < 30; ++i) history.add("", run, true);
  EXPECT_NEAR(history.overall().error[0], 0.1, 0.03);
  EXPECT_TRUE(history.names().empty());
}

}  // namespace
}  // namespace agent::eta
