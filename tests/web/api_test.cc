#include "agent/web/api.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/web/running_server.h"

namespace agent::web {
namespace {

using namespace std::chrono_literals;
using progress::Event;
using progress::FileStatus;
using progress::Mode;

// The whole API on a listener, over a tracker that the test feeds directly.
class Api : public ::testing::Test {
 protected:
  void TearDown() override { server_.reset(); }

  void serve(Side side = Side::kWeb, bool admin_api = false) {
    server_ = std::make_unique<RunningServer>(api_routes(outside_, tracker_, clock_), side,
                                              Limits{}, admin_api);
    client_ = std::make_unique<RawClient>(server_->port());
  }

  void apply(std::string_view session, progress::Fact fact) {
    tracker::Tracker::Batch batch(tracker_, clock_.now());
    Event event;
    event.session = session;
    event.fact = std::move(fact);
    const auto applied = batch.apply(event);
    ASSERT_TRUE(applied) << applied.error().message;
  }
  void start(std::string_view session, Mode mode = Mode::kComprehensive,
             std::string_view family = {}) {
    progress::SessionStarted started;
    started.facts.mode = mode;
    started.facts.total_files = 4;
    if (!family.empty()) started.facts.family = family;
    apply(session, started);
  }
  void file(std::string_view session, std::string_view name, FileStatus status) {
    progress::FileProgressed progressed;
    progressed.file = name;
    progressed.status = status;
    apply(session, progressed);
  }

