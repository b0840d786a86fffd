#include "agent/cli/recognise.h"

#include <gtest/gtest.h>

#include <string_view>
#include <utility>
#include <vector>

namespace agent::cli {
namespace {

Count things(std::int64_t done, std::int64_t total) { return {done, total, false}; }
Count percent(std::int64_t share) { return {share, 100, true}; }

TEST(Recognise, CountsAndPercentagesOfManyPrograms) {
  const std::vector<std::pair<std::string_view, Count>> lines = {
      {"12/400", things(12, 400)},
      {"37%", percent(37)},
      {"processed 12 of 400 files", things(12, 400)},
      {"[ 45/231] Building CXX object", things(45, 231)},
      {" 37%|###7      | 37/100 [00:03<00:05, 11.50it/s]", things(37, 100)},
      {" 35%|###5      | 1.20M/3.40M [00:03<00:05, 400kB/s]", percent(35)},
      {"Working... ━━━━━━━━━━━━ 42% 0:00:05", percent(42)},
      {"1.00GiB 0:00:03 [ 350MiB/s] [====>        ] 37% ETA 0:00:05", percent(37)},
      {"######################                      37.5%", percent(37)},
      {" 37 1000M   37  370M    0     0  10.0M      0  0:01:40  0:00:37  0:01:03 10.0M",
       percent(37)},
      {"Transferred:   \t  1.5 GiB / 3 GiB, 50%, 10.5 MiB/s, ETA 3m", percent(50)},
      {"Transferred:            3 / 10, 30%", things(3, 10)},
      {"epoch 3/10: loss 0.12", things(3, 10)},
      {"done 1,200/4,800.", things(1200, 4800)},
      {"100 %", percent(100)},
      {"0/7", things(0, 7)},
  };
  for (const auto& [line, count] : lines) {
    const auto found = recognise(without_escapes(line));
    ASSERT_TRUE(found) << line;
    EXPECT_EQ(count.done, found->done) << line;
    EXPECT_EQ(count.total, found->total) << line;
    EXPECT_EQ(count.is_percent, found->is_percent) << line;
  }
}

TEST(Recognise, WhatIsNoProgress) {
  for (const std::string_view line :
       {"", "hello", "2026/11/23 10:00:00 started", "11/23 10:00:00 INFO", "GET /a/12/400 HTTP/1.1",
        "ratio 5/4", "version 1.2/3", "a1/2b", "120%", "12/", "/400", "1/0", "-3/10", "error 12",
        "192.168.0.1/24", "100 files", "rate 11.5it/s"}) {
    EXPECT_FALSE(recognise(line)) << line;
  }
}

TEST(Recognise, TerminalSequencesAreNoText) {
  EXPECT_EQ("12/400", without_escapes("\x1b[2K\x1b[1;32m12/400\x1b[0m"));
}

TEST(Listening, HearsLinesInPiecesAndCarriageReturns) {
  Listening listening;
  EXPECT_FALSE(listening.hear("1/4"));
  EXPECT_TRUE(listening.hear("00\r2/4"));
  EXPECT_EQ(things(1, 400), *listening.count());
  EXPECT_TRUE(listening.hear("00\r"));
  EXPECT_EQ(things(2, 400), *listening.count());
  EXPECT_FALSE(listening.hear("2/400\n"));  // nothing new
  EXPECT_FALSE(listening.hear("3/400"));
  EXPECT_TRUE(listening.finish());
}

TEST(Listening, KeepsToOneCount) {
  Listening listening;
  EXPECT_TRUE(listening.hear("10%\n"));
  EXPECT_TRUE(listening.hear("3/10\n"));  // things are better than a percentage
  EXPECT_FALSE(listening.hear("50%\n"));  // and are kept to
  EXPECT_FALSE(listening.hear("1/3\n"));  // one odd line
  EXPECT_TRUE(listening.hear("4/10\n"));
  bool changed = false;
  for (int i = 0; i < 100 && !changed; ++i) changed = listening.hear("5/20\n");
  EXPECT_TRUE(changed);  // another phase of the job
  EXPECT_EQ(things(5, 20), *listening.count());
}

TEST(Listening, ALineWithoutEndCostsNothing) {
  Listening listening;
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(listening.hear(std::string(10'000, '7')));
  EXPECT_FALSE(listening.hear("\n"));
  EXPECT_TRUE(listening.hear("1/2\n"));
}

}  // namespace
}  // namespace agent::cli
