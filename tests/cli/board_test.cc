#include "agent/cli/board.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace agent::cli {
namespace {

constexpr std::string_view kPage = R"({"items":[
 {"session":{"id":"nightly","name":"Nightly","family":"import","attempt":2,"mode":"comprehensive","currency":"USD"},
  "state":"working",
  "metrics":{"totalFiles":400,"filesCompleted":100,"filesFailed":3,"filesProcessing":4,"filesPending":293,
             "filesSkipped":0,"progressPercentage":25.5,"startTime":"2026-01-05T09:00:00.000Z","elapsedTimeMs":60000,
             "estimatedCost":1.5,"currentThroughput":100,"errorRate":0.03,"retryCount":2},
  "eta":{"estimatedTimeRemainingMs":900000,"estimatedCompletionTime":"2026-01-05T09:16:00.000Z","confidence":0.7,
         "method":"adaptive","interval":{"lowMs":720000,"highMs":1080000,"level":0.8},
         "methods":{"linear":800000,"adaptive":900000}},
  "alerts":[{"name":"HighErrorRate","severity":"warning","state":"firing","message":"3 % failed"},
            {"name":"LowThroughput","severity":"info","state":"pending","message":"slow"}],
  "insights":[]},
 {"session":{"id":"<b>\u001b[31m","name":"odd","family":""},"state":"stalled",
  "metrics":{"totalFiles":7,"filesCompleted":7,"progressPercentage":100,"startTime":"2026-01-05T08:00:00.000Z"},
  "alerts":[],"insights":[]}],
 "nextCursor":"abc"})";

std::size_t columns(const std::string& line) {
  return static_cast<std::size_t>(std::ranges::count_if(
      line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

TEST(Board, ReadsWhatTheApiLists) {
  const auto page = read_sessions(kPage);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->sessions.size(), 2U);
  EXPECT_EQ(page->next, "abc");
  const BoardSession& s = page->sessions[0];
  EXPECT_EQ(s.id, "nightly");
  EXPECT_EQ(s.completed, 100);
  EXPECT_EQ(s.finish, "09:16:00");
  EXPECT_EQ(s.methods.size(), 2U);
  ASSERT_EQ(s.alerts.size(), 1U);  // the pending one does not fire
  EXPECT_EQ(s.alerts[0].text, "HighErrorRate: 3 % failed");
  EXPECT_FALSE(page->sessions[1].remaining_ms);
}

TEST(Board, WhatIsNoListIsAnError) {
  EXPECT_FALSE(read_sessions("{"));
  EXPECT_FALSE(read_sessions(R"({"error":{"code":"x","message":"y"}})"));
  EXPECT_FALSE(read_files("[]"));
}

TEST(Board, LinesFitTheScreenAndHoldNoControlCharacters) {
  const auto page = read_sessions(kPage);
  for (const std::size_t width : {20, 40, 60, 80, 120, 200}) {
    for (const std::string& line : overview(page->sessions, std::nullopt, {.columns = width})) {
      EXPECT_LE(columns(line), width) << line;
      EXPECT_EQ(line.find('\x1b'), std::string::npos) << line;
    }
    for (const std::string& line : detail(page->sessions[0], {{"a\nb", "processing", "x", 50}},
                                          {.columns = std::max<std::size_t>(width, 40)})) {
      EXPECT_EQ(line.find('\n'), std::string::npos) << line;
    }
  }
}

TEST(Board, ShowsTheRangeTheFilesAndTheAlert) {
  const auto page = read_sessions(kPage);
  std::string text;
  for (const auto& line : overview(page->sessions, std::nullopt, {.columns = 160}))
    text += line + "\n";
  for (const char* part :
       {"12–18 min", "100/400", "25.5%", "▶ working", "⚠ nightly", "! stalled", "1.50 USD"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(Board, SortsWhatNeedsLookingAtFirst) {
  auto sessions = read_sessions(kPage)->sessions;
  sort(sessions, BoardOrder::kState, false);
  EXPECT_EQ(sessions[0].state, "stalled");
  sort(sessions, BoardOrder::kState, true);
  EXPECT_EQ(sessions[0].state, "working");
  sort(sessions, BoardOrder::kRemaining, false);
  EXPECT_EQ(sessions[0].id, "nightly");  // what has no end in sight comes last
  filter(sessions, "IMPORT");
  EXPECT_EQ(sessions.size(), 1U);
}

TEST(Board, TheSelectedSessionIsOnTheScreen) {
  std::vector<BoardSession> many(100);
  for (std::size_t i = 0; i < many.size(); ++i) many[i].id = "s" + std::to_string(i);
  const auto lines = overview(many, 57, {.columns = 100, .lines = 10});
  EXPECT_EQ(lines.size(), 10U);
  EXPECT_TRUE(lines.back().starts_with("s57 "));
}

TEST(Board, Durations) {
  EXPECT_EQ(shown_range(720'000, 1'080'000), "12–18 min");
  EXPECT_EQ(shown_range(30'000, 120'000), "30 s–2 min");
  EXPECT_EQ(shown_range(44'000, 95'000), "44–95 s");
  EXPECT_EQ(shown_range(180'000, 270'000), "3–4.5 min");
  EXPECT_EQ(shown_range(721'000, 722'000), "12 min");
  EXPECT_EQ(shown_duration(7'200'000), "2.0 h");
  EXPECT_EQ(shown_duration(86'400'000.0 * 3), "3.0 d");
}

}  // namespace
}  // namespace agent::cli