  std::string send(std::string_view method, std::string_view target, std::string_view body = {}) {
    client_->send(std::string(method) + ' ' + std::string(target) +
                  " HTTP/1.1\r\nHost: localhost\r\n" +
                  (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") +
                  std::string(fields_) + "\r\n" + std::string(body));
    return client_->reply(method != "HEAD");
  }
  std::string get(std::string_view target) { return body_of(send("GET", target)); }

  SystemClock clock_;
  tracker::Tracker tracker_{tracker::Settings{}};
  std::atomic<int> scrapes_ = 0;
  std::atomic<bool> ready_ = true;
  Result<void> reloaded_;
  std::string_view fields_;
  Outside outside_{
      [this](const metrics::Request& request) {
        auto text = std::make_shared<metrics::Text>();
        text->append("page for " + std::string(request.accept) + " in " +
                     std::string(request.accept_encoding));
        return metrics::Page{text, "text/plain; version=0.0.4; charset=utf-8", "",
                             tracker_.view(clock_.now())};
      },
      [this](const boost::asio::ip::address& scraper, const View& page) {
        EXPECT_TRUE(scraper.is_loopback());
        scrapes_ += static_cast<int>(page.sessions.size());
      },
      [this] { return ready_.load(); },
      [this] { return reloaded_; },
      [](JsonWriter& json) { json.member("sources", "those"); },
  };
  std::unique_ptr<RunningServer> server_;
  std::unique_ptr<RawClient> client_;
};

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST_F(Api, ServesTheMetricsPageAndTellsWhatAScraperGot) {
  start("one");
  serve();
  fields_ = "Accept: text/plain\r\nAccept-Encoding: gzip\r\n";
  const std::string reply = send("GET", "/metrics");
  EXPECT_EQ(body_of(reply), "page for text/plain in gzip");
  EXPECT_NE(reply.find("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"), reply.npos);
  EXPECT_NE(reply.find("Vary: Accept, Accept-Encoding\r\n"), reply.npos);
  EXPECT_EQ(scrapes_, 0);  // a human's curl
  fields_ = "X-Prometheus-Scrape-Timeout-Seconds: 10\r\n";
  send("GET", "/metrics");
  EXPECT_TRUE(eventually([&] { return scrapes_ == 1; }));
}

TEST_F(Api, SaysHowTheAgentIs) {
  serve();
  EXPECT_EQ(status_of(send("GET", "/-/healthy")), 200);
  EXPECT_EQ(status_of(send("GET", "/-/ready")), 200);
  ready_ = false;
  EXPECT_EQ(status_of(send("GET", "/-/ready")), 503);
  EXPECT_EQ(status_of(send("GET", "/-/healthy")), 200);
}

TEST_F(Api, ReloadsOnTheIngestSide) {
  serve(Side::kIngest);
  EXPECT_EQ(status_of(send("POST", "/-/reload")), 200);
  reloaded_ = failure(std::string("agent.yaml:3:1: unknown key"));
  const std::string reply = send("POST", "/-/reload");
  EXPECT_EQ(status_of(reply), 500);
  EXPECT_NE(reply.find("agent.yaml:3:1: unknown key"), reply.npos);
  EXPECT_EQ(status_of(send("GET", "/-/reload")), 405);
}

TEST_F(Api, KeepsTheListenersApart) {
  start("one");
  serve(Side::kIngest);
  const std::string metrics = send("GET", "/metrics");
  EXPECT_EQ(status_of(metrics), 404);
  EXPECT_NE(metrics.find("--web.listen-address"), metrics.npos) << "a word on where it is";
  EXPECT_EQ(status_of(send("GET", "/v1/sessions")), 404);
  EXPECT_EQ(status_of(send("GET", "/-/ready")), 200);

  serve(Side::kWeb);
  const std::string refused = send("DELETE", "/v1/sessions/one");
  EXPECT_EQ(status_of(refused), 405);
  EXPECT_NE(refused.find("Allow: GET, HEAD\r\n"), refused.npos);
  EXPECT_NE(refused.find("--ingest.listen-address"), refused.npos);
  EXPECT_EQ(status_of(send("POST", "/-/reload")), 404);
  const std::string unknown = send("GET", "/nowhere");
  EXPECT_EQ(status_of(unknown), 404);
  EXPECT_NE(unknown.find("\"code\":\"not_found\""), unknown.npos);

  serve(Side::kWeb, true);
  EXPECT_EQ(status_of(send("DELETE", "/v1/sessions/one")), 204);
}

TEST_F(Api, ShowsASessionAndItsParts) {
  start("a/b c");
  file("a/b c", "x/1", FileStatus::kProcessing);
  file("a/b c", "2", FileStatus::kCompleted);
  serve();
  const std::string whole = get("/v1/sessions/a%2Fb%20c");
  EXPECT_EQ(whole.find(R"({"session":{"id":"a/b c",)"), 0U) << whole;
  EXPECT_NE(
      whole.find(R"("filesCompleted":1,"filesFailed":0,"filesPending":2,"filesProcessing":1)"),
      whole.npos);
  EXPECT_EQ(get("/v1/sessions/a%2Fb%20c/metrics").find(R"({"totalFiles":4,)"), 0U);
  EXPECT_EQ(
      get("/v1/sessions/a%2Fb%20c/files/x%2F1").find(R"({"file":"x/1","status":"processing",)"),
      0U);
  EXPECT_EQ(get("/v1/sessions/a%2Fb%20c/validation"), "{\"isValid\":true,\"errors\":[]}\n");
  EXPECT_EQ(get("/v1/sessions/a%2Fb%20c/insights"), "{\"items\":[]}\n");
}

TEST_F(Api, ExplainsAnEtaAndWhatKeepsProgressFromUpdating) {
  start("run", Mode::kComprehensive, "nightly");
  file("run", "1", FileStatus::kProcessing);
  file("run", "1", FileStatus::kCompleted);
  tracker::Tracker::Batch(tracker_, clock_.now())
      .refuse("run", "", std::nullopt, progress::RejectReason::kInvalidField);
  serve();
  const std::string why = get("/v1/sessions/run/explain");
  for (const std::string_view part :
       {R"({"eta":{"known":true,"method":"adaptive","reason":"never_seen","because":"the default)",
        R"("remainingMs":)", R"("inputs":{"activeMs":)", R"("finishedFiles":1)",
        R"("familyRuns":0)", R"("rateLimits":{)", R"("announcedMs":0)", R"("methods":{"linear":{)",
        R"("ml_based":{"remainingMs":)", R"("expectedError":)", R"("experts":[{"expert":")",
        R"("weight":)", R"("uncertainty":{"spread":)", R"("updates":{"isTracking":true,"state":")",
        R"("lastEventAgeMs":)", R"("rejectedEvents":{"invalid_field":1})",
        R"("reasons":["events were refused)"}) {
    EXPECT_NE(why.find(part), why.npos) << part << "\nis not in\n" << why;
  }
  EXPECT_EQ(why.find("NaN"), why.npos);
}

