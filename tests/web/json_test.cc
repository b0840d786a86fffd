#include "agent/web/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>

#include "agent/web/times.h"

namespace agent::web {
namespace {

using namespace std::chrono_literals;
using progress::FileStatus;
using progress::Mode;

constexpr Instant kStart = std::chrono::sys_days(std::chrono::year(2026) / 1 / 5) + 9h;

std::string text(std::string_view value) {
  std::string out;
  JsonWriter(out).value(value);
  return out;
}
template <typename T>
std::string number(T value) {
  std::string out;
  JsonWriter(out).value(value);
  return out;
}

TEST(JsonWriter, EscapesWhatJsonDoesNotHold) {
  EXPECT_EQ(text("plain"), "\"plain\"");
  EXPECT_EQ(text("a\"b\\c\n\r\t\x01\x1f\x7f"), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\\u007f\"");
  EXPECT_EQ(text("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
            "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"");
  EXPECT_EQ(text(std::string_view("\0x", 2)), "\"\\u0000x\"");
}

TEST(JsonWriter, ReplacesBytesThatAreNotUtf8) {
  for (const char* bad :
       {"\xff", "\xc3", "\xc0\x80", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"}) {
    EXPECT_EQ(text(bad).find_first_of("\xff\xc0\xed\xf4"), std::string::npos) << bad;
    EXPECT_NE(text(bad).find("\xef\xbf\xbd"), std::string::npos) << bad;
  }
  EXPECT_EQ(text("a\xc3"
                 "b"),
            "\"a\xef\xbf\xbd"
            "b\"");
}

TEST(JsonWriter, WritesNumbersShortAndExact) {
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(85.0), "85");
  EXPECT_EQ(number(1.0 / 3), "0.3333333333333333");
  EXPECT_EQ(number(std::int64_t{9007199254740993}), "9007199254740993");
  EXPECT_EQ(number(Duration(1'500)), "1.5");
  EXPECT_EQ(number(Duration(2'000'000)), "2000");
  EXPECT_EQ(number(true), "true");
}

TEST(JsonWriter, LeavesOutWhatIsUnknown) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("a", std::optional<double>()).member("b", std::optional<double>(2));
  json.member("c", std::nan("")).member("d", std::numeric_limits<double>::infinity());
  json.known_text("e", "").known_text("f", "x");
  json.key("g").begin_array().value(1).value("y").begin_object().end_object().end_array();
  json.end_object();
  EXPECT_EQ(out, R"({"b":2,"f":"x","g":[1,"y",{}]})");
}

TEST(Times, AreInUtcWithMilliseconds) {
  EXPECT_EQ(rfc3339(kStart), "2026-01-05T09:00:00.000Z");
  EXPECT_EQ(rfc3339(kStart + 1234567us), "2026-01-05T09:00:01.234Z");
  EXPECT_EQ(rfc3339(Instant(-1us)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(rfc3339(Instant::max()), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(rfc3339(Instant::min()), "0000-01-01T00:00:00.000Z");
  EXPECT_EQ(http_date(kStart), "Mon, 05 Jan 2026 09:00:00 GMT");
  EXPECT_EQ(http_date(kStart + 24h * 359), "Wed, 30 Dec 2026 09:00:00 GMT");
}

// A session with a value in everything that the API shows.
progress::SessionSnapshot session(Mode mode) {
  progress::SessionSnapshot s;
  progress::SessionIdentity identity;
  identity.id = "nightly/1";
  identity.name = identity.family = "nightly";
  identity.currency = "EUR";
  identity.labels = {{"team", "se\"arch"}};
  identity.config.mode = mode;
  identity.config.performance_alerts = mode >= Mode::kEnhanced;
  s.identity = std::make_shared<const progress::SessionIdentity>(identity);
  s.state = progress::SessionState::kWorking;
  s.last_event_time = kStart + 119s;
  auto& m = s.metrics;
  m.total_files = 10;
  m.files = {1, 1, 7, 1, 0, 0};
  m.progress_percentage = 85;
  m.start_time = kStart;
  m.current_time = kStart + 120s;
  m.elapsed = 120s;
  m.rate_limit_hits = 3;
  m.rate_limit_delay = 4500ms;
  m.estimated_cost = 0.42;
  m.cost_per_file = 0.06;
  return s;
}

TEST(SessionJson, OfAMinimalSessionHoldsWhatItComputes) {
  EXPECT_EQ(
      session_json(session(Mode::kMinimal)),
      R"({"session":{"id":"nightly/1","name":"nightly","family":"nightly","attempt":1,)"
      R"("mode":"minimal","currency":"EUR","config":{"updateIntervalMs":1000,)"
      R"("etaUpdateIntervalMs":1000,"throughputWindowMs":60000,"enableRealTimeUpdates":true,)"
      R"("enablePerformanceAlerts":false,"enableETAOptimization":true,)"
      R"("enableQualityTracking":true,"enablePersistence":true,"enableAnalytics":true,)"
      R"("alertThresholds":{"highErrorRate":0.1,"etaDeviationPercent":50,)"
      R"("qualityScoreThreshold":0.7}},"labels":{"team":"se\"arch"},"isTracking":true,)"
      R"("startTime":"2026-01-05T09:00:00.000Z","lastEventTime":"2026-01-05T09:01:59.000Z"},)"
      R"("state":"working","metrics":{"totalFiles":10,"filesCompleted":7,"filesFailed":1,)"
      R"("filesPending":1,"filesProcessing":1,"filesSkipped":0,"filesCancelled":0,)"
      R"("progressPercentage":85,"startTime":"2026-01-05T09:00:00.000Z",)"
      R"("currentTime":"2026-01-05T09:02:00.000Z","elapsedTimeMs":120000,"rateLimitHits":3,)"
      R"("rateLimitDelayMs":4500,"apiCallsTotal":0,"apiCallsSuccessful":0,"apiCallsFailed":0,)"
      R"("totalTokensUsed":0,"estimatedCost":0.42,"costPerFile":0.06,"retryCount":0}})");
}

progress::SessionSnapshot session_with_eta(Mode mode) {
  progress::SessionSnapshot s = session(mode);
  s.metrics.current_throughput = 4;
  s.metrics.average_throughput = 3.5;
  s.metrics.rate_limiting_impact = 0.01875;
  s.metrics.throughput_history = std::make_shared<const std::vector<progress::ThroughputPoint>>(
      std::vector<progress::ThroughputPoint>{{kStart + 60s, 3.5}});
  progress::Forecast eta;
  eta.remaining = 21'176'471us;
  eta.completion = kStart + 120s + 21'176'471us;
  eta.low = 15s;
  eta.high = 30s;
  eta.confidence = 0.6;
  eta.methods[0] = eta.remaining;
  s.eta = eta;
  return s;
}

TEST(SessionJson, ShowsTheEtaWithItsFactors) {
  std::string out;
  JsonWriter json(out);
  write_eta(json, session_with_eta(Mode::kComprehensive));
  EXPECT_EQ(out, R"({"estimatedTimeRemainingMs":21176.471,)"
                 R"("estimatedCompletionTime":"2026-01-05T09:02:21.176Z","confidence":0.6,)"
                 R"("method":"linear","factors":{"currentThroughput":4,"averageThroughput":3.5,)"
                 R"("rateLimitingImpact":0.01875,"complexityFactor":1},)"
                 R"("interval":{"lowMs":15000,"highMs":30000,"level":0.8},)"
                 R"("methods":{"linear":21176.471}})");
}

TEST(SessionJson, HoldsWhatItsModeComputes) {
  const auto has = [](Mode mode, const char* name) {
    return session_json(session_with_eta(mode)).find(name) != std::string::npos;
  };
  for (const Mode mode : {Mode::kBasic, Mode::kEnhanced, Mode::kComprehensive}) {
    EXPECT_TRUE(has(mode, "\"eta\":{"));
    EXPECT_TRUE(has(mode, "\"estimatedTimeRemainingMs\":21176.471,"));
    EXPECT_TRUE(
        has(mode, R"("throughputHistory":[{"timestamp":"2026-01-05T09:01:00.000Z","value":3.5}])"));
    EXPECT_EQ(has(mode, "\"methods\":{"), mode >= Mode::kEnhanced);
    EXPECT_EQ(has(mode, "\"alerts\":["), mode >= Mode::kEnhanced);
    EXPECT_EQ(has(mode, "\"insights\":["), mode >= Mode::kComprehensive);
  }
}

TEST(FileJson, ShowsWhatIsKnownOfAFile) {
  progress::FileSnapshot file;
  file.file = "a/b.pdf";
  file.status = FileStatus::kFailed;
  file.progress = 50;
  file.bytes = 1024;
  file.bytes_done = 512;
  file.tries = 2;
  file.retries = 1;
  file.error = "unreadable";
  file.started = kStart;
  std::string out;
  JsonWriter json(out);
  write_file(json, file);
  EXPECT_EQ(out,
            R"({"file":"a/b.pdf","status":"failed","progress":50,"bytes":1024,"bytesDone":512,)"
            R"("tokens":0,"cost":0,"retries":1,"attempts":2,"error":"unreadable",)"
            R"("startTime":"2026-01-05T09:00:00.000Z"})");
}

}  // namespace
}  // namespace agent::web
