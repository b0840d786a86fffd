// The live feed on a socket: handshake, who is let in, abuse, and clients that do not read. Frames
// are written by hand: no library in between that could tidy them.
#include "agent/web/live.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "tests/web/running_server.h"

namespace agent::web {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

constexpr int kLittleRoom = 4096;  // bytes that a client's socket takes unread
constexpr std::string_view kHandshake =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

// The listener's loop belongs to the server, which needs the route, which needs the loop.
class LiveFeed : public ::testing::Test {
 protected:
  void SetUp() override { serve({}); }
  void TearDown() override { stop(); }

  void stop() {
    if (!server_) return;
    server_->on_loop([this] { live_->close(); });
    server_->stop();
    live_.reset();
    server_.reset();
  }

  void serve(LiveSettings settings) {
    stop();
    server_ =
        std::make_unique<RunningServer>([&](boost::asio::io_context& loop, const Clock& clock) {
          live_ = std::make_unique<Live>(loop, clock, tracker_, settings);
          return std::vector<Route>{live_->route()};
        });
  }

  void file(std::string_view session, std::string_view name, double done = 0) {
    tracker::Tracker::Batch batch(tracker_, server_->clock.now());
    progress::FileProgressed progressed;
    progressed.file = name;
    progressed.status = progress::FileStatus::kProcessing;
    progressed.progress = done;
    progress::Event event;
    event.session = session;
    event.fact = progressed;
    ASSERT_TRUE(batch.apply(event));
  }

  static std::string request(std::string_view fields, std::string_view target = "/v1/live") {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: agent:19900\r\n" +
           std::string(fields) + "\r\n";
  }
  int refused(std::string_view fields) {
    RawClient client(server_->port());
    client.send(request(fields));
    return status_of(client.reply());
  }
  // A client behind its handshake.
  std::unique_ptr<RawClient> join(std::string_view fields = {},
                                  std::string_view target = "/v1/live") {
    auto client = std::make_unique<RawClient>(server_->port());
    client->send(request(std::string(kHandshake) + std::string(fields), target));
    const std::string reply = client->reply(false);
    EXPECT_EQ(status_of(reply), 101) << reply;
    EXPECT_NE(reply.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), std::string::npos) << reply;
    return client;
  }
  // With its mask, as clients send them.
  static std::string masked(unsigned first_byte, std::string_view payload) {
    constexpr std::string_view kMask = "\x01\x02\x03\x04"sv;
    std::string frame(1, static_cast<char>(first_byte));
    if (payload.size() < 126) {
      frame += static_cast<char>(0x80 | payload.size());
    } else {
      frame += static_cast<char>(0x80 | 126);
      frame += static_cast<char>(payload.size() >> 8);
      frame += static_cast<char>(payload.size() & 0xff);
    }
    frame += kMask;
    for (std::size_t i = 0; i < payload.size(); ++i) {
      frame += static_cast<char>(payload[i] ^ kMask[i % 4]);
    }
    return frame;
  }
  // The code that the agent closes with after it was sent this; 0: none.
  int closes_with(std::string_view bytes) {
    const auto client = join();
    client->send(bytes);
    bool closed = false;
    const std::string rest = client->rest(&closed);
    EXPECT_TRUE(closed);
    const std::size_t frame = rest.rfind("\x88\x02"sv);
    if (frame == std::string::npos || frame + 4 > rest.size()) return 0;
    return static_cast<unsigned char>(rest[frame + 2]) << 8 |
           static_cast<unsigned char>(rest[frame + 3]);
  }
  std::uint64_t rounds() {
    return server_->on_loop([this] { return live_->rounds(); });
  }
  std::size_t clients() {
    return server_->on_loop([this] { return live_->clients(); });
  }

  tracker::Tracker tracker_{{}};
  std::unique_ptr<Live> live_;
  std::unique_ptr<RunningServer> server_;
};