TEST_F(Api, ExplainsWhyEachAlertFiresOrDoesNot) {
  start("run");
  progress::SessionUpdated slow;
  slow.facts.config.thresholds.slow_processing_ms = 1000;
  apply("run", slow);
  file("run", "1", FileStatus::kProcessing);
  start("small", Mode::kMinimal);
  serve();
  const auto why = [&](std::string_view session) {
    return get("/v1/sessions/" + std::string(session) + "/explain");
  };
  EXPECT_NE(why("run").find(R"("name":"HighErrorRate","state":"inactive","because":"not looked)"),
            std::string::npos);
  Now later = clock_.now();
  later.steady += 10s;
  later.wall += 10s;
  tracker_.tick(later, {});
  while (tracker_.look_on(later)) {
  }
  const std::string looked = why("run");
  for (const std::string_view part :
       {R"("alerts":[{"name":"SlowProcessing","state":"firing","value":1)",
        R"("threshold":1000,"since":")",
        R"({"name":"HighErrorRate","state":"inactive","threshold":0.1,"because":"there is nothing)",
        R"({"name":"LowThroughput","state":"inactive","because":"off: no threshold is set"})"}) {
    EXPECT_NE(looked.find(part), looked.npos) << part << "\nis not in\n" << looked;
  }
  EXPECT_EQ(looked.find("AgentNearLimit"), looked.npos) << "that is about no session";
  EXPECT_NE(why("small").find(R"("state":"inactive","because":"alerts are off for this session")"),
            std::string::npos);
}

TEST_F(Api, ExplainsWhyThereIsNoEta) {
  start("small", Mode::kMinimal);
  start("over");
  apply("over", progress::SessionEnded{});
  serve();
  EXPECT_EQ(get("/v1/sessions/small/explain")
                .find(R"({"eta":{"known":false,"because":"mode minimal computes none"})"),
            0U);
  const std::string over = get("/v1/sessions/over/explain");
  EXPECT_EQ(over.find(R"({"eta":{"known":false,"because":"the session is over"})"), 0U);
  EXPECT_NE(over.find("only session.start opens it again"), over.npos);
  ASSERT_TRUE(tracker_.stop("small", clock_.now()));
  EXPECT_NE(get("/v1/sessions/small/explain").find(R"("isTracking":false)"), over.npos);
}

TEST_F(Api, NamesWhatIsNotThere) {
  start("small", Mode::kMinimal);
  start("large");
  start("over");
  apply("over", progress::SessionEnded{});
  serve();
  const auto answer = [&](std::string_view target, int status, std::string_view code) {
    const std::string reply = send("GET", target);
    EXPECT_EQ(status_of(reply), status) << target;
    EXPECT_EQ(
        body_of(reply).find("{\"error\":{\"code\":\"" + std::string(code) + "\",\"message\":\""),
        0U)
        << reply;
  };
  answer("/v1/sessions/none", 404, "unknown_session");
  answer("/v1/sessions/none/files", 404, "unknown_session");
  answer("/v1/sessions/none/explain", 404, "unknown_session");
  answer("/v1/sessions/large/files/none", 404, "unknown_file");
  answer("/v1/sessions/over/eta", 404, "not_known");
  answer("/v1/sessions/small/eta", 404, "not_enabled");
  answer("/v1/sessions/small/insights", 404, "not_enabled");
  answer("/v1/sessions/large/nothing", 404, "not_found");
  answer("/v1/sessions/", 404, "not_found");
  answer("/v1/sessions?state=asleep", 400, "invalid_parameter");
  answer("/v1/sessions?limit=0", 400, "invalid_parameter");
  answer("/v1/sessions?limit=1001", 400, "invalid_parameter");
  answer("/v1/sessions?limit=many", 400, "invalid_parameter");
  answer("/v1/sessions?cursor=-1", 400, "invalid_parameter");
  answer("/v1/sessions/large/files?status=lost", 400, "invalid_parameter");
}

