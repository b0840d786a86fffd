#include "agent/web/connection.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "tests/web/running_server.h"

namespace agent::web {
namespace {

// Counts what it is given, and says how the body ended.
class CountingUpload final : public Upload {
 public:
  void write(std::string_view bytes) override { size_ += bytes.size(); }
  [[nodiscard]] std::size_t held() const override { return 0; }
  boost::asio::awaitable<Reply> finish(RequestParser::BodyState end) override {
    if (end == RequestParser::BodyState::kTooLong) co_return error_reply(413, "body_too_large", "");
    if (end == RequestParser::BodyState::kBad) co_return error_reply(400, "bad_request", "");
    co_return json_reply(std::to_string(size_));
  }

 private:
  std::size_t size_ = 0;
};

std::vector<Route> routes() {
  std::vector<Route> table;
  table.push_back(
      {Method::get, "/hello", Access::kBoth, [](const Request&) { return json_reply("\"hi\""); }});
  table.push_back({Method::get, "/large", Access::kBoth,
                   [](const Request&) { return json_reply(std::string(24'000'000, 'x')); }});
  table.push_back({Method::post, "/echo", Access::kBoth,
                   [](const Request& request) { return json_reply(request.body); }});
  table.push_back({Method::get, "/things/{name}", Access::kBoth,
                   [](const Request& request) { return json_reply(request.target.segments[1]); }});
  table.push_back({Method::delete_, "/things/{name}", Access::kChange, [](const Request&) {
                     Reply gone;
                     gone.status = 204;
                     return gone;
                   }});
  // In pieces: nothing, then "one ", then "two"; or broken off after the first.
  table.push_back(
      {Method::get, "/pieces/{end}", Access::kBoth, [](const Request& request) {
         Reply reply;
         reply.more = [n = 0, broken = request.target.segments[1] == "broken"]() mutable {
           switch (++n) {
             case 1:
               return Piece{};
             case 2:
               return Piece{"one ", Piece::Then::kMore};
             default:
               return broken ? Piece{{}, Piece::Then::kBroken} : Piece{"two", Piece::Then::kEnd};
           }
         };
         return reply;
       }});
  table.push_back({Method::post,
                   "/count",
                   Access::kIngest,
                   {},
                   [](const Request&) -> Result<std::unique_ptr<Upload>, Reply> {
                     return std::make_unique<CountingUpload>();
                   },
                   8 * 1024 * 1024});
  return table;
}

constexpr std::string_view kGet = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";

std::string post(std::string_view path, std::string_view fields, std::string_view body = {}) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(fields) +
         "\r\n" + std::string(body);
}

TEST(Connection, AnswersOneRequestAfterAnother) {
  RunningServer server(routes());
  RawClient client(server.port());
  for (int i = 0; i < 3; ++i) {
    client.send(kGet);
    const std::string reply = client.reply();
    EXPECT_EQ(status_of(reply), 200);
    EXPECT_EQ(body_of(reply), "\"hi\"");
    EXPECT_NE(reply.find("Connection: keep-alive"), std::string::npos);
    EXPECT_NE(reply.find("Content-Type: application/json"), std::string::npos);
  }
}

TEST(Connection, AnswersRequestsSentAtOnceInTheirOrder) {
  RunningServer server(routes());
  RawClient client(server.port());
  client.send(post("/echo", "Content-Length: 3\r\n", "abc") + std::string(kGet) +
              post("/echo", "Transfer-Encoding: chunked\r\n", "2\r\nde\r\n1\r\nf\r\n0\r\n\r\n") +
              "GET /things/x%2Fy HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(body_of(client.reply()), "abc");
  EXPECT_EQ(body_of(client.reply()), "\"hi\"");
  EXPECT_EQ(body_of(client.reply()), "def");
  EXPECT_EQ(body_of(client.reply()), "x/y");
}

TEST(Connection, ReadsARequestThatDribbles) {
  RunningServer server(routes());
  RawClient client(server.port());
  for (const char c : post("/echo", "Content-Length: 5\r\n", "hello")) client.send({&c, 1});
  EXPECT_EQ(body_of(client.reply()), "hello");
  for (const char c : post("/echo", "Transfer-Encoding: chunked\r\n",
                           "4;a=\"b\"\r\nwiki\r\n5\r\npedia\r\n0\r\nX-Trailer: 1\r\n\r\n")) {
    client.send({&c, 1});
  }
  EXPECT_EQ(body_of(client.reply()), "wikipedia");
}

TEST(Connection, LeavesTheBodyOutForHead) {
  RunningServer server(routes());
  RawClient client(server.port());
  client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string head = client.reply(false);
  EXPECT_EQ(status_of(head), 200);
  EXPECT_NE(head.find("Content-Length: 4\r\n"), std::string::npos);
  client.send(kGet);
  EXPECT_EQ(body_of(client.reply()), "\"hi\"");
}

TEST(Connection, SendsABodyInPieces) {
  RunningServer server(routes());
  RawClient client(server.port());
  client.send("GET /pieces/whole HTTP/1.1\r\nHost: a\r\n\r\n" + std::string(kGet));
  client.finish_sending();
  const std::string both = client.rest();
  EXPECT_NE(both.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_NE(both.find("\r\n\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\nHTTP/1.1 200 OK"),
            std::string::npos)
      << both;
}

TEST(Connection, EndsABodyInPiecesByClosingWhereTheClientKnowsNoChunks) {
  RunningServer server(routes());
  RawClient client(server.port());
  client.send("GET /pieces/whole HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
  bool closed = false;
  const std::string reply = client.rest(&closed);
  EXPECT_TRUE(closed);
  EXPECT_TRUE(reply.ends_with("\r\n\r\none two")) << reply;
  EXPECT_NE(reply.find("Connection: close"), std::string::npos);
  EXPECT_EQ(reply.find("Content-Length"), std::string::npos);
}

TEST(Connection, LetsTheClientNoticeThatABodyIsNotWhole) {
  RunningServer server(routes());
  RawClient client(server.port());
  client.send("GET /pieces/broken HTTP/1.1\r\nHost: a\r\n\r\n");
  bool closed = false;
  const std::string reply = client.rest(&closed);
  EXPECT_TRUE(closed);
  EXPECT_TRUE(reply.ends_with("4\r\none \r\n")) << reply;
}

TEST(Connection, ClosesWhereTheClientWantsIt) {
  RunningServer server(routes());
  for (const char* head : {"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                           "GET /hello HTTP/1.0\r\nHost: a\r\n\r\n"}) {
    RawClient client(server.port());
    client.send(head);
    bool closed = false;
    const std::string reply = client.rest(&closed);
    EXPECT_TRUE(closed);
    EXPECT_EQ(body_of(reply), "\"hi\"");
    EXPECT_NE(reply.find("Connection: close"), std::string::npos);
  }
  RawClient client(server.port());
  client.send("GET /hello HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(client.reply().find("Connection: keep-alive"), std::string::npos);
}

TEST(Connection, AnswersAClientThatHasFinishedSending) {
  RunningServer server(routes());
  RawClient client(server.port());
  client.send(kGet);
  client.finish_sending();
  bool closed = false;
  EXPECT_EQ(body_of(client.rest(&closed)), "\"hi\"");
  EXPECT_TRUE(closed);
}

TEST(Connection, AsksForTheBodyOfAClientThatWaits) {
  RunningServer server(routes());
  RawClient client(server.port());
  client.send(post("/echo", "Content-Length: 3\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(client.reply(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_EQ(body_of(client.reply()), "abc");
  client.send(post("/nowhere", "Content-Length: 3\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(status_of(client.reply()), 404);  // without asking for it
}

struct Wrong {
  std::string sent;
  int status;
  std::string_view code;
};

TEST(Connection, RefusesAndCloses) {
  RunningServer server(routes());
  const std::string body(2 * 1024 * 1024, 'x');
  for (const auto& [sent, status, code] : std::vector<Wrong>{
           {"GET /hello HTTP/1.1\r\n\r\n", 400, "bad_request"},
           {"GET /hello HTTP/1.1\nHost: a\r\n\r\n", 400, "bad_request"},
           {std::string("\x16\x03\x01\x02\x00", 5), 400, "bad_request"},
           {"GET /" + std::string(20'000, 'a'), 431, "head_too_large"},
           {post("/echo", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "abc"), 400,
            "bad_request"},
           {post("/echo", "Content-Length: 2097152\r\n", body), 413, "body_too_large"},
           {post("/echo", "Transfer-Encoding: chunked\r\n", "200000\r\n" + body), 413,
            "body_too_large"},
           {post("/echo", "Content-Length: 3\r\nContent-Encoding: gzip\r\n", "abc"), 415,
            "unsupported_encoding"},
           {post("/echo", "Content-Length: 3\r\nExpect: tea\r\n", "abc"), 417,
            "expectation_failed"},
           {post("/nowhere", "Content-Length: 3\r\n", "abc"), 404, "not_found"},
           {post("/hello", "Content-Length: 3\r\n", "abc"), 405, "method_not_allowed"},
       }) {
    RawClient client(server.port());
    EXPECT_TRUE(client.send(sent));
    bool closed = false;
    const std::string reply = client.rest(&closed);
    EXPECT_TRUE(closed) << sent.substr(0, 100);
    EXPECT_EQ(status_of(reply), status) << sent.substr(0, 100);
    EXPECT_NE(body_of(reply).find("{\"error\":{\"code\":\"" + std::string(code)), std::string::npos)
        << reply;
    EXPECT_NE(reply.find("Connection: close"), std::string::npos);
  }
}

TEST(Connection, RefusesChunksThatTwoProgramsCouldReadDifferently) {
  RunningServer server(routes());
  for (const std::string_view chunks : {"0x3\r\nabc\r\n0\r\n\r\n",
                                        " 3\r\nabc\r\n0\r\n\r\n",
                                        "+3\r\nabc\r\n0\r\n\r\n",
                                        "-3\r\nabc\r\n0\r\n\r\n",
                                        "\r\nabc\r\n0\r\n\r\n",
                                        "3\nabc\r\n0\r\n\r\n",
                                        "3\r\nabc0\r\n\r\n",
                                        "3\r\nabcd\r\n0\r\n\r\n",
                                        "3\r\nabc\n0\r\n\r\n",
                                        "g\r\nabc\r\n0\r\n\r\n",
                                        "3 \r\nabc\r\n0\r\n\r\n",
                                        "3;\r\nabc\r\n0\r\n\r\n",
                                        "3;a\nb\r\nabc\r\n0\r\n\r\n",
                                        "3;a=\"\n\"\r\nabc\r\n0\r\n\r\n",
                                        "3\rX\nabc\r\n0\r\n\r\n",
                                        "10000000000000003\r\nabc\r\n0\r\n\r\n",
                                        "3\r\nabc\r\n0\r\nX\r\n\r\n",
                                        "3\r\nabc\r\n0\r\nX : y\r\n\r\n",
                                        "3\r\nabc\r\n0\r\nX: y\n\r\n\r\n",
                                        "3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n",
                                        "3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    RawClient client(server.port());
    client.send(post("/echo", "Transfer-Encoding: chunked\r\n", chunks));
    client.finish_sending();
    const std::string reply = client.rest();
    EXPECT_TRUE(status_of(reply) == 400 || status_of(reply) == 413) << chunks << '\n' << reply;
  }
}

TEST(Connection, BoundsAnEndlessChunkLineAndEndlessTrailers) {
  RunningServer server(routes());
  for (const std::string& start : {std::string("3;"), std::string("3\r\nabc\r\n0\r\nX: ")}) {
    RawClient client(server.port());
    client.send(post("/echo", "Transfer-Encoding: chunked\r\n", start + std::string(400'000, 'a')));
    EXPECT_EQ(status_of(client.reply()), 400);
  }
}

TEST(Connection, SendsTheReplyBeforeAClientHasSentAllOfTooMuch) {
  RunningServer server(routes(), Side::kIngest);
  RawClient client(server.port());
  client.send(post("/count", "Transfer-Encoding: chunked\r\n"));
  const std::string chunk = "10000\r\n" + std::string(65536, 'x') + "\r\n";
  bool took_all = true;
  for (int i = 0; i < 1024 && took_all; ++i) took_all = client.send(chunk);  // 64 MiB
  EXPECT_TRUE(took_all);
  EXPECT_EQ(status_of(client.reply()), 413);
  EXPECT_LT(server.on_loop([&] { return server.memory.received.used(); }), 65536U);
}

TEST(Connection, CountsALongUpload) {
  RunningServer server(routes(), Side::kIngest);
  RawClient client(server.port());
  const std::string body(8 * 1024 * 1024, 'x');
  client.send(post("/count", "Content-Length: 8388608\r\n", body));
  EXPECT_EQ(body_of(client.reply()), "8388608");
  client.send(post("/count", "Content-Length: 8388609\r\n"));
  EXPECT_EQ(status_of(client.reply()), 413);
}

TEST(Connection, AsksWhoIsMeantOnTheIngestSide) {
  RunningServer server(routes(), Side::kIngest);
  RawClient client(server.port());
  client.send("GET /hello HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_EQ(status_of(client.reply()), 421);
  client.send("GET /hello HTTP/1.1\r\nHost: listed.example\r\n\r\n");
  EXPECT_EQ(status_of(client.reply()), 200);
}

TEST(Connection, GivesUpARequestThatDoesNotArrive) {
  Limits limits;
  limits.linger = Duration::zero();
  RunningServer server(routes(), Side::kWeb, limits);
  RawClient idle(server.port()), head(server.port()), body(server.port());
  idle.send(kGet);
  EXPECT_EQ(status_of(idle.reply()), 200);
  head.send("GET /hello HT");
  body.send(post("/echo", "Content-Length: 3\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(body.reply(), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(eventually([&] {
    return server.on_loop([&] { return server.memory.received.used(); }) ==
           13;  // the head's beginning
  }));
  server.clock.push(Limits{}.head_time);
  EXPECT_EQ(status_of(head.reply()), 408);
  server.clock.push(Limits{}.body_time);
  EXPECT_EQ(status_of(body.reply()), 408);
  server.clock.push(Limits{}.idle);
  bool closed = false;
  EXPECT_EQ(idle.rest(&closed), "");
  EXPECT_TRUE(closed);
  EXPECT_TRUE(eventually(
      [&] { return server.on_loop([&] { return server.listener().connections(); }) == 0; }));
}

TEST(Connection, BoundsWhatSlowReadersHold) {
  RunningServer server(routes());
  RawClient first(server.port()), second(server.port());
  first.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually(
      [&] { return server.on_loop([&] { return server.memory.unsent.used(); }) > 8'000'000; }));
  second.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string refused = second.reply();
  EXPECT_EQ(status_of(refused), 503);
  EXPECT_NE(refused.find("Retry-After: 1"), std::string::npos);
  EXPECT_EQ(body_of(first.reply()).size(), 24'000'000U);
  second.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(body_of(second.reply()).size(), 24'000'000U);
  EXPECT_EQ(server.on_loop([&] { return server.memory.unsent.used(); }), 0U);
}

TEST(Connection, GivesUpAReaderThatDoesNotRead) {
  RunningServer server(routes());
  RawClient client(server.port());
  client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(
      eventually([&] { return server.on_loop([&] { return server.memory.unsent.used(); }) > 0; }));
  server.clock.push(std::chrono::hours(1));
  EXPECT_TRUE(eventually(
      [&] { return server.on_loop([&] { return server.listener().connections(); }) == 0; }));
  EXPECT_EQ(server.on_loop([&] { return server.memory.unsent.used(); }), 0U);
}

TEST(Connection, BeginsWithTheFirstBytesOfAClient) {
  RunningServer server(routes());
  const auto connections = [&] {
    return server.on_loop([&] { return server.listener().connections(); });
  };
  const auto connected = std::chrono::steady_clock::now();
  RawClient silent(server.port());
  RawClient speaking(server.port());
  speaking.send(kGet);
  EXPECT_EQ(status_of(speaking.reply()), 200);
  const std::size_t seen = connections();
  // The kernel hands a silent one over after about a second: a machine that slept can't tell.
  if (std::chrono::steady_clock::now() - connected < std::chrono::milliseconds(500)) {
    EXPECT_EQ(seen, 1U);
  }
  silent.send(kGet);
  EXPECT_EQ(status_of(silent.reply()), 200);
  EXPECT_EQ(connections(), 2U);
}

TEST(Connection, MakesRoomForANewClientByClosingTheOneThatWaitedLongest) {
  Limits limits;
  limits.connections = 2;
  RunningServer server(routes(), Side::kWeb, limits);
  RawClient first(server.port());
  first.send(kGet);
  EXPECT_EQ(status_of(first.reply()), 200);
  RawClient second(server.port());
  second.send(kGet);
  EXPECT_EQ(status_of(second.reply()), 200);
  RawClient third(server.port());
  third.send(kGet);
  EXPECT_EQ(status_of(third.reply()), 200);
  bool closed = false;
  first.rest(&closed);
  EXPECT_TRUE(closed);
  second.send(kGet);
  EXPECT_EQ(status_of(second.reply()), 200);
}

TEST(Connection, DrainsToTheEndOfWhatIsUnderWay) {
  RunningServer server(routes());
  RawClient busy(server.port()), idle(server.port());
  idle.send(kGet);
  idle.reply();
  busy.send(post("/echo", "Content-Length: 3\r\nExpect: 100-continue\r\n"));
  busy.reply();
  server.on_loop([&] { server.listener().drain(); });
  bool closed = false;
  idle.rest(&closed);
  EXPECT_TRUE(closed);
  busy.send("abc");
  const std::string reply = busy.rest(&closed);
  EXPECT_EQ(body_of(reply), "abc");
  EXPECT_NE(reply.find("Connection: close"), std::string::npos);
}

TEST(Connection, ServesOthersBesideAThousandThatDribble) {
  RunningServer server(routes());
  std::vector<std::unique_ptr<RawClient>> dribblers;
  for (int i = 0; i < 400; ++i) {
    dribblers.push_back(std::make_unique<RawClient>(server.port()));
    dribblers.back()->send(i % 2 == 0 ? "GET /hel" : post("/echo", "Content-Length: 9\r\n", "ab"));
  }
  RawClient client(server.port());
  client.send(kGet);
  EXPECT_EQ(status_of(client.reply()), 200);
  EXPECT_LT(server.on_loop([&] { return server.memory.received.used(); }), 400U * 64);
}

}  // namespace
}  // namespace agent::web
