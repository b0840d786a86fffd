#include "agent/wire/dialogue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace agent::wire {
namespace {

using namespace std::chrono_literals;

constexpr Now kNow{Instant(1'800'000'000s), SteadyInstant(1000s)};

class Dialogues : public testing::Test {
 protected:
  // Says it in pieces as large as the dialogue takes.
  void say(std::string_view text) { say(dialogue_, text); }
  void say(Dialogue& dialogue, std::string_view text) {
    while (!text.empty()) {
      const std::size_t size = std::min(dialogue.appetite(), text.size());
      std::memcpy(intake_.buffer().room().data(), text.data(), size);
      dialogue.hear(size, kNow);
      text.remove_prefix(size);
    }
  }
  // Reads all replies, or as many bytes as given.
  std::string replies(std::size_t most = std::string::npos) {
    std::string all;
    for (std::string_view text = dialogue_.unsent(); !text.empty() && all.size() < most;
         text = dialogue_.unsent()) {
      const std::size_t size = std::min(most - all.size(), text.size());
      all += text.substr(0, size);
      dialogue_.sent(size);
    }
    return all;
  }
  static std::string count(int completed, std::string_view more = "") {
    return R"({"event":"progress","session":"s","completed":)" + std::to_string(completed) +
           std::string(more) + "}\n";
  }
  static std::string seq(int n) { return count(n, ",\"seq\":" + std::to_string(n)); }
  static std::string hello(std::string_view ack, std::string_view producer = "p") {
    return R"({"event":"hello","producer":")" + std::string(producer) + R"(","ack":)" +
           std::string(ack) + "}\n";
  }
  static std::string welcome(int last, std::string_view producer = "p") {
    return R"({"welcome":{"producer":")" + std::string(producer) + R"(","lastSeq":)" +
           std::to_string(last) + R"(,"durable":false}})" + "\n";
  }
  std::int64_t completed() {
    const auto session = tracker_.session("s", kNow);
    return session ? session->metrics.count(progress::FileStatus::kCompleted) : -1;
  }
  const SourceCounts& counts() const { return intake_.counts().of(Source::kUnix); }

  tracker::Tracker tracker_{tracker::Settings{}};
  Intake intake_{tracker_};
  Dialogue dialogue_{intake_};
};

TEST_F(Dialogues, GoodEventsGetNoReply) {
  say(count(1) + count(2));
  EXPECT_EQ(replies(), "");
  EXPECT_EQ(completed(), 2);
  EXPECT_EQ(counts().events[2], 2U);
}

TEST_F(Dialogues, EachRefusalIsALine) {
  say("\nnonsense\n" + count(1) + "[]\n");
  const std::string text = replies();
  EXPECT_EQ(text.find(R"({"error":{"line":2,"code":"invalid_json","message":")"), 0U) << text;
  EXPECT_NE(text.find("}}\n{\"error\":{\"line\":4,\"code\":\"not_an_object\","), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_EQ(completed(), 1);
}

TEST_F(Dialogues, AnUnfinishedLineIsCountedNotApplied) {
  std::string half = count(1);
  half.pop_back();
  say(half);
  dialogue_.hear_end();
  dialogue_.hear_end();
  EXPECT_EQ(completed(), -1);
  EXPECT_EQ(counts().unfinished_lines, 1U);
  EXPECT_TRUE(dialogue_.is_settled());
}

TEST_F(Dialogues, CumulativeAcknowledgements) {
  say(hello("true"));
  EXPECT_EQ(replies(), welcome(0));
  EXPECT_EQ(dialogue_.producer(), "p");
  say(seq(1) + seq(2) + seq(3));
  EXPECT_EQ(replies(), "{\"ack\":3}\n");
  say(count(4));
  EXPECT_EQ(replies(), "");
  say(seq(2));
  EXPECT_EQ(replies(), "{\"ack\":3}\n") << "never less than before";
  EXPECT_EQ(counts().duplicates, 1U);
  EXPECT_EQ(completed(), 4);
  EXPECT_EQ(tracker_.last_seq("p"), 3);
}

TEST_F(Dialogues, AnotherStreamGoesOnAtTheLastSeq) {
  say(hello("true") + seq(1) + seq(2));
  replies();
  Dialogue later(intake_);
  say(later, hello("true"));
  EXPECT_EQ(later.unsent(), welcome(2));
}

TEST_F(Dialogues, WithoutAckThereIsOnlyAWelcome) {
  say(R"({"event":"hello","producer":"p"})"
      "\n" +
      seq(1));
  EXPECT_EQ(replies(), welcome(0));
  EXPECT_EQ(tracker_.last_seq("p"), 1);
}

TEST_F(Dialogues, EachLineGetsOneReplyInOrder) {
  say(hello("\"each\"") + seq(1) + "nonsense\n" + count(2) + "\n" + seq(2) + seq(2));
  const std::string text = replies();
  EXPECT_EQ(text.find(welcome(0) + "{\"ack\":1}\n{\"error\":{\"line\":3,"), 0U) << text;
  EXPECT_NE(text.find("}}\n{\"ok\":4}\n{\"ack\":2}\n{\"ack\":2}\n"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 6);
}

TEST_F(Dialogues, ARefusedEventUsesUpItsSeq) {
  say(hello("true") + R"({"event":"fiel","session":"s","seq":1})"
                      "\n");
  const std::string text = replies();
  EXPECT_NE(text.find("unknown_event"), std::string::npos);
  EXPECT_NE(text.find("{\"ack\":1}\n"), std::string::npos);
  EXPECT_EQ(tracker_.last_seq("p"), 1);
}

TEST_F(Dialogues, EventsBelongToTheProducerOfTheHello) {
  say(hello("true"));
  replies();
  say(count(1, R"(,"seq":1,"producer":"other")") + hello("true", "other") + seq(1));
  const std::string text = replies();
  EXPECT_NE(text.find(R"("code":"invalid_field","field":"producer")"), std::string::npos) << text;
  EXPECT_NE(text.find("{\"line\":3,\"code\":\"invalid_field\""), std::string::npos) << text;
  EXPECT_NE(text.find("{\"ack\":1}\n"), std::string::npos);
  EXPECT_EQ(tracker_.last_seq("other"), 0);
  EXPECT_EQ(dialogue_.producer(), "p");
}

TEST_F(Dialogues, AnEventThatClaimsAnotherProducerUsesUpItsSeqToo) {
  say(hello("true") + seq(1) + count(2, R"(,"seq":2,"producer":"other")"));
  const std::string text = replies();
  EXPECT_NE(text.find("\"field\":\"producer\""), std::string::npos) << text;
  EXPECT_NE(text.find("{\"ack\":2}\n"), std::string::npos) << text;
  EXPECT_EQ(tracker_.last_seq("p"), 2);
  EXPECT_EQ(tracker_.last_seq("other"), 0);
  EXPECT_EQ(completed(), 1);
}

TEST_F(Dialogues, ErrorsThatAreNotReadAreDroppedAndCounted) {
  constexpr int kLines = 5000;
  for (int i = 0; i < kLines; ++i) say("[]\n");
  say(count(1));
  EXPECT_TRUE(dialogue_.wants_input());
  EXPECT_LT(dialogue_.unsent().size(), Dialogue::kMaxUnsent + 1000);
  const std::string text = replies();
  const auto sent = std::count(text.begin(), text.end(), '\n');
  EXPECT_EQ(counts().dropped_replies + static_cast<std::uint64_t>(sent), kLines);
  EXPECT_GT(counts().dropped_replies, 0U);
  EXPECT_EQ(completed(), 1);
  say("[]\n");
  EXPECT_NE(replies(), "") << "there is room again";
}

TEST_F(Dialogues, AcknowledgementsAreCoalescedNeverDropped) {
  say(hello("true"));
  for (int i = 1; i <= 20'000; ++i) say(seq(i));
  EXPECT_LT(dialogue_.unsent().size(), 1000U);
  const std::string text = replies();
  EXPECT_TRUE(text.ends_with("{\"ack\":20000}\n")) << text;
}

TEST_F(Dialogues, AcknowledgementsFindRoomBehindUnreadErrors) {
  say(hello("true"));
  for (int i = 0; i < 5000; ++i) say("[]\n");
  say(seq(1) + seq(2));
  EXPECT_TRUE(replies().ends_with("{\"ack\":2}\n"));
}

TEST_F(Dialogues, AClientThatWantsEachAndDoesNotReadIsNotReadFrom) {
  say(hello("\"each\""));
  int said = 0;
  while (dialogue_.wants_input()) {
    say("[]\n");
    ++said;
    ASSERT_LT(said, 10'000);
  }
  EXPECT_EQ(counts().dropped_replies, 0U);
  EXPECT_LE(dialogue_.appetite(), 4096U);
  const std::string text = replies();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), said + 1);
  EXPECT_TRUE(dialogue_.wants_input());
}

// Sent in small parts, replies stay whole and the buffer stays small.
TEST_F(Dialogues, SlowReadersGetWholeLines) {
  say(hello("true"));
  std::string text;
  for (int i = 1; i <= 2000; ++i) {
    say("[]\n" + seq(i));
    text += replies(50);
  }
  text += replies();
  std::size_t from = 0;
  for (std::size_t to = text.find('\n'); to != std::string::npos; to = text.find('\n', from)) {
    EXPECT_EQ(text[from], '{');
    EXPECT_EQ(text[to - 1], '}');
    from = to + 1;
  }
  EXPECT_EQ(from, text.size());
  EXPECT_TRUE(text.ends_with("{\"ack\":2000}\n"));
}

TEST_F(Dialogues, AMuteOneIsStillHeard) {
  say(hello("\"each\"") + "[]\n");
  dialogue_.mute();
  EXPECT_EQ(counts().dropped_replies, 2U);
  say(seq(1) + "[]\n");
  EXPECT_EQ(replies(), "");
  EXPECT_TRUE(dialogue_.wants_input());
  EXPECT_TRUE(dialogue_.is_settled());
  EXPECT_EQ(counts().dropped_replies, 3U);
  EXPECT_EQ(completed(), 1);
}

TEST_F(Dialogues, ALineThatIsTooLongIsRefusedOnce) {
  say(std::string(200'000, 'x') + "\n" + count(1));
  const std::string text = replies();
  EXPECT_NE(text.find("line_too_long"), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_EQ(completed(), 1);
}

}  // namespace
}  // namespace agent::wire