TEST_F(Api, ListsSessionsInTheOrderFirstSeen) {
  start("c", Mode::kMinimal, "nightly");
  start("a", Mode::kMinimal, "weekly");
  start("b", Mode::kMinimal, "nightly");
  apply("a", progress::SessionEnded{});
  serve();
  const std::string all = get("/v1/sessions?unknown=ignored");
  EXPECT_EQ(count(all, "{\"session\":{"), 3U);
  EXPECT_LT(all.find("\"id\":\"c\""), all.find("\"id\":\"a\""));
  EXPECT_LT(all.find("\"id\":\"a\""), all.find("\"id\":\"b\""));
  EXPECT_EQ(all.find("nextCursor"), all.npos);
  const std::string ended = get("/v1/sessions?state=ended");
  EXPECT_EQ(count(ended, "{\"session\":{"), 1U);
  EXPECT_NE(ended.find("\"id\":\"a\""), ended.npos);
  EXPECT_EQ(count(get("/v1/sessions?state=active"), "{\"session\":{"), 2U);
  EXPECT_EQ(count(get("/v1/sessions?family=nightly"), "{\"session\":{"), 2U);
  EXPECT_EQ(get("/v1/sessions?family=none"), "{\"items\":[]}\n");
}

// Follows nextCursor to the end; the ids as they come.
std::string walk(const std::function<std::string(std::string)>& page, std::string_view key) {
  std::string ids, cursor;
  for (int pages = 0; pages < 100; ++pages) {
    const std::string text = page(cursor.empty() ? "" : "&cursor=" + cursor);
    for (auto at = text.find(key); at != text.npos; at = text.find(key, at + 1)) {
      const auto from = at + key.size();
      ids += text.substr(from, text.find('"', from) - from) + ' ';
    }
    const auto next = text.find("\"nextCursor\":\"");
    if (next == text.npos) return ids;
    cursor = text.substr(next + 14, text.find('"', next + 14) - next - 14);
  }
  return "no end: " + ids;
}

TEST_F(Api, CompressesWhatIsLong) {
  for (int i = 0; i < 20; ++i) start("session " + std::to_string(i));
  serve();
  const std::string plain = send("GET", "/v1/sessions");
  EXPECT_EQ(plain.find("Content-Encoding"), plain.npos);
  fields_ = "Accept-Encoding: gzip\r\n";
  const std::string packed = send("GET", "/v1/sessions");
  EXPECT_NE(packed.find("Content-Encoding: gzip\r\n"), packed.npos);
  EXPECT_NE(packed.find("Vary: Accept-Encoding\r\n"), packed.npos);
  EXPECT_LT(packed.size(), plain.size() / 4);
  EXPECT_EQ(body_of(packed).substr(0, 2), "\x1f\x8b");
  EXPECT_EQ(send("GET", "/v1/sessions?family=none").find("Content-Encoding"), packed.npos);
}

TEST_F(Api, GivesLongListsInPages) {
  for (const char* id : {"s1", "s2", "s3", "s4", "s5"}) start(id, Mode::kMinimal);
  for (const char* name : {"f1", "f2", "f3", "f4", "f5"}) file("s1", name, FileStatus::kCompleted);
  file("s1", "f2", FileStatus::kProcessing);
  serve();
  for (const std::string limit : {"1", "2", "4", "5", "100"}) {
    EXPECT_EQ(walk([&](const std::string& c) { return get("/v1/sessions?limit=" + limit + c); },
                   "{\"id\":\""),
              "s1 s2 s3 s4 s5 ")
        << limit;
    EXPECT_EQ(
        walk([&](const std::string& c) { return get("/v1/sessions/s1/files?limit=" + limit + c); },
             "{\"file\":\""),
        "f1 f2 f3 f4 f5 ")
        << limit;
  }
  // A session that leaves meanwhile does not disturb who walks.
  const std::string first = get("/v1/sessions?limit=2");
  ASSERT_NE(first.find("\"nextCursor\":\"3\""), first.npos) << first.substr(first.size() - 40);
}

TEST_F(Api, StopsAndCleansUpOnTheIngestSide) {
  start("one");
  start("two");
  serve(Side::kIngest);
  EXPECT_EQ(status_of(send("DELETE", "/v1/sessions/one")), 204);
  EXPECT_EQ(status_of(send("DELETE", "/v1/sessions/none")), 404);
  EXPECT_EQ(status_of(send("POST", "/v1/sessions/cleanup")), 400);
  EXPECT_EQ(status_of(send("POST", "/v1/sessions/cleanup", "{}")), 400);
  EXPECT_EQ(status_of(send("POST", "/v1/sessions/cleanup", R"({"maxAgeMs":-1})")), 400);
  EXPECT_EQ(body_of(send("POST", "/v1/sessions/cleanup", R"({"maxAgeMs":3600000})")),
            "{\"removed\":0}\n");
  EXPECT_EQ(tracker_.session("two", clock_.now()) == nullptr, false);
  const std::string all = body_of(send("POST", "/v1/sessions/cleanup", R"({"maxAgeMs":0})"));
  EXPECT_EQ(all.find("{\"removed\":"), 0U);
  EXPECT_EQ(tracker_.session("two", clock_.now()), nullptr);
}