// What a client reads until it holds `text`.
bool reads(RawClient& client, std::string_view text, std::string* all = nullptr) {
  std::string received;
  std::size_t searched = 0;
  const bool found = eventually([&] {
    received += client.available();
    const bool is_there = received.find(text, searched) != std::string::npos;
    searched = received.size() - std::min(received.size(), text.size());
    return is_there;
  });
  if (all != nullptr) *all = received;
  return found;
}

TEST_F(LiveFeed, begins_with_a_snapshot_and_goes_on_with_changes) {
  file("s", "a.pdf");
  const auto client = join();
  std::string all;
  EXPECT_TRUE(reads(*client, R"({"type":"snapshot","sessions":[{"session":{"id":"s")", &all))
      << all;
  file("s", "b.pdf");
  EXPECT_TRUE(reads(*client, R"({"type":"file","session":"s","file":{"file":"b.pdf")"));
  EXPECT_EQ(clients(), 1U);
}

TEST_F(LiveFeed, frames_sent_along_with_the_handshake_are_read) {
  RawClient client(server_->port());
  client.send(request(kHandshake) + masked(0x89, "early"));
  std::string all;
  EXPECT_TRUE(reads(client,
                    "\x8a\x05"
                    "early"sv,
                    &all));
}

TEST_F(LiveFeed, asks_for_an_upgrade) {
  RawClient old(server_->port());
  old.send("GET /v1/live HTTP/1.0\r\nHost: agent:19900\r\n" + std::string(kHandshake) + "\r\n");
  EXPECT_EQ(status_of(old.reply()), 426);
  EXPECT_EQ(refused(""), 426);
  EXPECT_EQ(refused("Connection: Upgrade\r\nUpgrade: h2c\r\n"), 426);
  EXPECT_EQ(refused("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
            426);
  EXPECT_EQ(refused("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Key: short\r\n"),
            400);
}

TEST_F(LiveFeed, pages_of_other_origins_are_refused) {
  const std::string handshake(kHandshake);
  EXPECT_EQ(refused(handshake + "Origin: https://evil.example\r\n"), 403);
  EXPECT_EQ(refused(handshake + "Origin: null\r\n"), 403);
  EXPECT_EQ(refused(handshake + "Origin: http://agent\r\n"), 403);
  join("Origin: http://agent:19900\r\n");
}

TEST_F(LiveFeed, a_close_is_answered) { EXPECT_EQ(closes_with(masked(0x88, "\x03\xe8"sv)), 1000); }

TEST_F(LiveFeed, abuse_is_closed_with_its_code) {
  EXPECT_EQ(closes_with("\x81\x02hi"sv), 1002);                         // without a mask
  EXPECT_EQ(closes_with(masked(0xc1, "hi")), 1002);                     // a reserved bit
  EXPECT_EQ(closes_with(masked(0x83, "hi")), 1002);                     // an unknown opcode
  EXPECT_EQ(closes_with(masked(0x09, "hi")), 1002);                     // a ping in fragments
  EXPECT_EQ(closes_with(masked(0x89, std::string(126, 'x'))), 1002);    // a ping too long
  EXPECT_EQ(closes_with(masked(0x80, "hi")), 1002);                     // the end of no message
  EXPECT_EQ(closes_with(masked(0x01, "a") + masked(0x01, "b")), 1002);  // a message inside another
  EXPECT_EQ(closes_with(masked(0x81, "\xc3\x28"sv)), 1007);             // no UTF-8
  EXPECT_EQ(closes_with(masked(0x81, std::string(5000, 'x'))), 1009);
  EXPECT_EQ(
      closes_with(masked(0x01, std::string(3000, 'x')) + masked(0x80, std::string(3000, 'x'))),
      1009);
  EXPECT_EQ(closes_with(masked(0x88, "\x03\xed"sv)), 1002);          // a code that is never sent
  EXPECT_EQ(closes_with(masked(0x88, "\x03"sv)), 1002);              // half a code
  EXPECT_EQ(closes_with(masked(0x88, "\x03\xe8\xc3\x28"sv)), 1002);  // a reason that is no UTF-8
  EXPECT_EQ(closes_with(masked(0x01, "\xc3"sv) + masked(0x80, "\x28"sv)), 1007);
  EXPECT_TRUE(eventually([this] { return clients() == 0; }));
}

TEST_F(LiveFeed, messages_of_clients_are_passed_over) {
  const auto client = join();
  client->send(masked(0x81, "hello") + masked(0x02, "in") + masked(0x80, "pieces") +
               masked(0x89, "ping"));
  EXPECT_TRUE(reads(*client, "\x8a\x04ping"sv));
}

TEST_F(LiveFeed, pings_and_drops_the_silent) {
  const auto talks = join(), silent = join();
  EXPECT_TRUE(reads(*talks, "snapshot"));
  for (int i = 0; i < 4; ++i) {
    server_->clock.push(16s);
    const bool pinged = reads(*talks, "\x89\x00"sv);
    ASSERT_TRUE(pinged) << i;
    talks->send(masked(0x8a, ""));
    ASSERT_TRUE(eventually([&] {  // its pong has been heard
      talks->send(masked(0x89, "?"));
      return talks->available().find("\x8a\x01?"sv) != std::string::npos;
    }));
  }
  bool closed = false;
  silent->rest(&closed);
  EXPECT_TRUE(closed);
  EXPECT_TRUE(eventually([this] { return clients() == 1; }));
}

// What is due to it stays a set: when it reads again, it is told the newest, and not all there was.
TEST_F(LiveFeed, one_that_does_not_read_is_conflated) {
  file("s", "first");
  RawClient client(server_->port(), kLittleRoom);
  client.send(request(kHandshake, "/v1/live?session=s"));
  EXPECT_EQ(status_of(client.reply(false)), 101);
  constexpr int kRounds = 20, kFiles = 1000;
  const std::string name(400, 'n');
  for (int round = 1; round <= kRounds; ++round) {
    for (int i = 0; i < kFiles; ++i) file("s", name + std::to_string(i), round);
    server_->clock.push(1s);
    const std::size_t before = rounds();
    ASSERT_TRUE(eventually([&] { return rounds() > before + 1; }));
  }
  std::size_t told = 0;
  const std::string last = std::to_string(kFiles - 1) + R"(","status":"processing","progress":20)";
  std::string all;
  EXPECT_TRUE(reads(client, last, &all));
  for (std::size_t at = 0; (at = all.find(R"({"type":"file")", at)) != std::string::npos; ++at)
    ++told;
  EXPECT_GE(told, static_cast<std::size_t>(kFiles));
  EXPECT_LT(told, static_cast<std::size_t>(kRounds * kFiles / 2));
  EXPECT_GT(server_->on_loop([this] { return live_->dropped(); }),
            static_cast<std::uint64_t>(kFiles));
}

