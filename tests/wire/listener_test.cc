#include "agent/wire/listener.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "agent/wire/datagram_listener.h"
#include "tests/wire/socket_client.h"

namespace agent::wire {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

// A folder of its own, gone with its owner.
class Folder {
 public:
  Folder() {
    std::string name = "/tmp/wire-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string count(int completed, std::string_view more = "") {
  return R"({"event":"progress","session":"s","completed":)" + std::to_string(completed) +
         std::string(more) + "}\n";
}
std::string seq(int n) { return count(n, ",\"seq\":" + std::to_string(n)); }
std::string hello(std::string_view ack) {
  return R"({"event":"hello","producer":"p","ack":)" + std::string(ack) + "}\n";
}
std::string welcome(int last) {
  return R"({"welcome":{"producer":"p","lastSeq":)" + std::to_string(last) +
         R"(,"durable":false}})";
}

class Sockets : public testing::Test {
 protected:
  ListenerSettings settings() {
    ListenerSettings s;
    s.path = folder_ / "agent.sock";
    s.warn = [this](std::string_view message) { warnings_.emplace_back(message); };
    return s;
  }
  // A listener must outlast the last run of its loop.
  void close_listener() {
    listener_->close();
    closed_.push_back(std::move(listener_));
  }
  Listener& listen(ListenerSettings s) {
    listener_ = std::make_unique<Listener>(loop_, clock_, intake_, std::move(s));
    const auto opened = listener_->open();
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().message);
    listener_->start();
    return *listener_;
  }
  Listener& listen() { return listen(settings()); }
  SocketClient connect() { return {loop_, folder_ / "agent.sock"}; }

  std::int64_t completed() {
    const auto session = tracker_.session("s", clock_.now());
    return session ? session->metrics.count(progress::FileStatus::kCompleted) : -1;
  }
  bool until_completed(int n) {
    return run_until(loop_, [&] { return completed() == n; });
  }
  const SourceCounts& counts(Source source = Source::kUnix) const {
    return intake_.counts().of(source);
  }
  // Why a listener with these settings cannot be opened.
  std::string refusal(ListenerSettings s) {
    Listener other(loop_, clock_, intake_, std::move(s));
    const auto opened = other.open();
    return opened ? "opened" : opened.error().message;
  }