TEST_F(Api, JudgesMetricsFromOutside) {
  for (const Side side : {Side::kWeb, Side::kIngest}) {
    serve(side);
    const std::string invalid =
        body_of(send("POST", "/v1/validate", R"({"totalFiles":"ten","errorRate":2})"));
    EXPECT_EQ(
        invalid.find(R"({"isValid":false,"errors":[{"field":"totalFiles","code":"invalid_type",)"),
        0U)
        << invalid;
    EXPECT_NE(invalid.find(R"({"field":"errorRate","code":"out_of_range",)"), invalid.npos);
    EXPECT_NE(invalid.find(R"({"field":"filesFailed","code":"missing",)"), invalid.npos);
    EXPECT_EQ(status_of(send("POST", "/v1/validate", "{")), 400);
    EXPECT_EQ(status_of(send("POST", "/v1/validate", "[]")), 400);
    EXPECT_EQ(
        body_of(send("POST", "/v1/insights",
                     R"({"filesCompleted":60,"filesFailed":40,"errorRate":0.4})"))
            .find(
                R"({"items":[{"code":"failing","severity":"warning","message":"40 of 100 finished)"),
        0U);
    EXPECT_EQ(body_of(send("POST", "/v1/insights", "{}")), "{\"items\":[]}\n");
    EXPECT_EQ(status_of(send("POST", "/v1/insights", R"({"errorRate":-1})")), 400);
  }
}

TEST_F(Api, SaysWhatItHolds) {
  start("one");
  file("one", "f", FileStatus::kProcessing);
  serve();
  const std::string status = get("/v1/status");
  EXPECT_NE(status.find("\"ready\":true"), status.npos) << status;
  EXPECT_NE(status.find("\"finishing\":0"), status.npos) << status;
  EXPECT_NE(status.find("\"files\":"), status.npos);
  EXPECT_NE(status.find("\"sources\":\"those\""), status.npos);
}

TEST_F(Api, LetsPagesOfOtherOriginsChangeNothing) {
  serve(Side::kIngest);
  start("s");
  for (const std::string_view origin : {"https://evil.example", "null", "http://localhost:1"}) {
    const std::string field = "Origin: " + std::string(origin) + "\r\n";
    fields_ = field;
    EXPECT_EQ(status_of(send("DELETE", "/v1/sessions/s")), 403) << origin;
    EXPECT_EQ(status_of(send("POST", "/v1/sessions/cleanup", R"({"maxAgeMs":0})")), 403) << origin;
    client_ = std::make_unique<RawClient>(server_->port());  // its body was not read
  }
  fields_ = "Origin: http://localhost\r\n";
  EXPECT_EQ(status_of(send("DELETE", "/v1/sessions/s")), 204);
}

TEST_F(Api, ServesThePage) {
  serve();
  const std::string reply = send("GET", "/");
  EXPECT_NE(reply.find("Content-Type: text/html; charset=utf-8"), reply.npos);
  EXPECT_NE(reply.find("Content-Security-Policy: default-src 'none'; script-src 'self'"),
            reply.npos);
  EXPECT_EQ(reply.find("unsafe"), reply.npos);
  EXPECT_NE(body_of(reply).find("src=\"page/app.js\""), reply.npos);
  for (const std::string_view file : {"app.js", "page.css", "icon.svg"}) {
    EXPECT_EQ(status_of(send("GET", "/page/" + std::string(file))), 200) << file;
  }
  EXPECT_NE(send("GET", "/page/app.js").find("Content-Type: text/javascript"), reply.npos);
  EXPECT_EQ(status_of(send("GET", "/page/nothing.js")), 404);
}

}  // namespace
}  // namespace agent::web
