#include "agent/cli/player.h"

#include <gtest/gtest.h>

#include "agent/wire/parser.h"

namespace agent::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Plays lines from memory.
class Recording {
 public:
  explicit Recording(bool with_log = false)
      : player_({}, wire::kDefaultMaxLineBytes,
                with_log ? EtaLog::Write([this](std::string_view line) { log_ += line; })
                         : EtaLog::Write(),
                [this](std::string_view line) { alerts_ += line; }) {}

  Result<void, progress::Rejection> play(std::string text) {
    text.reserve(text.size() + wire::kPadding);
    return player_.play({text, ++lines_, false});
  }
  void play_good(const std::string& text) {
    const auto played = play(text);
    ASSERT_TRUE(played) << text << ": " << played.error().message;
  }
  Player& player() { return player_; }
  [[nodiscard]] std::size_t predictions() const {
    return static_cast<std::size_t>(std::ranges::count(log_, '\n'));
  }
  [[nodiscard]] const std::string& log() const { return log_; }
  [[nodiscard]] const std::string& alerts() const { return alerts_; }

 private:
  std::string log_, alerts_;
  Player player_;
  std::uint64_t lines_ = 0;
};

std::string file_event(const char* session, double ts, const char* file, const char* status) {
  return std::string("{\"event\":\"file\",\"session\":\"") + session +
         "\",\"ts\":" + std::to_string(ts) + ",\"file\":\"" + file + "\",\"status\":\"" + status +
         "\"}";
}

TEST(Player, ShowsEachSessionAsOfItsOwnLastEvent) {
  Recording recording;
  recording.play_good(file_event("b", 100, "f", "processing"));
  recording.play_good(file_event("a", 150, "f", "processing"));
  recording.play_good(file_event("b", 160, "f", "completed"));
  recording.play_good(file_event("a", 500, "f", "completed"));
  const View view = recording.player().view();
  ASSERT_EQ(view.sessions.size(), 2);
  EXPECT_EQ(view.sessions[0]->id(), "b");
  EXPECT_EQ(view.sessions[0]->metrics.elapsed, Duration(seconds(60)));
  EXPECT_EQ(view.sessions[1]->metrics.elapsed, Duration(seconds(350)));
}