// It keeps saying that it is there, but takes nothing.
TEST_F(LiveFeed, one_that_never_reads_is_dropped) {
  RawClient client(server_->port(), kLittleRoom);
  client.send(request(kHandshake));
  ASSERT_TRUE(eventually([&] { return clients() == 1; }));
  const auto pass = [&](Duration time) {
    server_->clock.push(time);
    client.send(masked(0x8a, ""));
    const std::uint64_t before = rounds();
    EXPECT_TRUE(eventually([&] { return clients() == 0 || rounds() > before + 1; }));
  };
  pass(1s);
  for (int i = 0; i < 5000; ++i) file("s", std::string(400, 'n') + std::to_string(i));
  for (int i = 0; i < 4; ++i) pass(10s);
  EXPECT_EQ(clients(), 1U);
  for (int i = 0; i < 3; ++i) pass(10s);
  EXPECT_EQ(clients(), 0U);
  EXPECT_GT(server_->on_loop([this] { return live_->dropped(); }), 0U);
}

TEST_F(LiveFeed, all_are_told_when_the_agent_goes) {
  const auto client = join();
  EXPECT_TRUE(reads(*client, "snapshot"));
  server_->on_loop([this] { live_->close(); });
  EXPECT_TRUE(reads(*client, "\x88\x02\x03\xe9"sv));
  EXPECT_EQ(refused(kHandshake), 503);
}

}  // namespace
}  // namespace agent::web
