#include "agent/web/events.h"

#include <gtest/gtest.h>

#include <string>

#include "agent/tracker/tracker.h"
#include "tests/web/running_server.h"

namespace agent::web {
namespace {

constexpr std::size_t kMaxBody = 1024 * 1024;

class Events : public ::testing::Test {
 protected:
  std::string post(std::string_view type, std::string_view body, std::string_view fields = {}) {
    client_.send("POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: " +
                 std::string(type) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
                 std::string(fields) + "\r\n" + std::string(body));
    return client_.reply();
  }
  [[nodiscard]] std::int64_t completed(std::string_view session) {
    const auto found = tracker_.session(session, clock_.now());
    return found ? found->metrics.count(progress::FileStatus::kCompleted) : -1;
  }

  SystemClock clock_;
  tracker::Tracker tracker_{tracker::Settings{}};
  wire::Intake intake_{tracker_};
  std::atomic<bool> ready_ = true;
  RunningServer server_{{events_route(
                            intake_, clock_, [this] { return ready_.load(); }, kMaxBody)},
                        Side::kIngest};
  RawClient client_{server_.port()};
};

constexpr std::string_view kLines = "application/x-ndjson";
constexpr std::string_view kGood = R"({"event":"progress","session":"s","completed":3,"total":10})";

TEST_F(Events, AreAppliedAndCounted) {
  const std::string reply =
      post(kLines, std::string(kGood) + "\n\nnonsense\n" + std::string(kGood));
  EXPECT_EQ(status_of(reply), 200);
  EXPECT_EQ(body_of(reply).find(
                R"({"accepted":2,"rejected":1,"errors":[{"line":3,"code":"invalid_json",)"),
            0U)
      << reply;
  EXPECT_EQ(completed("s"), 3);
  EXPECT_EQ(status_of(post("application/json; charset=utf-8", "[" + std::string(kGood) + "]")),
            200);
  EXPECT_EQ(body_of(post(kLines, "")), "{\"accepted\":0,\"rejected\":0,\"errors\":[]}\n");
}

TEST_F(Events, AllRefusedAre400) {
  const std::string reply = post(kLines, "nonsense");
  EXPECT_EQ(status_of(reply), 400);
  EXPECT_EQ(body_of(reply).find(R"({"accepted":0,"rejected":1,)"), 0U);
}

TEST_F(Events, AreRefusedInOtherFormsAndWhileStopping) {
  EXPECT_EQ(status_of(post("text/plain", "")), 415);
  EXPECT_EQ(status_of(post(kLines, "", "Content-Encoding: gzip\r\n")), 415);
  ready_ = false;
  EXPECT_EQ(status_of(post(kLines, "")), 503);
}

TEST_F(Events, OfABodyThatIsTooLargeAreNotApplied) {
  client_.send(
      "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
      "Transfer-Encoding: chunked\r\n\r\n");
  const std::string line = std::string(kGood) + "\n";
  client_.send("3c\r\n" + line + "\r\n" + "100000\r\n" + std::string(0x100000, '\n') +
               "\r\n0\r\n\r\n");
  ASSERT_EQ(line.size(), 0x3cU);
  EXPECT_EQ(status_of(client_.reply()), 413);
  EXPECT_EQ(completed("s"), -1);
}

TEST_F(Events, OfARequestThatIsCutOffAreNotApplied) {
  {
    RawClient gone(server_.port());
    gone.send(
        "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
        "Content-Length: 1000\r\n\r\n" +
        std::string(kGood) + "\n");
    ASSERT_TRUE(eventually(
        [&] { return server_.on_loop([&] { return server_.memory.received.used(); }) > 0; }));
  }
  ASSERT_TRUE(eventually(
      [&] { return server_.on_loop([&] { return server_.memory.received.used(); }) == 0; }));
  EXPECT_EQ(completed("s"), -1);
}

TEST_F(Events, OfLargeBodiesAreAppliedInSteps) {
  std::string body;
  for (int i = 0; i < 10'000; ++i) {
    body += R"({"event":"file","session":"big","file":"f)" + std::to_string(i) +
            R"(","status":"completed"})"
            "\n";
  }
  EXPECT_EQ(body_of(post(kLines, body)), "{\"accepted\":10000,\"rejected\":0,\"errors\":[]}\n");
  EXPECT_EQ(completed("big"), 10'000);
}

TEST_F(Events, AcknowledgeTheirProducers) {
  const std::string body =
      R"({"event":"progress","session":"s","completed":3,"producer":"w","seq":1})"
      "\n";
  EXPECT_NE(body_of(post(kLines, body)).find(R"("acks":{"w":1})"), std::string::npos);
}

}  // namespace
}  // namespace agent::web