  Folder folder_;
  SystemClock clock_;
  tracker::Tracker tracker_{tracker::Settings{}};
  Intake intake_{tracker_};
  std::vector<std::string> warnings_;
  asio::io_context loop_;
  std::unique_ptr<Listener> listener_;
  std::vector<std::unique_ptr<Listener>> closed_;
};

TEST_F(Sockets, EventsAreApplied) {
  listen();
  SocketClient client = connect();
  EXPECT_TRUE(client.send(count(1) + count(2)));
  EXPECT_TRUE(until_completed(2));
}

TEST_F(Sockets, LinesMayComeInPieces) {
  listen();
  SocketClient client = connect();
  std::string text;
  for (int i = 1; i <= 50; ++i) text += count(i);
  for (std::size_t size = 1; !text.empty(); ++size) {
    EXPECT_TRUE(client.send(std::string_view(text).substr(0, size)));
    text.erase(0, size);
    loop_.restart();
    loop_.poll();
  }
  EXPECT_TRUE(until_completed(50));
}

TEST_F(Sockets, AfterAHalfCloseEverythingIsAnswered) {
  listen();
  SocketClient client = connect();
  EXPECT_TRUE(client.send("nonsense\n" + count(1) + "[]\n" + R"({"event":"unfin)"));
  client.end();
  EXPECT_NE(client.line().find(R"("line":1,"code":"invalid_json")"), std::string::npos);
  EXPECT_NE(client.line().find(R"("line":3,"code":"not_an_object")"), std::string::npos);
  EXPECT_EQ(client.line(), "<end>");
  EXPECT_EQ(completed(), 1);
  EXPECT_EQ(counts().unfinished_lines, 1U);
  EXPECT_EQ(counts().connections, 0U);
}

TEST_F(Sockets, WhatWasSentBeforeTheClientVanishedIsApplied) {
  listen();
  {
    SocketClient client = connect();
    client.send_some("nonsense\n" + count(7));
  }
  EXPECT_TRUE(until_completed(7));
  EXPECT_TRUE(run_until(loop_, [&] { return listener_->connections() == 0; }));
}

TEST_F(Sockets, AcknowledgedDelivery) {
  listen();
  SocketClient client = connect();
  EXPECT_TRUE(client.send(hello("true") + seq(1) + seq(2)));
  EXPECT_EQ(client.line(), welcome(0));
  std::string line = client.line();
  if (line == "{\"ack\":1}") line = client.line();
  EXPECT_EQ(line, "{\"ack\":2}");
  client.close();
  SocketClient again = connect();
  EXPECT_TRUE(again.send(hello("\"each\"") + seq(2) + seq(3) + count(4)));
  EXPECT_EQ(again.line(), welcome(2));
  EXPECT_EQ(again.line(), "{\"ack\":2}");
  EXPECT_EQ(again.line(), "{\"ack\":3}");
  EXPECT_EQ(again.line(), "{\"ok\":4}");
}

TEST_F(Sockets, ANewHelloTakesTheProducerOver) {
  listen();
  SocketClient older = connect();
  EXPECT_TRUE(older.send(hello("true") + seq(1)));
  EXPECT_EQ(older.line(), welcome(0));
  EXPECT_EQ(older.line(), "{\"ack\":1}");
  SocketClient newer = connect();
  EXPECT_TRUE(newer.send(hello("true")));
  EXPECT_EQ(newer.line(), welcome(1));
  EXPECT_EQ(older.line(), "<end>");
  EXPECT_TRUE(newer.send(seq(2)));
  EXPECT_EQ(newer.line(), "{\"ack\":2}");
  EXPECT_EQ(listener_->connections(), 1U);
}

TEST_F(Sockets, AClientThatNeverReadsSlowsNobody) {
  listen();
  SocketClient deaf = connect();
  std::string noise;
  for (int i = 0; i < 100'000; ++i) noise += "[]\n";
  EXPECT_TRUE(deaf.send(noise + count(7)));
  EXPECT_TRUE(until_completed(7));
  SocketClient other = connect();
  EXPECT_TRUE(other.send(count(8)));
  EXPECT_TRUE(until_completed(8));
  EXPECT_EQ(counts().rejected[static_cast<std::size_t>(progress::RejectReason::kNotAnObject)],
            100'000U);
  EXPECT_GT(counts().dropped_replies, 0U);
}

TEST_F(Sockets, AClientThatWantsEachReplyIsNotReadFromWhileItDoesNotRead) {
  listen();
  SocketClient client = connect();
  EXPECT_TRUE(client.send(hello("\"each\"")));
  constexpr std::string_view kLine = "[]\n";
  std::string noise;
  for (int i = 0; i < 1000; ++i) noise += kLine;
  std::size_t sent = 0;
  std::uint64_t before = 1;
  // Until neither side moves: nothing fits, and nothing more is refused.
  EXPECT_TRUE(run_until(loop_, [&] {
    before = counts().rejected[static_cast<std::size_t>(progress::RejectReason::kNotAnObject)];
    const std::size_t fitted =
        client.send_some(std::string_view(noise).substr(sent % kLine.size()));
    sent += fitted;
    loop_.restart();
    loop_.run_for(5ms);
    return fitted == 0 &&
           before ==
               counts().rejected[static_cast<std::size_t>(progress::RejectReason::kNotAnObject)];
  }));
  EXPECT_LT(before, sent / kLine.size());
  EXPECT_EQ(client.line(), welcome(0));
  for (std::size_t i = 0; i < sent / kLine.size(); ++i) {
    ASSERT_NE(client.line().find("\"line\":" + std::to_string(i + 2) + ","), std::string::npos)
        << i;
  }
  EXPECT_EQ(counts().dropped_replies, 0U);
}

TEST_F(Sockets, ManySlowClientsCostLittle) {
  listen();
  std::list<SocketClient> clients;
  for (int i = 0; i < 400; ++i) {
    clients.emplace_back(loop_, folder_ / "agent.sock");
    EXPECT_TRUE(clients.back().send(R"({"event":"prog)"));
  }
  EXPECT_TRUE(run_until(loop_, [&] { return listener_->connections() == 400; }));
  for (SocketClient& client : clients)
    EXPECT_TRUE(client.send("ress\",\"session\":\"s\",\"completed\":5}\n"));
  EXPECT_TRUE(run_until(loop_, [&] { return counts().events[2] == 400; }));
}

TEST_F(Sockets, ConnectionsAreLimited) {
  ListenerSettings s = settings();
  s.max_connections = 2;
  listen(s);
  SocketClient first = connect();
  SocketClient second = connect();
  SocketClient third = connect();
  EXPECT_NE(third.line().find("overloaded"), std::string::npos);
  EXPECT_EQ(third.line(), "<end>");
  SocketClient fourth = connect();
  EXPECT_NE(fourth.line().find("overloaded"), std::string::npos);
  EXPECT_EQ(counts().refused_connections, 2U);
  EXPECT_EQ(warnings_.size(), 1U);
  first.close();
  EXPECT_TRUE(run_until(loop_, [&] { return listener_->connections() == 1; }));
  SocketClient fifth = connect();
  EXPECT_TRUE(fifth.send(count(5)));
  EXPECT_TRUE(until_completed(5));
}

TEST_F(Sockets, OnlyAllowedUsersAreLetIn) {
  ListenerSettings s = settings();
  s.allowed_uids = {::getuid() + 1};
  listen(s);
  SocketClient client = connect();
  EXPECT_NE(client.line().find("ingest.socket_allowed_uids"), std::string::npos);
  EXPECT_EQ(client.line(), "<end>");
  EXPECT_EQ(counts().refused_users, 1U);
  EXPECT_EQ(warnings_.size(), 1U);
  s.allowed_uids.push_back(::getuid());
  close_listener();
  listen(s);
  SocketClient allowed = connect();
  EXPECT_TRUE(allowed.send(count(3)));
  EXPECT_TRUE(until_completed(3));
}

TEST_F(Sockets, DrainingWaitsForTheClientsEnd) {
  listen();
  SocketClient client = connect();
  EXPECT_TRUE(client.send(count(1)));
  EXPECT_TRUE(until_completed(1));
  bool drained = false;
  asio::co_spawn(loop_, listener_->drain(20s), [&](const std::exception_ptr&) { drained = true; });
  loop_.restart();
  loop_.poll();
  EXPECT_FALSE(drained);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "agent.sock"));
  EXPECT_NE(connect().error(), 0);
  EXPECT_TRUE(client.send(count(2)));
  client.end();
  EXPECT_EQ(client.line(), "<end>");
  EXPECT_TRUE(run_until(loop_, [&] { return drained; }));
  EXPECT_EQ(completed(), 2);
}

TEST_F(Sockets, DrainingTakesWhatIsThereWhenTimeIsUp) {
  listen();
  SocketClient silent = connect();
  EXPECT_TRUE(run_until(loop_, [&] { return listener_->connections() == 1; }));
  SocketClient waiting = connect();  // not accepted yet
  EXPECT_GT(waiting.send_some("[]\n" + count(4)), 0U);
  bool drained = false;
  asio::co_spawn(loop_, listener_->drain(1ms), [&](const std::exception_ptr&) { drained = true; });
  EXPECT_TRUE(run_until(loop_, [&] { return drained; }));
  EXPECT_EQ(completed(), 4);
  EXPECT_NE(waiting.line().find("not_an_object"), std::string::npos);
  EXPECT_EQ(waiting.line(), "<end>");
  EXPECT_EQ(silent.line(), "<end>");
}

TEST_F(Sockets, TheFileHasItsModeAndGoesAway) {
  const ::mode_t umask = ::umask(0077);
  for (const ::mode_t mode : {0660U, 0600U, 0666U}) {
    ListenerSettings s = settings();
    s.mode = mode;
    listen(s);
    struct stat file {};
    ASSERT_EQ(::stat(s.path.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 07777U, mode);
    close_listener();
    EXPECT_FALSE(std::filesystem::exists(s.path));
  }
  ::umask(umask);
}

TEST_F(Sockets, AStaleFileIsReplaced) {
  const std::string path = folder_ / "agent.sock";
  {
    const Descriptor left(::socket(AF_UNIX, SOCK_STREAM, 0));
    const sockaddr_un address = unix_address(path);
    ASSERT_EQ(::bind(left.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ASSERT_TRUE(std::filesystem::exists(path));
  listen();
  SocketClient client = connect();
  EXPECT_TRUE(client.send(count(1)));
  EXPECT_TRUE(until_completed(1));
}

TEST_F(Sockets, ALiveFileIsRefusedAndStays) {
  listen();
  EXPECT_NE(refusal(settings()).find("another process listens there"), std::string::npos);
  EXPECT_NE(refusal(settings()).find(folder_ / "agent.sock"), std::string::npos);
  SocketClient client = connect();
  EXPECT_TRUE(client.send(count(1)));
  EXPECT_TRUE(until_completed(1));
}

TEST_F(Sockets, AnythingElseIsRefusedAndStays) {
  const std::string path = folder_ / "agent.sock";
  std::ofstream(path) << "precious";
  EXPECT_NE(refusal(settings()).find("not a socket"), std::string::npos);
  EXPECT_EQ(std::filesystem::file_size(path), 8U);
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  EXPECT_NE(refusal(settings()).find("not a socket"), std::string::npos);
  std::filesystem::remove(path);
  std::filesystem::create_symlink(folder_ / "elsewhere", path);
  EXPECT_NE(refusal(settings()).find("not a socket"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_symlink(path));
}

TEST_F(Sockets, PathsThatCannotBe) {
  ListenerSettings s = settings();
  s.path = folder_ / std::string(120, 'x');
  EXPECT_NE(refusal(s).find("at most 107 bytes"), std::string::npos);
  s.path = folder_ / "no/such/agent.sock";
  EXPECT_NE(refusal(s).find("No such file or directory"), std::string::npos);
  s.path = folder_ / "made/agent.sock";
  EXPECT_EQ(refusal(s), "opened");
}

TEST_F(Sockets, AFileThatAnotherPutThereStays) {
  const std::string path = folder_ / "agent.sock";
  listen();
  std::filesystem::remove(path);
  std::ofstream(path) << "another's";
  close_listener();
  EXPECT_TRUE(std::filesystem::exists(path));
}

class Datagrams : public Sockets {
 protected:
  void listen_for_datagrams(ListenerSettings s) {
    datagrams_ = std::make_unique<DatagramListener>(loop_, clock_, intake_, std::move(s));
    const auto opened = datagrams_->open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    datagrams_->start();
  }
  SocketClient sender() { return {loop_, folder_ / "agent.sock", SOCK_DGRAM}; }
  std::unique_ptr<DatagramListener> datagrams_;
};

TEST_F(Datagrams, HoldOneOrMoreLines) {
  listen_for_datagrams(settings());
  SocketClient client = sender();
  EXPECT_TRUE(client.send(count(1)));
  std::string last = count(3);
  last.pop_back();
  EXPECT_TRUE(client.send(count(2) + "\nnonsense\n" + last));
  EXPECT_TRUE(until_completed(3));
  EXPECT_EQ(counts(Source::kDatagram).events[2], 3U);
  EXPECT_EQ(counts(Source::kDatagram).rejected[0], 1U);
}

TEST_F(Datagrams, SeqDeduplicates) {
  listen_for_datagrams(settings());
  SocketClient client = sender();
  const std::string event = count(1, R"(,"producer":"d","seq":1)");
  EXPECT_TRUE(client.send(event) && client.send(event) && client.send(hello("true")) &&
              client.send(count(2)));
  EXPECT_TRUE(until_completed(2));
  EXPECT_EQ(counts(Source::kDatagram).duplicates, 1U);
  EXPECT_EQ(counts(Source::kDatagram)
                .rejected[static_cast<std::size_t>(progress::RejectReason::kInvalidField)],
            1U);
}

TEST_F(Datagrams, ATruncatedOneIsTooLong) {
  listen_for_datagrams(settings());
  SocketClient client = sender();
  const int size = 2 * static_cast<int>(ReadBuffer::kBytes);
  if (::setsockopt(client.fd(), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0) {
    GTEST_SKIP() << "so large a datagram needs CAP_NET_ADMIN";
  }
  EXPECT_TRUE(client.send(count(1) + std::string(ReadBuffer::kBytes, ' ') + count(2)));
  EXPECT_TRUE(run_until(loop_, [&] {
    return counts(Source::kDatagram)
               .rejected[static_cast<std::size_t>(progress::RejectReason::kLineTooLong)] == 1;
  }));
  EXPECT_EQ(completed(), 1);
}

TEST_F(Datagrams, OnlyAllowedUsersAreHeard) {
  ListenerSettings s = settings();
  s.allowed_uids = {::getuid() + 1};
  listen_for_datagrams(s);
  SocketClient client = sender();
  EXPECT_TRUE(client.send(count(1)));
  EXPECT_TRUE(run_until(loop_, [&] { return counts(Source::kDatagram).refused_users == 1; }));
  EXPECT_EQ(completed(), -1);
  EXPECT_EQ(warnings_.size(), 1U);
  datagrams_->stop();
  const auto stopped = std::move(datagrams_);
  s.allowed_uids = {::getuid()};
  listen_for_datagrams(s);
  SocketClient allowed = sender();
  EXPECT_TRUE(allowed.send(count(2)));
  EXPECT_TRUE(until_completed(2));
}

TEST_F(Datagrams, WhatHasArrivedIsTakenBeforeTheEnd) {
  listen_for_datagrams(settings());
  SocketClient client = sender();
  EXPECT_GT(client.send_some(count(6)), 0U);
  datagrams_->stop();
  EXPECT_EQ(completed(), 6);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "agent.sock"));
}

TEST_F(Datagrams, ALiveStreamSocketIsRefused) {
  listen();
  DatagramListener other(loop_, clock_, intake_, settings());
  const auto opened = other.open();
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().message.find("another process listens there"), std::string::npos);
}

}  // namespace
}  // namespace agent::wire
