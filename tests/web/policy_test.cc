#include "agent/web/policy.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

namespace agent::web {

// NOLINTNEXTLINE(readability-identifier-naming): gtest's
void PrintTo(Fault fault, std::ostream* out) { *out << answer_to(fault).message; }

namespace {

using Verdict = Result<std::optional<std::size_t>, Fault>;

Verdict check(std::string_view head) { return HeadPolicy().check(head); }

std::string get(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}
std::string post(std::string_view fields) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

TEST(HeadPolicy, PassesWhatClientsSend) {
  for (const std::string& head : {
           std::string(
               "GET /metrics HTTP/1.1\r\nHost: localhost:19900\r\nUser-Agent: Prometheus/2.42\r\n"
               "Accept: application/openmetrics-text;version=1.0.0,*/*;q=0.1\r\n"
               "Accept-Encoding: gzip\r\nX-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n"),
           std::string(
               "GET /v1/sessions?state=active&family=a%20b HTTP/1.0\r\nHost: [::1]:80\r\n\r\n"),
           post("Content-Length: 5\r\nContent-Type: application/x-ndjson\r\n"),
           post("content-length:5\r\n"),
           post("Transfer-Encoding: chunked\r\n"),
           post("transfer-encoding:\tCHUNKED \r\n"),
           post("Content-Length: 0\r\n"),
           post(""),
           get("Content-Length: 0\r\n"),
           get("X-Name: caf\xc3\xa9\r\n"),
           get("Cookie: a=1\r\nCookie: b=2\r\n"),
           get("Empty:\r\n"),
       }) {
    const Verdict verdict = check(head);
    ASSERT_TRUE(verdict) << head << answer_to(verdict.error()).message;
    EXPECT_EQ(verdict, Verdict(head.size())) << head;
  }
}

struct Refused {
  std::string head;
  Fault fault;
};

TEST(HeadPolicy, RefusesWhatTwoProgramsCouldReadDifferently) {
  const std::vector<Refused> cases = {
      {post("Content-Length: 5\r\nContent-Length: 5\r\n"), Fault::kRepeatedField},
      {post("Content-Length: 5\r\nContent-Length: 6\r\n"), Fault::kRepeatedField},
      {post("Content-Length: 5\r\ncontent-length: 5\r\n"), Fault::kRepeatedField},
      {post("Content-Length: 5, 5\r\n"), Fault::kBadContentLength},
      {post("Content-Length: +5\r\n"), Fault::kBadContentLength},
      {post("Content-Length: -5\r\n"), Fault::kBadContentLength},
      {post("Content-Length: 0x5\r\n"), Fault::kBadContentLength},
      {post("Content-Length: 05\r\n"), Fault::kBadContentLength},
      {post("Content-Length: 5 5\r\n"), Fault::kBadContentLength},
      {post("Content-Length: 5.0\r\n"), Fault::kBadContentLength},
      {post("Content-Length: 1e3\r\n"), Fault::kBadContentLength},
      {post("Content-Length: \"5\"\r\n"), Fault::kBadContentLength},
      {post("Content-Length: 5;\r\n"), Fault::kBadContentLength},
      {post("Content-Length:\r\n"), Fault::kBadContentLength},
      {post("Content-Length: \xc2\xb2\r\n"), Fault::kBadContentLength},
      {post("Content-Length: 18446744073709551616\r\n"), Fault::kBadContentLength},
      {post("Content-Length: 99999999999999999999999\r\n"), Fault::kBadContentLength},
      {post("Transfer-Encoding: gzip\r\n"), Fault::kBadTransferEncoding},
      {post("Transfer-Encoding: identity\r\n"), Fault::kBadTransferEncoding},
      {post("Transfer-Encoding: gzip, chunked\r\n"), Fault::kBadTransferEncoding},
      {post("Transfer-Encoding: chunked, gzip\r\n"), Fault::kBadTransferEncoding},
      {post("Transfer-Encoding: chunked, chunked\r\n"), Fault::kBadTransferEncoding},
      {post("Transfer-Encoding: ,chunked\r\n"), Fault::kBadTransferEncoding},
      {post("Transfer-Encoding: xchunked\r\n"), Fault::kBadTransferEncoding},
      {post("Transfer-Encoding: chunked;q=1\r\n"), Fault::kBadTransferEncoding},
      {post("Transfer-Encoding: \"chunked\"\r\n"), Fault::kBadTransferEncoding},
      {post("Transfer-Encoding:\r\n"), Fault::kBadTransferEncoding},
      {post("Transfer-Encoding: \xc2\xa0"
            "chunked\r\n"),
       Fault::kBadTransferEncoding},
      {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), Fault::kRepeatedField},
      {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
       Fault::kRepeatedField},
      {post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), Fault::kLengthAndEncoding},
      {post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), Fault::kLengthAndEncoding},
      {post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"), Fault::kLengthAndEncoding},
      {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
       Fault::kEncodingInHttp10},
      {get("Content-Length: 5\r\n"), Fault::kBodyOnGet},
      {get("Transfer-Encoding: chunked\r\n"), Fault::kBodyOnGet},
      {"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", Fault::kBodyOnGet},
      {post("Content-Length : 5\r\n"), Fault::kBadFieldName},
      {post("Transfer-Encoding\t: chunked\r\n"), Fault::kBadFieldName},
      {post(": 5\r\n"), Fault::kBadFieldName},
      {post("Content Length: 5\r\n"), Fault::kBadFieldName},
      {post("no colon\r\n"), Fault::kBadFieldName},
      {post("N\xc3\xa4me: 5\r\n"), Fault::kBadFieldName},
      {post("(name): 5\r\n"), Fault::kBadFieldName},
      {post(" Content-Length: 5\r\n"), Fault::kFoldedField},
      {post("X: a\r\n b\r\n"), Fault::kFoldedField},
      {post("X: a\r\n\tb\r\n"), Fault::kFoldedField},
      {post("Transfer-Encoding:\r\n chunked\r\n"), Fault::kBadTransferEncoding},
      {post("Content-Type: a/b\r\nContent-Type: c/d\r\n"), Fault::kRepeatedField},
      {"GET / HTTP/1.1\r\n\r\n", Fault::kMissingHost},
      {"GET / HTTP/1.0\r\n\r\n", Fault::kMissingHost},
      {get("Host: a\r\n"), Fault::kRepeatedField},
      {get("host: b\r\n"), Fault::kRepeatedField},
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n", Fault::kBadHost},
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", Fault::kBadHost},
      {"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", Fault::kBadHost},
      {"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", Fault::kBadHost},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", Fault::kBadHost},
      {"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", Fault::kBadHost},
      {"GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", Fault::kBadHost},
      {"GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", Fault::kBadHost},
      {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", Fault::kBadHost},
      {"GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", Fault::kBadHost},
      {"GET / HTTP/1.1\r\nHost: []\r\n\r\n", Fault::kBadHost},
  };
  for (const auto& [head, fault] : cases) {
    const Verdict verdict = check(head);
    ASSERT_FALSE(verdict) << head;
    EXPECT_EQ(verdict.error(), fault) << head;
  }
}

TEST(HeadPolicy, RefusesLinesThatDoNotEndAsLinesDo) {
  using namespace std::string_literals;
  for (const std::string& head :
       {"GET / HTTP/1.1\nHost: a\r\n\r\n"s, "GET / HTTP/1.1\r\nHost: a\n\r\n"s,
        "GET / HTTP/1.1\r\nHost: a\r\n\n"s, "GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n"s,
        "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\r\n\r\n"s, "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n"s}) {
    const Verdict verdict = check(head);
    ASSERT_FALSE(verdict) << head;
    EXPECT_EQ(verdict.error(), Fault::kBareLineBreak) << head;
  }
  for (const std::string& head :
       {"GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n"s, "GET / HTTP/1.1\r\nHost: a\x7f\r\n\r\n"s,
        "GET / HTTP/1.1\r\nHost: a\r\nX: \x0b\r\n\r\n"s,
        "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"s}) {
    const Verdict verdict = check(head);
    ASSERT_FALSE(verdict) << head;
    EXPECT_EQ(verdict.error(), Fault::kControlCharacter) << head;
  }
}

TEST(HeadPolicy, RefusesRequestLinesThatAreNotOfThisServer) {
  const std::vector<Refused> cases = {
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Fault::kBadMethod},
      {"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", Fault::kBadMethod},
      {"get / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::kBadMethod},
      {"SHOUT / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::kBadMethod},
      {"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", Fault::kBadMethod},
      {"GET\r\n", Fault::kBadMethod},
      {"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::kBadMethod},
      {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::kBadMethod},
      {"\x16\x03\x01\x02", Fault::kBadMethod},  // TLS, refused by its first byte
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::kBadTarget},
      {"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", Fault::kBadTarget},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", Fault::kBadTarget},
      {"GET metrics HTTP/1.1\r\nHost: a\r\n\r\n", Fault::kBadTarget},
      {"GET /#top HTTP/1.1\r\nHost: a\r\n\r\n", Fault::kBadTarget},
      {"GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n", Fault::kBadTarget},
      {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", Fault::kBadTarget},
      {"GET /%2 HTTP/1.1\r\nHost: a\r\n\r\n", Fault::kBadTarget},
      {"GET /caf\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", Fault::kBadTarget},
      {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", Fault::kBadVersion},
      {"GET / /b HTTP/1.1\r\nHost: a\r\n\r\n", Fault::kBadVersion},
      {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", Fault::kBadVersion},
      {"GET / HTTP/2\r\nHost: a\r\n\r\n", Fault::kBadVersion},
      {"GET / http/1.1\r\nHost: a\r\n\r\n", Fault::kBadVersion},
      {"GET / HTTP/01.1\r\nHost: a\r\n\r\n", Fault::kBadVersion},
      {"GET /\r\n", Fault::kBadVersion},  // HTTP/0.9
  };
  for (const auto& [head, fault] : cases) {
    const Verdict verdict = check(head);
    ASSERT_FALSE(verdict) << head;
    EXPECT_EQ(verdict.error(), fault) << head;
  }
}

TEST(HeadPolicy, GivesUpOnWhatIsTooLargeWithoutWaitingForItsEnd) {
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
  const Verdict endless_line = check(start + "X: " + std::string(16 * 1024, 'x'));
  ASSERT_FALSE(endless_line);
  EXPECT_EQ(endless_line.error(), Fault::kHeadTooLong);

  std::string many = start;
  for (int i = 0; i < 99; ++i) many += "X: y\r\n";
  EXPECT_TRUE(check(many + "\r\n"));
  const Verdict one_more = check(many + "X: y\r\n");
  ASSERT_FALSE(one_more);
  EXPECT_EQ(one_more.error(), Fault::kTooManyFields);
  EXPECT_EQ(answer_to(one_more.error()).status, 431U);
}

TEST(HeadPolicy, ReadsTheSameByteByByteAsAtOnce) {
  for (const std::string& head : {post("Content-Length: 5\r\nX: y\r\n") + "12345", get("X : y\r\n"),
                                  post("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n")}) {
    const Verdict at_once = check(head);
    HeadPolicy policy;
    Verdict slowly{std::optional<std::size_t>()};
    for (std::size_t size = 1; size <= head.size() && slowly && !*slowly; ++size) {
      slowly = policy.check(std::string_view(head).substr(0, size));
    }
    EXPECT_EQ(at_once, slowly) << head;
  }
}

TEST(HeadPolicy, EndsWithTheHeadWhenMoreFollows) {
  const std::string head = post("Content-Length: 5\r\n");
  HeadPolicy policy;
  EXPECT_EQ(policy.check(head + "12345GET / HTTP/1.1\r\n"), Verdict(head.size()));
  EXPECT_EQ(policy.content_length(), 5U);
  EXPECT_FALSE(policy.chunked());
}

TEST(HostRule, AllowsLoopbackAndWhatIsListed) {
  const std::vector<std::string> listed = {"agent.example", "10.0.0.7:19901"};
  for (const char* host :
       {"localhost", "LOCALHOST:19901", "127.0.0.1", "127.0.0.1:1", "127.255.0.9", "[::1]",
        "[::1]:19901", "agent.example", "Agent.Example:80", "10.0.0.7"}) {
    EXPECT_TRUE(is_host_allowed(host, listed)) << host;
  }
  for (const char* host :
       {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "127.1", "127.0.0.01",
        "127.0.0.256", "128.0.0.1", "2130706433", "0x7f.0.0.1", "127.0.0.1.", "127.0.0.", "0.0.0.0",
        "[::2]", "[::ffff:127.0.0.1]", "10.0.0.8", "example", ""}) {
    EXPECT_FALSE(is_host_allowed(host, listed)) << host;
  }
}

TEST(OriginRule, AllowsTheAgentsOwnAndWhatIsListed) {
  const std::vector<std::string> listed = {"https://ci.example.org"};
  EXPECT_TRUE(is_origin_allowed("", "a", listed));
  EXPECT_TRUE(is_origin_allowed("https://CI.example.org", "a", listed));
  EXPECT_TRUE(is_origin_allowed("http://a", "a:80", listed));
  EXPECT_TRUE(is_origin_allowed("https://a:443", "A", listed));
  EXPECT_TRUE(is_origin_allowed("http://[::1]:19900", "[::1]:19900", listed));
  EXPECT_FALSE(is_origin_allowed("null", "null", listed));
  EXPECT_FALSE(is_origin_allowed("file://a", "a", listed));
  EXPECT_FALSE(is_origin_allowed("https://a", "a:80", listed));
  EXPECT_FALSE(is_origin_allowed("https://ci.example.org.evil", "a", listed));
}

}  // namespace
}  // namespace agent::web
