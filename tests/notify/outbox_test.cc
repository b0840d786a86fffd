#include "agent/notify/outbox.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/fakes/manual_clock.h"

namespace agent::notify {
namespace {

using fakes::moment;
using fakes::now_at;

alert::Alert firing(std::string session, std::string id = "1") {
  alert::Alert alert;
  alert.id = std::move(id);
  alert.rule = *alert::find_rule("HighErrorRate");
  alert.state = alert::State::kFiring;
  alert.session = std::move(session);
  alert.starts_at = moment(0);
  return alert;
}

// An outbox, and what is sent in each second: "new a", "repeat a", "resolved a".
struct Outgoing {
  explicit Outgoing(Kind kind = Kind::kAlertmanager, bool send_resolved = true)
      : outbox(Target{kind, {}, send_resolved, {}}) {}

  std::vector<std::string> second(double t, bool reachable = true) {
    outbox.update(now_firing, now_at(t));
    std::vector<std::string> sent;
    for (const Notice& notice : outbox.due(now_at(t))) {
      const std::string what = notice.reason == SendReason::kNew        ? "new "
                               : notice.reason == SendReason::kResolved ? "resolved "
                               : notice.is_firing                       ? "repeat "
                                                                        : "repeat resolved ";
      sent.push_back(what + notice.alert.session);
      last = notice.alert;
    }
    if (!sent.empty()) {
      ++calls;
      reachable ? outbox.delivered(now_at(t)) : outbox.failed(now_at(t), 1);
    }
    return sent;
  }

  Outbox outbox;
  std::vector<alert::Alert> now_firing;
  alert::Alert last;
  int calls = 0;
};

using Sent = std::vector<std::string>;

TEST(Outbox, SaysWhatIsNewAndSaysItAgain) {
  Outgoing out;
  EXPECT_EQ(out.second(0), Sent{});
  out.now_firing = {firing("a")};
  EXPECT_EQ(out.second(1), Sent{"new a"});
  for (int t = 2; t <= 10; ++t) EXPECT_EQ(out.second(t), Sent{}) << t;
  EXPECT_EQ(out.second(11), Sent{"repeat a"});
  EXPECT_EQ(out.second(12), Sent{});
}

TEST(Outbox, SaysWhatIsOverForFiveMinutes) {
  Outgoing out;
  out.now_firing = {firing("a")};
  (void)out.second(1);
  out.now_firing.clear();
  EXPECT_EQ(out.second(10), Sent{"resolved a"});
  EXPECT_EQ(*out.last.ends_at, moment(10));
  EXPECT_EQ(out.last.state, alert::State::kResolved);
  int repeats = 0;
  for (int t = 11; t < 1000; ++t) {
    const Sent sent = out.second(t);
    if (sent.empty()) continue;
    EXPECT_EQ(sent, Sent{"repeat resolved a"});
    EXPECT_EQ(*out.last.ends_at, moment(10)) << "the end does not move";
    EXPECT_LT(t, 311);
    ++repeats;
  }
  EXPECT_EQ(repeats, 29);
  EXPECT_EQ(out.outbox.size(), 0U);
}

TEST(Outbox, TellsAWebhookEachThingOnce) {
  Outgoing out(Kind::kWebhook);
  out.now_firing = {firing("a")};
  EXPECT_EQ(out.second(1), Sent{"new a"});
  for (int t = 2; t <= 3600; ++t) EXPECT_EQ(out.second(t), Sent{});
  out.now_firing.clear();
  EXPECT_EQ(out.second(3601), Sent{"resolved a"});
  for (int t = 3602; t <= 4000; ++t) EXPECT_EQ(out.second(t), Sent{});
  EXPECT_EQ(out.outbox.size(), 0U);
}

TEST(Outbox, RemindsAWebhookOfWhatGoesOn) {
  Outgoing out(Kind::kWebhook);
  out.now_firing = {firing("a")};
  (void)out.second(1);
  EXPECT_EQ(out.second(1 + 4 * 3600), Sent{"repeat a"});
}

TEST(Outbox, KeepsTheEndToItselfWhenToldTo) {
  Outgoing out(Kind::kWebhook, false);
  out.now_firing = {firing("a")};
  (void)out.second(1);
  out.now_firing.clear();
  EXPECT_EQ(out.second(2), Sent{});
  EXPECT_EQ(out.outbox.size(), 0U);
}

TEST(Outbox, TakesABreachAfterARestForANewOne) {
  Outgoing out;
  out.now_firing = {firing("a", "1")};
  (void)out.second(1);
  out.now_firing.clear();
  EXPECT_EQ(out.second(2), Sent{"resolved a"});
  out.now_firing = {firing("a", "2")};
  EXPECT_EQ(out.second(3), Sent{"new a"});
  EXPECT_FALSE(out.last.ends_at);
}

TEST(Outbox, ForgetsNothingWhileNobodyAnswers) {
  Outgoing out;
  out.now_firing = {firing("a"), firing("b")};
  (void)out.second(1, false);
  out.now_firing = {firing("b")};
  for (int t = 2; t < 1000; ++t) (void)out.second(t, false);
  int t = 1000;
  Sent sent;
  while (sent.empty() && t < 1010) sent = out.second(t++);
  EXPECT_EQ(sent, (Sent{"new b", "resolved a"}));
  EXPECT_LE(t, 1006) << "within five seconds of its return";
  EXPECT_EQ(*out.last.ends_at, moment(2)) << "when it was over, not when it could be said";
}

TEST(Outbox, AsksLessThanOnceASecondWhileNobodyAnswers) {
  Outgoing out;
  out.now_firing = {firing("a")};
  for (int tenth = 10; tenth < 6000; ++tenth) (void)out.second(tenth / 10.0, false);
  EXPECT_LE(out.calls, 160) << "in 600 seconds";
  EXPECT_GE(out.calls, 120) << "and does not give up";
}

TEST(Outbox, SendsManyInBatchesTheLongestWaitingFirst) {
  Outgoing out;
  for (int i = 0; i < 300; ++i) out.now_firing.push_back(firing("s" + std::to_string(i)));
  EXPECT_EQ(out.second(1).size(), Outbox::kBatch);
  EXPECT_EQ(out.second(1.1).size(), 300 - Outbox::kBatch);
  EXPECT_EQ(out.second(1.2).size(), 0U);
}

TEST(Outbox, IsBounded) {
  Outgoing out;
  for (std::size_t i = 0; i < Outbox::kMost + 5; ++i)
    out.now_firing.push_back(firing("s" + std::to_string(i)));
  (void)out.second(1);
  EXPECT_EQ(out.outbox.size(), Outbox::kMost);
  EXPECT_EQ(out.outbox.dropped(), 5U);
}

TEST(Outbox, TellsOfEachSeverityApart) {
  Outgoing out;
  out.now_firing = {firing("a")};
  (void)out.second(1);
  out.now_firing[0].severity = alert::Severity::kCritical;
  EXPECT_EQ(out.second(2), (Sent{"new a", "resolved a"}))
      << "to others, other labels are another alert";
}

}  // namespace
}  // namespace agent::notify
