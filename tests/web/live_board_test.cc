#include "agent/web/live_board.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agent/alert/alert.h"
#include "tests/fakes/one_tracker.h"

namespace agent::web {
namespace {

using fakes::now_at;
using progress::FileStatus;

constexpr std::ptrdiff_t kPlenty = 1 << 20;

// The text of a message without its WebSocket header.
std::string text_of(const Frame& frame) {
  return std::string(frame.text.substr(frame.text.find('{')));
}

// What a message is: "metrics s", "file s a.pdf", ...
std::string kind_of(const std::string& text) {
  const auto between = [&](std::string_view key) {
    const std::size_t at = text.find(key);
    if (at == std::string::npos) return std::string();
    const std::size_t begin = at + key.size();
    return text.substr(begin, text.find('"', begin) - begin);
  };
  std::string kind = between(R"("type":")");
  const std::string id = between(R"("session":")");
  kind += " " + (id.empty() ? between(R"("session":{"session":{"id":")") : id);
  if (kind.starts_with("file ")) kind += " " + between(R"("file":{"file":")");
  return kind;
}

class Board : public ::testing::Test {
 protected:
  void begin(double at) {
    board_.open(now_at(at));
    first_ = text_of(board_.snapshot(reader_, now_at(at)));
  }
  // What the reader is sent when its turn comes.
  std::vector<std::string> turn(LiveReader& reader, std::ptrdiff_t file_bytes = kPlenty) {
    std::vector<std::string> texts;
    for (;;) {
      std::vector<Frame> frames;
      board_.take(reader, frames, file_bytes);
      if (frames.empty()) return texts;
      for (const Frame& frame : frames) texts.push_back(text_of(frame));
    }
  }
  std::vector<std::string> kinds(double at) {
    board_.look(now_at(at));
    std::vector<std::string> out;
    for (const std::string& text : turn(reader_)) out.push_back(kind_of(text));
    return out;
  }
  void progress(double at, std::int64_t completed, std::string_view session = "s") {
    progress::CountsReported counts;
    counts.completed = completed;
    counts.total = 100;
    ASSERT_TRUE(tracker_.send(at, session, counts));
  }

  fakes::OneTracker tracker_;
  LiveBoard board_{tracker_.tracker()};
  LiveReader reader_;
  std::string first_;
};

using Kinds = std::vector<std::string>;

bool has(const Kinds& kinds, const std::string& kind) {
  return std::ranges::find(kinds, kind) != kinds.end();
}

TEST_F(Board, begins_with_every_session) {
  tracker_.start(0, "a");
  tracker_.start(0, "b");
  begin(1);
  EXPECT_TRUE(first_.starts_with(R"({"type":"snapshot","sessions":[{"session":{"id":"a")"))
      << first_;
  EXPECT_NE(first_.find(R"("id":"b")"), std::string::npos);
  EXPECT_TRUE(kinds(1).empty());
}

TEST_F(Board, tells_of_a_session_from_its_start_to_its_removal) {
  begin(0);
  tracker_.start(1, "s");
  EXPECT_EQ(kinds(1.1), (Kinds{"sessionStarted s"}));
  progress(3, 10);
  const Kinds working = kinds(3);
  EXPECT_TRUE(has(working, "metrics s"));
  tracker_.end(5, "s");
  EXPECT_EQ(kinds(5), (Kinds{"sessionEnded s"}));
  tracker_.tracker().clean_up({}, now_at(7));
  EXPECT_EQ(kinds(7), (Kinds{"removed s"}));
  board_.forget_before(reader_.sessions, reader_.files);
  EXPECT_TRUE(kinds(9).empty());
}

TEST_F(Board, says_nothing_of_what_did_not_change) {
  tracker_.start(0, "ended");
  tracker_.end(1, "ended");
  progress::SessionStarted minimal;
  minimal.facts.mode = progress::Mode::kMinimal;
  tracker_.send(0, "minimal", minimal);
  begin(1);
  for (int second = 2; second < 30; ++second) EXPECT_TRUE(kinds(second).empty()) << second;
}

TEST_F(Board, a_silent_session_is_heard_at_once_a_busy_one_once_in_its_interval) {
  progress(0, 1);
  begin(0);
  kinds(5);
  std::vector<double> told;
  for (int tenth = 100; tenth < 150; ++tenth) {
    progress(tenth / 10.0, tenth - 90);
    if (has(kinds(tenth / 10.0), "metrics s")) told.push_back(tenth / 10.0);
  }
  EXPECT_EQ(told, (std::vector<double>{10, 11, 12, 13, 14}));
}

TEST_F(Board, a_slow_reader_gets_the_newest_only) {
  progress(0, 1);
  begin(0);
  for (int second = 1; second <= 60; ++second) {
    progress(second, second);
    board_.look(now_at(second + 0.5));
  }
  const auto texts = turn(reader_);
  Kinds told;
  for (const std::string& text : texts) told.push_back(kind_of(text));
  EXPECT_EQ(std::ranges::count(told, "metrics s"), 1);
  const auto metrics = std::ranges::find(told, "metrics s") - told.begin();
  EXPECT_NE(texts[static_cast<std::size_t>(metrics)].find(R"("filesCompleted":60)"),
            std::string::npos);
  EXPECT_GE(reader_.dropped, 59U);
}

TEST_F(Board, counts_what_one_who_leaves_was_never_sent) {
  tracker_.start(0, "s");
  begin(0);
  for (int i = 0; i < 7; ++i) {
    tracker_.file(2, "s", "f" + std::to_string(i), FileStatus::kProcessing);
  }
  board_.look(now_at(3));
  board_.give_up(reader_);
  EXPECT_GE(reader_.dropped, 7U);
}

TEST_F(Board, tells_of_files_as_they_are_now) {
  tracker_.start(0, "s");
  begin(0);
  tracker_.file(2, "s", "a", FileStatus::kProcessing);
  tracker_.file(2.1, "s", "b", FileStatus::kProcessing);
  tracker_.file(2.2, "s", "a", FileStatus::kCompleted);
  board_.look(now_at(3));
  Kinds told;
  for (const std::string& text : turn(reader_)) {
    told.push_back(kind_of(text));
    if (told.back() == "file s a") {
      EXPECT_NE(text.find("completed"), std::string::npos) << text;
    }
  }
  EXPECT_EQ(std::ranges::count(told, "file s a"), 1);
  EXPECT_EQ(std::ranges::count(told, "file s b"), 1);
  EXPECT_FALSE(has(kinds(10), "file s a"));
}

TEST_F(Board, files_of_a_list_begun_anew_are_gone) {
  tracker_.start(0, "s");
  begin(0);
  for (int i = 0; i < 20; ++i) {
    tracker_.file(2, "s", "a" + std::to_string(i), FileStatus::kProcessing);
  }
  board_.look(now_at(3));
  tracker_.file(3.1, "s", "old", FileStatus::kProcessing);
  tracker_.end(3.5, "s");
  tracker_.start(4, "s");
  tracker_.file(4.1, "s", "new", FileStatus::kProcessing);
  board_.look(now_at(5));
  Kinds told;
  for (const std::string& text : turn(reader_)) told.push_back(kind_of(text));
  EXPECT_TRUE(has(told, "sessionStarted s"));
  EXPECT_EQ(std::ranges::count_if(told, [](const auto& kind) { return kind.starts_with("file"); }),
            1);
  EXPECT_TRUE(has(told, "file s new"));
}

TEST_F(Board, sessions_come_before_files_and_files_within_the_budget) {
  tracker_.start(0, "s");
  begin(0);
  for (int i = 0; i < 50; ++i) {
    tracker_.file(2, "s", "f" + std::to_string(i), FileStatus::kProcessing);
  }
  board_.look(now_at(3));
  const auto texts = turn(reader_, 1);
  ASSERT_EQ(kind_of(texts.front()), "metrics s");
  EXPECT_EQ(
      std::ranges::count_if(texts, [](const auto& t) { return kind_of(t).starts_with("file"); }),
      1);
  EXPECT_GE(turn(reader_).size(), 49U);  // the rest, next time
}

TEST_F(Board, a_reader_hears_only_of_the_sessions_it_asked_for) {
  tracker_.start(0, "a");
  tracker_.start(0, "b");
  reader_.only = {"b", "later"};
  begin(0);
  EXPECT_EQ(first_.find(R"("id":"a")"), std::string::npos);
  EXPECT_NE(first_.find(R"("id":"b")"), std::string::npos);
  tracker_.file(2, "a", "x", FileStatus::kProcessing);
  tracker_.start(2, "later");
  tracker_.start(2, "other");
  const Kinds told = kinds(3);
  EXPECT_TRUE(has(told, "sessionStarted later"));
  EXPECT_TRUE(std::ranges::all_of(
      told, [](const auto& kind) { return kind.ends_with(" b") || kind.ends_with(" later"); }));
}

TEST_F(Board, one_text_serves_all_readers) {
  tracker_.start(0, "s");
  begin(0);
  LiveReader other;
  EXPECT_EQ(board_.snapshot(other, now_at(0)).owner, board_.snapshot(reader_, now_at(0)).owner);
  tracker_.file(2, "s", "a", FileStatus::kProcessing);
  board_.look(now_at(3));
  std::vector<Frame> to_one, to_other;
  std::ptrdiff_t bytes = kPlenty;
  board_.take(reader_, to_one, bytes);
  board_.take(other, to_other, bytes);
  ASSERT_EQ(to_one.size(), to_other.size());
  ASSERT_GE(to_one.size(), 2U);
  for (std::size_t i = 0; i < to_one.size(); ++i) EXPECT_EQ(to_one[i].owner, to_other[i].owner);
}

TEST_F(Board, sessions_without_real_time_updates_stay_out) {
  progress::SessionStarted quiet;
  quiet.facts.config.real_time_updates = false;
  tracker_.send(0, "quiet", quiet);
  begin(0);
  EXPECT_EQ(first_, R"({"type":"snapshot","sessions":[]})");
  tracker_.file(2, "quiet", "a", FileStatus::kProcessing);
  tracker_.send(2, "quiet too", quiet);
  EXPECT_TRUE(kinds(3).empty());
  tracker_.end(4, "quiet");
  EXPECT_TRUE(kinds(5).empty());
}

TEST_F(Board, an_alert_is_told_when_it_fires_and_when_it_is_dismissed) {
  tracker_.start(0, "s");
  tracker_.file(1, "s", "a", FileStatus::kFailed);
  begin(2);
  tracker_.end(3, "s");
  board_.look(now_at(3));
  const auto ended = turn(reader_);
  const auto with_alert = std::ranges::find_if(ended, [](const std::string& text) {
    return text.starts_with(R"({"type":"sessionEnded")") &&
           text.find("SuccessRateBelowTarget") != std::string::npos;
  });
  ASSERT_NE(with_alert, ended.end());
  const auto session = tracker_.session(3, "s");
  const auto& current = session->alerts->current;
  const auto alert = std::ranges::find(current, "SuccessRateBelowTarget", &alert::Alert::name);
  ASSERT_NE(alert, current.end());
  ASSERT_TRUE(tracker_.tracker().dismiss(alert->id));
  board_.look(now_at(6));
  const auto told = turn(reader_);
  EXPECT_TRUE(std::ranges::any_of(told, [&](const std::string& text) {
    return text.starts_with(R"({"type":"alert","session":"s","alert":{"id":")" + alert->id) &&
           text.find(R"("dismissed":true)") != std::string::npos;
  }));
}

TEST_F(Board, the_eta_is_told_when_it_changed) {
  progress(0, 1);
  begin(0);
  progress(10, 20);
  EXPECT_TRUE(has(kinds(10.5), "eta s"));
}

}  // namespace
}  // namespace agent::web
