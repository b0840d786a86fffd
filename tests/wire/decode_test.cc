#include "agent/wire/decode.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "tests/wire/padded.h"

namespace agent::wire {
namespace {

using namespace std::chrono_literals;
using namespace progress;  // NOLINT(google-build-using-namespace): the domain's events, all of them

constexpr Instant kNow{std::chrono::seconds(1'800'000'000)};

// Decodes one line at a time and keeps what the views point to.
class Decode : public testing::Test {
 protected:
  Result<Message, Rejection> run(std::string_view json, std::optional<Instant> now = kNow) {
    lines_.emplace_back(json);
    return decoder_.decode(lines_.back().view(), now);
  }

  // A good event, and the fact it holds.
  const Event& event(std::string_view json) {
    const auto message = run(json);
    EXPECT_TRUE(message.has_value()) << json << "\n" << (message ? "" : message.error().message);
    return decoder_.event();
  }
  template <typename F>
  const F& fact(std::string_view json) {
    return std::get<F>(event(json).fact);
  }

  // "code field" of a refusal; "good" without one.
  std::string refusal(std::string_view json, std::optional<Instant> now = kNow) {
    const auto message = run(json, now);
    if (message) return "good";
    EXPECT_FALSE(message.error().message.empty()) << json;
    std::string code(name_of(message.error().reason));
    return message.error().field.empty() ? code : code + " " + message.error().field;
  }
  std::string message_of(std::string_view json) {
    const auto message = run(json);
    return message ? "" : message.error().message;
  }

  // A `file` event with these further fields.
  static std::string file(std::string_view fields) {
    return R"({"event":"file","session":"s","file":"f",)" + std::string(fields) + "}";
  }
  static std::string start(std::string_view fields) {
    return R"({"event":"session.start","session":"s",)" + std::string(fields) + "}";
  }

  Decoder decoder_;
  std::deque<Padded> lines_;
};

TEST_F(Decode, FileWithEverything) {
  const auto& f = fact<FileProgressed>(
      R"({"event":"file","session":"nightly","ts":1767603605.25,"file":"a.pdf","status":"processing",)"
      R"("progress":12.5,"stage":"embedding","stageProgress":50,"bytes":1000,"bytesDone":125,)"
      R"("units":2.5,"tokens":7,"cost":0.06,"model":"m","quality":0.9,"retries":2,"error":"e",)"
      R"("producer":"worker-7","seq":3})");
  const Event& e = decoder_.event();
  EXPECT_EQ(e.session, "nightly");
  EXPECT_EQ(e.ts, Instant(1767603605250ms));
  EXPECT_EQ(e.producer, "worker-7");
  EXPECT_EQ(e.seq, 3);
  EXPECT_EQ(f.file, "a.pdf");
  EXPECT_EQ(f.status, FileStatus::kProcessing);
  EXPECT_EQ(f.progress, 12.5);
  EXPECT_EQ(f.stage, "embedding");
  EXPECT_EQ(f.stage_progress, 50);
  EXPECT_EQ(f.bytes, 1000);
  EXPECT_EQ(f.bytes_done, 125);
  EXPECT_EQ(f.units, 2.5);
  EXPECT_EQ(f.tokens, 7);
  EXPECT_EQ(f.cost, 0.06);
  EXPECT_EQ(f.model, "m");
  EXPECT_EQ(f.quality, 0.9);
  EXPECT_EQ(f.retries, 2);
  EXPECT_EQ(f.error, "e");
}

TEST_F(Decode, NothingIsLeftFromTheEventBefore) {
  event(file(
      R"("status":"failed","progress":1,"stage":"x","stageProgress":2,"bytes":1,"bytesDone":1,)"
      R"("tokens":1,"retries":1,"units":1,"cost":1,"quality":1,"model":"m","error":"e","ts":5,)"
      R"("producer":"p","seq":1)"));
  // All the fields there are: one more would not compile.
  const auto& [file, status, progress, stage, stage_progress, bytes, bytes_done, tokens, retries,
               units, cost, quality, model, error] =
      fact<FileProgressed>(R"({"event":"file","session":"s","file":"f"})");
  EXPECT_TRUE(!status && !progress && !stage_progress && !bytes && !bytes_done && !tokens);
  EXPECT_TRUE(!retries && !units && !cost && !quality);
  EXPECT_TRUE(stage.empty() && error.empty() && model.empty());
  EXPECT_EQ(file, "f");
  EXPECT_EQ(decoder_.event().ts, std::nullopt);
  EXPECT_EQ(decoder_.event().seq, std::nullopt);
  EXPECT_TRUE(decoder_.event().producer.empty());
}

TEST_F(Decode, Files) {
  const auto& f = fact<FilesAnnounced>(
      R"({"event":"files","session":"s","files":[{"file":"a","bytes":5},{"file":"b","units":1.5,"stage":"x"}]})");
  ASSERT_EQ(f.files.size(), 2U);
  EXPECT_EQ(f.files[0].file, "a");
  EXPECT_EQ(f.files[0].bytes, 5);
  EXPECT_EQ(f.files[1].units, 1.5);
  EXPECT_EQ(f.files[1].stage, "x");
  EXPECT_EQ(f.files[1].bytes, std::nullopt);
}

TEST_F(Decode, Counts) {
  const auto& c = fact<CountsReported>(
      R"({"event":"progress","session":"s","completed":1,"failed":2,"skipped":3,"total":9,"bytesDone":4})");
  EXPECT_EQ(c.completed, 1);
  EXPECT_EQ(c.failed, 2);
  EXPECT_EQ(c.skipped, 3);
  EXPECT_EQ(c.total, 9);
  EXPECT_EQ(c.bytes_done, 4);
}

TEST_F(Decode, Api) {
  const auto& a = fact<ApiCalled>(
      R"({"event":"api","session":"s","ok":false,"calls":2,"provider":"openai","model":"m",)"
      R"("durationMs":1.5,"tokens":9,"tokensIn":1,"tokensOut":2,"tokensCached":3,"cost":0.5,"file":"f"})");
  EXPECT_FALSE(a.ok);
  EXPECT_EQ(a.calls, 2);
  EXPECT_EQ(a.provider, "openai");
  EXPECT_EQ(a.model, "m");
  EXPECT_EQ(a.file, "f");
  EXPECT_EQ(a.duration, Duration(1500));
  EXPECT_EQ(a.tokens, 9);
  EXPECT_EQ(a.tokens_in, 1);
  EXPECT_EQ(a.tokens_out, 2);
  EXPECT_EQ(a.tokens_cached, 3);
  EXPECT_EQ(a.cost, 0.5);
  const auto& plain = fact<ApiCalled>(R"({"event":"api","session":"s"})");
  EXPECT_TRUE(plain.ok);
  EXPECT_EQ(plain.calls, 1);
}

TEST_F(Decode, RateLimit) {
  const auto& r = fact<RateLimited>(
      R"({"event":"rateLimit","session":"s","delayMs":1500,"provider":"openai","hits":2,"limit":100,)"
      R"("remaining":3,"resetAt":"2026-01-05T09:00:00Z"})");
  EXPECT_EQ(r.delay, 1500ms);
  EXPECT_EQ(r.hits, 2);
  EXPECT_EQ(r.limit, 100);
  EXPECT_EQ(r.remaining, 3);
  EXPECT_EQ(r.reset_at, Instant(1767603600s));
  EXPECT_EQ(fact<RateLimited>(R"({"event":"rateLimit","session":"s"})").hits, 1);
}

TEST_F(Decode, Resource) {
  const auto& r = fact<ResourcesUsed>(
      R"({"event":"resource","session":"s","cpu":1.5,"memoryBytes":1,"memoryLimitBytes":2,)"
      R"("networkRxBytes":3,"networkTxBytes":4,"networkErrors":5})");
  EXPECT_EQ(r.cpu_cores, 1.5);
  EXPECT_EQ(r.memory_bytes, 1);
  EXPECT_EQ(r.memory_limit_bytes, 2);
  EXPECT_EQ(r.network_rx_bytes, 3);
  EXPECT_EQ(r.network_tx_bytes, 4);
  EXPECT_EQ(r.network_errors, 5);
}

TEST_F(Decode, SessionStart) {
  const auto& s = fact<SessionStarted>(start(
      R"("name":"n","family":"f","totalFiles":10,"totalBytes":20,"unit":"pages","concurrency":2,)"
      R"("deadline":1767603600,"costBudget":9.5,"currency":"EUR","shard":1,"shards":4,"mode":"basic",)"
      R"("labels":{"team":"x","tier":"1"},"enablePersistence":false,"enableAnalytics":true,"resume":true,)"
      R"("config":{"updateIntervalMs":500,"etaUpdateIntervalMs":2000,"throughputWindowMs":30000,)"
      R"("enableRealTimeUpdates":false,"enablePerformanceAlerts":true,"enableETAOptimization":false,)"
      R"("enableQualityTracking":false,"later":1,"alertThresholds":{"slowProcessingMs":5000,)"
      R"("highErrorRate":0.2,"lowThroughput":1,"etaDeviationPercent":75,"qualityScoreThreshold":0.5}})"));
  EXPECT_TRUE(s.resume);
  const SessionFacts& f = s.facts;
  EXPECT_EQ(f.name, "n");
  EXPECT_EQ(f.family, "f");
  EXPECT_EQ(f.unit, "pages");
  EXPECT_EQ(f.currency, "EUR");
  EXPECT_EQ(f.total_files, 10);
  EXPECT_EQ(f.total_bytes, 20);
  EXPECT_EQ(f.concurrency, 2);
  EXPECT_EQ(f.deadline, Instant(1767603600s));
  EXPECT_EQ(f.cost_budget, 9.5);
  EXPECT_EQ(f.shard, 1);
  EXPECT_EQ(f.shards, 4);
  EXPECT_EQ(f.mode, Mode::kBasic);
  EXPECT_EQ(f.persistence, false);
  EXPECT_EQ(f.analytics, true);
  ASSERT_TRUE(f.labels.has_value());
  ASSERT_EQ(f.labels->size(), 2U);
  EXPECT_EQ((*f.labels)[0].first, "team");
  EXPECT_EQ((*f.labels)[1].second, "1");
  const ConfigPatch& c = f.config;
  EXPECT_EQ(c.update_interval, 500ms);
  EXPECT_EQ(c.eta_update_interval, 2s);
  EXPECT_EQ(c.throughput_window, 30s);
  EXPECT_EQ(c.real_time_updates, false);
  EXPECT_EQ(c.performance_alerts, true);
  EXPECT_EQ(c.eta_optimization, false);
  EXPECT_EQ(c.quality_tracking, false);
  EXPECT_EQ(c.thresholds.slow_processing_ms, 5000);
  EXPECT_EQ(c.thresholds.high_error_rate, 0.2);
  EXPECT_EQ(c.thresholds.low_throughput, 1);
  EXPECT_EQ(c.thresholds.eta_deviation_percent, 75);
  EXPECT_EQ(c.thresholds.quality_score_threshold, 0.5);
}

TEST_F(Decode, SessionEvents) {
  EXPECT_EQ(
      fact<SessionPaused>(R"({"event":"session.pause","session":"s","reason":"lunch"})").reason,
      "lunch");
  EXPECT_EQ(fact<SessionResumed>(R"({"event":"session.resume","session":"s"})").reason, "");
  EXPECT_EQ(fact<SessionEnded>(R"({"event":"session.end","session":"s","status":"failed"})").status,
            EndStatus::kFailed);
  EXPECT_EQ(fact<SessionEnded>(R"({"event":"session.end","session":"s"})").status,
            EndStatus::kCompleted);
  EXPECT_EQ(fact<SessionUpdated>(R"({"event":"session.update","session":"s","totalFiles":5})")
                .facts.total_files,
            5);
}

TEST_F(Decode, Hello) {
  const auto hello = [this](std::string_view ack) {
    const auto message = run(R"({"event":"hello","producer":"worker-7")" + std::string(ack) + "}");
    EXPECT_TRUE(message.has_value()) << ack;
    return std::get<wire::Hello>(*message);
  };
  EXPECT_EQ(hello("").ack, AckMode::kNone);
  EXPECT_EQ(hello("").producer, "worker-7");
  EXPECT_EQ(hello(R"(,"ack":false)").ack, AckMode::kNone);
  EXPECT_EQ(hello(R"(,"ack":true)").ack, AckMode::kCumulative);
  EXPECT_EQ(hello(R"(,"ack":"each")").ack, AckMode::kEach);
  EXPECT_EQ(refusal(R"({"event":"hello","producer":"p","ack":"all"})"), "invalid_field ack");
  EXPECT_EQ(refusal(R"({"event":"hello","ack":true})"), "missing_field producer");
}

TEST_F(Decode, TheOrderOfFieldsDoesNotMatter) {
  const auto& f =
      fact<FileProgressed>(R"({"status":"failed","file":"f","session":"s","event":"file"})");
  EXPECT_EQ(f.status, FileStatus::kFailed);
}

TEST_F(Decode, AKeyGivenTwiceCountsAsGivenLast) {
  EXPECT_EQ(fact<FileProgressed>(file(R"("bytes":"no","bytes":7)")).bytes, 7);
  EXPECT_EQ(refusal(R"({"event":"file","event":"fiel","session":"s","file":"f"})"),
            "unknown_event event");
  const auto& s = fact<SessionStarted>(start(R"("labels":{"a":"1","b":"2","a":"3"})"));
  ASSERT_EQ(s.facts.labels->size(), 2U);
  EXPECT_EQ((*s.facts.labels)[1], (std::pair<std::string_view, std::string_view>("a", "3")));
}

TEST_F(Decode, NullCountsAsAbsent) {
  const auto& f = fact<FileProgressed>(file(
      R"("ts":null,"tsMs":null,"bytes":null,"stage":null,"status":null,"seq":null,"tokens":5,"tokens":null)"));
  EXPECT_EQ(f.bytes, std::nullopt);
  EXPECT_EQ(f.status, std::nullopt);
  EXPECT_EQ(f.tokens, std::nullopt);
  EXPECT_EQ(decoder_.event().ts, std::nullopt);
  EXPECT_EQ(refusal(R"({"event":"file","session":null,"file":"f"})"), "missing_field session");
  EXPECT_EQ(fact<SessionStarted>(start(R"("labels":{"a":null})")).facts.labels->size(), 0U);
}

TEST_F(Decode, UnknownFieldsAreIgnored) {
  EXPECT_EQ(
      refusal(file(R"("later":{"a":[1,{"b":null}]},"huge":123456789012345678901234567890,"":1)")),
      "good");
  EXPECT_EQ(refusal(file(R"("Bytes":"x","byte":"x","bytess":"x","networkZxBytes":"x")")), "good");
}

TEST_F(Decode, EscapedKeysAreTheSameKeys) {
  EXPECT_EQ(fact<FileProgressed>(file(R"("b\u0079tes":7)")).bytes, 7);
}

TEST_F(Decode, WhatIsNoEvent) {
  EXPECT_EQ(refusal("[]"), "not_an_object");
  EXPECT_EQ(refusal("5"), "not_an_object");
  EXPECT_EQ(refusal("null"), "not_an_object");
  EXPECT_EQ(refusal("{}"), "missing_field event");
  EXPECT_EQ(refusal(R"({"event":5,"session":"s"})"), "invalid_field event");
  EXPECT_EQ(refusal(R"({"event":"file","file":"f"})"), "missing_field session");
  EXPECT_EQ(refusal(R"({"event":"file","session":"s"})"), "missing_field file");
  EXPECT_EQ(refusal(R"({"event":"files","session":"s"})"), "missing_field files");
  EXPECT_EQ(refusal("{"), "invalid_json");
  EXPECT_EQ(refusal("{\"event\":\"\xff\"}"), "invalid_utf8");
}

TEST_F(Decode, UnknownEventsAreToldWhatWasMeant) {
  EXPECT_EQ(refusal(R"({"event":"fiel","session":"s"})"), "unknown_event event");
  EXPECT_NE(message_of(R"({"event":"fiel","session":"s"})").find("did you mean \"file\"?"),
            std::string::npos);
  EXPECT_NE(
      message_of(R"({"event":"ratelimit","session":"s"})").find("did you mean \"rateLimit\"?"),
      std::string::npos);
  EXPECT_NE(message_of(R"({"event":"bananas","session":"s"})").find("session.start"),
            std::string::npos);
}

TEST_F(Decode, MessagesSayWhatAndWhere) {
  EXPECT_EQ(message_of(file(R"("progress":150)")),
            R"("progress" must be a number between 0 and 100, not 150)");
  EXPECT_EQ(
      message_of(file(R"("status":"done")")),
      R"("status" must be one of pending, processing, completed, failed, skipped, cancelled; not "done")");
  EXPECT_EQ(message_of(file(R"("bytes":"12")")), R"("bytes" must be a whole number, not a string)");
  EXPECT_EQ(message_of(file(R"("bytes":-1)")),
            R"("bytes" must be a whole number between 0 and 9007199254740992, not -1)");
}

TEST_F(Decode, Ids) {
  const auto session = [this](std::string_view id) {
    return refusal(R"({"event":"file","file":"f","session":")" + std::string(id) + "\"}");
  };
  EXPECT_EQ(session(""), "invalid_field session");
  EXPECT_EQ(session(std::string(128, 'a')), "good");
  EXPECT_EQ(session(std::string(129, 'a')), "invalid_field session");
  EXPECT_EQ(session("tab\\there"), "invalid_field session");
  EXPECT_EQ(session("\x7f"), "invalid_field session");
  EXPECT_EQ(session("nul\\u0000"), "invalid_field session");
  EXPECT_EQ(session("c1\\u0085"), "invalid_field session");
  EXPECT_EQ(session("Größe/日本 \\\"x\\\""), "good");
  EXPECT_EQ(refusal(R"({"event":"file","file":"f","session":7})"), "invalid_field session");
  const auto id = [this](std::string_view name) {
    return refusal(R"({"event":"file","session":"s","file":")" + std::string(name) + "\"}");
  };
  EXPECT_EQ(id(""), "invalid_field file");
  EXPECT_EQ(id(std::string(512, 'a')), "good");
  EXPECT_EQ(id(std::string(513, 'a')), "invalid_field file");
  EXPECT_EQ(id("with\\nnewline"), "good");
}

TEST_F(Decode, Ranges) {
  for (const std::string_view good :
       {R"("progress":0)", R"("progress":100)", R"("quality":1)", R"("quality":0)", R"("bytes":0)",
        R"("bytes":5.0)", R"("bytes":1e3)", R"("bytes":9007199254740992)", R"("cost":0)",
        R"("cost":1e-9)", R"("tokens":-0)", R"("units":0.5)", R"("retries":0)", R"("seq":1)"}) {
    EXPECT_EQ(refusal(file(good)), "good") << good;
  }
  const std::pair<std::string_view, std::string_view> bad[] = {
      {R"("progress":-0.1)", "progress"},
      {R"("progress":100.1)", "progress"},
      {R"("progress":"50")", "progress"},
      {R"("progress":true)", "progress"},
      {R"("stageProgress":101)", "stageProgress"},
      {R"("quality":1.01)", "quality"},
      {R"("quality":-1)", "quality"},
      {R"("bytes":-1)", "bytes"},
      {R"("bytes":1.5)", "bytes"},
      {R"("bytes":9007199254740993)", "bytes"},
      {R"("bytes":18446744073709551615)", "bytes"},
      {R"("bytes":123456789012345678901234567890)", "bytes"},
      {R"("bytes":1e300)", "bytes"},
      {R"("bytes":[1])", "bytes"},
      {R"("bytesDone":-1)", "bytesDone"},
      {R"("units":-1)", "units"},
      {R"("units":9007199254740993)", "units"},
      {R"("tokens":-1)", "tokens"},
      {R"("cost":-0.01)", "cost"},
      {R"("cost":1e300)", "cost"},
      {R"("cost":"1")", "cost"},
      {R"("retries":-1)", "retries"},
      {R"("stage":5)", "stage"},
      {R"("model":{})", "model"},
      {R"("error":[])", "error"},
      {R"("status":5)", "status"},
      {R"("status":"done")", "status"},
      {R"("status":"Completed")", "status"},
      {R"("seq":0)", "seq"},
      {R"("seq":-1)", "seq"},
      {R"("seq":1.5)", "seq"},
      {R"("producer":"")", "producer"},
      {R"("producer":5)", "producer"},
  };
  for (const auto& [fields, name] : bad) {
    EXPECT_EQ(refusal(file(fields)), "invalid_field " + std::string(name)) << fields;
  }
}

TEST_F(Decode, ANumberBeyondADoubleIsInvalidJson) {
  EXPECT_EQ(refusal(file(R"("cost":1e400)")), "invalid_json");
  EXPECT_EQ(refusal(file(R"("cost":NaN)")), "invalid_json");
}

TEST_F(Decode, Times) {
  const auto ts = [this](std::string_view value) -> std::optional<Instant> {
    return event(R"({"event":"api","session":"s",)" + std::string(value) + "}").ts;
  };
  EXPECT_EQ(ts(R"("ts":1767603600)"), Instant(1767603600s));
  EXPECT_EQ(ts(R"("ts":1767603600.123456)"), Instant(1767603600123456us));
  EXPECT_EQ(ts(R"("ts":1.7676036e9)"), Instant(1767603600s));
  EXPECT_EQ(ts(R"("ts":0)"), Instant(0s));
  EXPECT_EQ(ts(R"("ts":"2026-01-05T09:00:00.5Z")"), Instant(1767603600500ms));
  EXPECT_EQ(ts(R"("ts":"2026-01-05T11:00:00+02:00")"), Instant(1767603600s));
  EXPECT_EQ(ts(R"("tsMs":1767603600123)"), Instant(1767603600123ms));
  EXPECT_EQ(ts(R"("reason":"x")"), std::nullopt);
}

TEST_F(Decode, BadTimes) {
  const std::pair<std::string_view, std::string_view> bad[] = {
      {R"("ts":1767603600123)", "timestamp_out_of_range ts"},
      {R"("ts":1e11)", "timestamp_out_of_range ts"},
      {R"("ts":1767603600123456789)", "timestamp_out_of_range ts"},
      {R"("ts":17676036001234567890123)", "timestamp_out_of_range ts"},
      {R"("ts":-1)", "timestamp_out_of_range ts"},
      {R"("ts":"1969-12-31T23:59:59Z")", "timestamp_out_of_range ts"},
      {R"("ts":"9999-12-31T23:59:59Z")", "timestamp_out_of_range ts"},
      {R"("tsMs":1767603600123456)", "timestamp_out_of_range tsMs"},
      {R"("tsMs":-1)", "timestamp_out_of_range tsMs"},
      {R"("ts":"yesterday")", "invalid_field ts"},
      {R"("ts":"1767603600")", "invalid_field ts"},
      {R"("ts":true)", "invalid_field ts"},
      {R"("tsMs":1.5)", "invalid_field tsMs"},
      {R"("tsMs":"2026-01-05T09:00:00Z")", "invalid_field tsMs"},
      {R"("tsMs":9007199254740993)", "invalid_field tsMs"},
      {R"("ts":1767603600,"tsMs":1767603600000)", "invalid_field tsMs"},
  };
  for (const auto& [fields, expected] : bad) {
    EXPECT_EQ(refusal(file(fields)), expected) << fields;
    EXPECT_EQ(refusal(file(fields), std::nullopt), expected) << fields << " without a clock";
  }
  EXPECT_NE(message_of(file(R"("ts":1767603600123)")).find("milliseconds"), std::string::npos);
  EXPECT_NE(message_of(file(R"("ts":1767603600123)")).find("tsMs"), std::string::npos);
  EXPECT_EQ(refusal(start(R"("deadline":1767603600123)")), "timestamp_out_of_range deadline");
  EXPECT_EQ(refusal(start(R"("deadline":"soon")")), "invalid_field deadline");
  EXPECT_EQ(refusal(R"({"event":"rateLimit","session":"s","resetAt":1767603600123})"),
            "timestamp_out_of_range resetAt");
}

TEST_F(Decode, TheFutureIsRefusedWhereThereIsAClock) {
  EXPECT_EQ(refusal(file(R"("ts":1800000300)")), "good");
  EXPECT_EQ(refusal(file(R"("ts":1800000300.001)")), "timestamp_out_of_range ts");
  EXPECT_EQ(refusal(file(R"("tsMs":1800000300001)")), "timestamp_out_of_range tsMs");
  EXPECT_EQ(refusal(file(R"("ts":1900000000)"), std::nullopt), "good");
  EXPECT_EQ(refusal(start(R"("deadline":1900000000)")), "good");
}

TEST_F(Decode, FaultsInsideAreNamedWithTheirPath) {
  const auto files = [this](std::string_view entries) {
    return refusal(R"({"event":"files","session":"s","files":)" + std::string(entries) + "}");
  };
  EXPECT_EQ(files(R"([{"file":"a"},{"file":"b"},{"file":"c"},{"file":"d","bytes":-1}])"),
            "invalid_field files[3].bytes");
  EXPECT_EQ(files(R"([{"bytes":1}])"), "missing_field files[0].file");
  EXPECT_EQ(files(R"([{"file":"a"},5])"), "invalid_field files[1]");
  EXPECT_EQ(files(R"({"file":"a"})"), "invalid_field files");
  EXPECT_EQ(files("[]"), "good");
  const std::pair<std::string_view, std::string_view> bad[] = {
      {R"("config":5)", "config"},
      {R"("config":{"updateIntervalMs":99})", "config.updateIntervalMs"},
      {R"("config":{"updateIntervalMs":60001})", "config.updateIntervalMs"},
      {R"("config":{"etaUpdateIntervalMs":0})", "config.etaUpdateIntervalMs"},
      {R"("config":{"throughputWindowMs":999})", "config.throughputWindowMs"},
      {R"("config":{"throughputWindowMs":3600001})", "config.throughputWindowMs"},
      {R"("config":{"enableQualityTracking":"yes"})", "config.enableQualityTracking"},
      {R"("config":{"alertThresholds":[]})", "config.alertThresholds"},
      {R"("config":{"alertThresholds":{"highErrorRate":1.5}})",
       "config.alertThresholds.highErrorRate"},
      {R"("config":{"alertThresholds":{"slowProcessingMs":-1}})",
       "config.alertThresholds.slowProcessingMs"},
      {R"("labels":[])", "labels"},
      {R"("labels":{"x":5})", "labels.x"},
      {R"("labels":{"":"5"})", "labels"},
      {R"("mode":"turbo")", "mode"},
      {R"("concurrency":0)", "concurrency"},
      {R"("shards":0)", "shards"},
      {R"("totalFiles":-1)", "totalFiles"},
      {R"("resume":"yes")", "resume"},
      {R"("name":5)", "name"},
      {R"("costBudget":-1)", "costBudget"},
  };
  for (const auto& [fields, name] : bad) {
    EXPECT_EQ(refusal(start(fields)), "invalid_field " + std::string(name)) << fields;
  }
}

TEST_F(Decode, LabelsAreBounded) {
  std::string labels;
  for (std::size_t i = 0; i < kMaxLabels; ++i) labels += "\"l" + std::to_string(i) + "\":\"v\",";
  EXPECT_EQ(refusal(start("\"labels\":{" + labels + R"("l0":"again"})")), "good");
  EXPECT_EQ(refusal(start("\"labels\":{" + labels + R"("more":"v"})")), "too_many_labels labels");
  EXPECT_EQ(refusal(start("\"labels\":{\"" + std::string(129, 'n') + "\":\"v\"}")).substr(0, 24),
            "invalid_field labels.nnn");
}

TEST_F(Decode, FreeTextIsCutBetweenCodePoints) {
  const std::string text = std::string(kMaxText - 1, 'e') + "öx";
  EXPECT_EQ(fact<FileProgressed>(file("\"error\":\"" + text + "\"")).error,
            std::string(kMaxText - 1, 'e'));
}

// The caller counts a refusal for its session and uses up its seq.
TEST_F(Decode, ARefusedEventIsStillKnownByWhatCouldBeRead) {
  EXPECT_EQ(refusal(R"({"event":"file","session":"s","producer":"p","seq":4,"file":""})"),
            "invalid_field file");
  EXPECT_EQ(decoder_.event().session, "s");
  EXPECT_EQ(decoder_.event().producer, "p");
  EXPECT_EQ(decoder_.event().seq, 4);
  EXPECT_EQ(refusal(R"({"event":"file","session":"","producer":"p","seq":4,"file":"f"})"),
            "invalid_field session");
  EXPECT_EQ(decoder_.event().session, "");
  EXPECT_EQ(decoder_.event().seq, 4);
  EXPECT_EQ(refusal("{"), "invalid_json");
  EXPECT_EQ(decoder_.event().seq, std::nullopt);
}

TEST_F(Decode, ALineThatIsTooLongIsRefused) {
  EXPECT_EQ(refusal(file("\"x\":\"" + std::string(kDefaultMaxLineBytes, 'x') + "\"")),
            "line_too_long");
}

// The names found by the perfect hash are exactly those of the table.
TEST(KeyTable, FindsEveryKeyAndNothingElse) {
  for (std::size_t i = 0; i < kEventKeys.size(); ++i) {
    EXPECT_EQ(kKeyTable<EventKey>.find(kEventKeys[i]), i);
    const std::string name(kEventKeys[i]);
    for (std::size_t at = 0; at < name.size(); ++at) {
      std::string other = name;
      other[at] = '_';
      EXPECT_EQ(kKeyTable<EventKey>.find(other), kEventKeys.size()) << other;
    }
    EXPECT_EQ(kKeyTable<EventKey>.find(name + "_"), kEventKeys.size());
  }
  EXPECT_EQ(kKeyTable<EventKey>.find(""), kEventKeys.size());
  EXPECT_EQ(kKeyTable<EventKey>.find(std::string(1, '\0')), kEventKeys.size());
}

}  // namespace
}  // namespace agent::wire