TEST(Player, TreatsNoEventAsAheadOrStaleForBeingOld) {
  Recording recording;
  recording.play_good(file_event("s", 9e9, "f", "processing"));  // the year 2255
  recording.play_good(file_event("old", 10, "f", "completed"));
  recording.play_good(file_event("s", 9e9 + 86'400, "f", "completed"));
  const View view = recording.player().view();
  ASSERT_EQ(view.sessions.size(), 2);
  EXPECT_EQ(view.sessions[0]->identity->attempt, 1);
  EXPECT_EQ(view.sessions[0]->metrics.elapsed, Duration(std::chrono::hours(24)));
  EXPECT_EQ(view.sessions[1]->metrics.count(progress::FileStatus::kCompleted), 1);
}

TEST(Player, GivesAnEventWithoutTimeTheLatestSeen) {
  Recording recording;
  recording.play_good(file_event("a", 100, "f", "processing"));
  recording.play_good(R"({"event":"file","session":"a","file":"f","status":"completed"})");
  EXPECT_EQ(recording.player().view().sessions[0]->last_event_time, Instant(seconds(100)));
}

TEST(Player, CountsADuplicateOnce) {
  Recording recording;
  recording.play_good(R"({"event":"hello","producer":"p","ack":true})");
  for (int i = 0; i < 2; ++i) {
    recording.play_good(R"({"event":"api","session":"s","ts":1,"seq":1,"ok":true})");
  }
  EXPECT_EQ(recording.player().view().sessions[0]->metrics.api_calls_total, 1);
  EXPECT_EQ(recording.player().totals().duplicates, 1);
}

TEST(Player, RefusesALineAndGoesOn) {
  Recording recording;
  const auto refused = recording.play("{\"event\":");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, progress::RejectReason::kInvalidJson);
  recording.play_good(file_event("a", 1, "f", "completed"));
  EXPECT_EQ(recording.player().lines_refused(), 1);
  EXPECT_EQ(recording.player().view().sessions.size(), 1);
}

TEST(Player, CountsARefusalWithItsSession) {
  Recording recording;
  recording.play_good(file_event("a", 1, "f", "completed"));
  EXPECT_FALSE(recording.play(R"({"event":"file","session":"a","file":"f","progress":101})"));
  const View view = recording.player().view();
  const auto& rejected = view.sessions[0]->rejected;
  EXPECT_EQ(rejected[static_cast<std::size_t>(progress::RejectReason::kInvalidField)], 1);
}

TEST(EtaLog, SpacesItsLines) {
  EXPECT_EQ(EtaLog::after_line_at(Duration{}), Duration(milliseconds(10)));
  EXPECT_EQ(EtaLog::after_line_at(seconds(1)), Duration(milliseconds(1010)));
  EXPECT_EQ(EtaLog::after_line_at(seconds(100)), Duration(milliseconds(100'500)));
}

TEST(EtaLog, SpeaksInTheMiddleOfSilence) {
  Recording recording(true);
  recording.play_good(file_event("a", 1000, "f", "processing"));
  EXPECT_EQ(recording.predictions(), 0) << "other events of this instant may follow";
  recording.play_good(file_event("a", 1000.035, "f", "processing"));
  EXPECT_EQ(recording.predictions(), 4) << recording.log();  // at 0, 10, 20 and 30 ms
  recording.play_good(file_event("a", 1000.040, "f", "processing"));
  EXPECT_EQ(recording.predictions(), 4) << "the line at 40 ms comes after the events of 40 ms";
  recording.player().finish();
  EXPECT_EQ(recording.predictions(), 5);
}

TEST(EtaLog, KnowsNothingOfWhatComesLater) {
  const auto log_of = [](bool goes_on) {
    Recording recording(true);
    recording.play_good(R"({"event":"session.start","session":"a","ts":1000,"totalFiles":10})");
    recording.play_good(file_event("a", 1000, "1", "processing"));
    recording.play_good(file_event("a", 1010, "1", "completed"));
    recording.play_good(file_event("a", 1020, "2", goes_on ? "completed" : "processing"));
    recording.play_good(file_event("a", 1030, "3", "processing"));
    recording.player().finish();
    return recording.log();
  };
  const std::string good = log_of(true), bad = log_of(false);
  const std::size_t differ =
      static_cast<std::size_t>(std::ranges::mismatch(good, bad).in1 - good.begin());
  ASSERT_TRUE(good != bad);
  // They part where a line at 20 s or later begins.
  const std::size_t line = good.rfind('\n', differ) + 1;
  EXPECT_EQ(good.substr(line, 21), "{\"session\":\"a\",\"t\":20");
}

TEST(EtaLog, EndsWithItsSessionAndBeginsAnewWithTheNextAttempt) {
  Recording recording(true);
  recording.play_good(file_event("a", 1000, "1", "processing"));
  recording.play_good(R"({"event":"session.end","session":"a","ts":1001,"status":"completed"})");
  const std::size_t before_end = recording.predictions();
  recording.play_good(file_event("b", 2000, "1", "processing"));
  EXPECT_EQ(recording.predictions(), before_end);
  recording.play_good(R"({"event":"session.start","session":"a","ts":3000})");
  recording.play_good(file_event("a", 3000.005, "2", "processing"));
  const std::size_t last = recording.log().rfind("{\"session\":\"a\"");
  EXPECT_EQ(recording.log().substr(last, 20), "{\"session\":\"a\",\"t\":0");
}

TEST(EtaLog, FollowsASessionThatLagsBehindTheOthers) {
  Recording recording(true);
  recording.play_good(file_event("late", 9000, "1", "processing"));
  recording.play_good(file_event("early", 100, "1", "processing"));
  const std::size_t before = recording.predictions();
  recording.play_good(file_event("early", 100.05, "1", "completed"));
  EXPECT_EQ(recording.predictions(), before + 5) << recording.log();
}

TEST(EtaLine, LeavesOutWhatIsNotKnown) {
  progress::SessionSnapshot session;
  auto identity = std::make_shared<progress::SessionIdentity>();
  identity->id = "a\"b";
  session.identity = identity;
  session.metrics.progress_percentage = 12.5;
  EXPECT_EQ(eta_line(session, milliseconds(1500)),
            "{\"session\":\"a\\\"b\",\"t\":1.5,\"progress\":0.125}\n");
  session.eta = progress::Forecast{};
  session.eta->remaining = seconds(10);
  session.eta->low = seconds(8);
  session.eta->high = seconds(12);
  session.eta->confidence = 0.5;
  session.eta->methods[0] = seconds(10);
  EXPECT_EQ(eta_line(session, seconds(2)),
            "{\"session\":\"a\\\"b\",\"t\":2,\"remaining_s\":10,\"lo_s\":8,\"hi_s\":12,"
            "\"confidence\":0.5,\"method\":\"linear\",\"methods\":{\"linear\":10},"
            "\"progress\":0.125}\n");
}

TEST(Player, TellsOfNoMovedEndWhereNoEndWasKnown) {
  Recording recording;
  for (int i = 0; i < 300; ++i) {
    const std::string file = std::to_string(i);
    recording.play_good(file_event("s", 10.0 * i, file.c_str(), "processing"));
    recording.play_good(file_event("s", 10.0 * i + 9, file.c_str(), "completed"));
  }
  EXPECT_EQ(recording.alerts(), "");
}

// However long a session is: a silence of 70 s in one of three hours.
TEST(Player, TellsOfAlertsInEverySilence) {
  Recording recording;
  recording.play_good(R"({"event":"session.start","session":"s","ts":0,"totalFiles":2000})");
  for (int i = 0; i < 1'000; ++i) {
    const std::string file = std::to_string(i);
    const double at = 10.0 * i;
    recording.play_good(file_event("s", at, file.c_str(), "processing"));
    recording.play_good(file_event("s", at + 9, file.c_str(), "completed"));
  }
  EXPECT_EQ(recording.alerts(), "");
  recording.play_good(file_event("s", 10'060, "last", "processing"));
  recording.play_good(file_event("s", 10'065, "last", "completed"));
  recording.player().finish();
  const View view = recording.player().view();
  EXPECT_TRUE(view.sessions[0]->alerts->current.empty());
  EXPECT_NE(recording.alerts().find("\"at\":\"1970-01-01T02:47:39.999Z\",\"reason\":\"held\","
                                    "\"alert\":{\"id\":"),
            std::string::npos)
      << recording.alerts();
  EXPECT_NE(recording.alerts().find("\"name\":\"SessionStalled\""), std::string::npos);
  EXPECT_NE(recording.alerts().find("\"at\":\"1970-01-01T02:47:40.000Z\",\"reason\":\"recovered\""),
            std::string::npos)
      << recording.alerts();
}

}  // namespace
}  // namespace agent::cli
