#include "agent/progress/insight.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace agent::progress {
namespace {

using namespace std::chrono_literals;

// Half done, at an even pace, with few faults.
Metrics healthy() {
  Metrics m;
  m.total_files = 200;
  m.files = {96, 4, 98, 2, 0, 0};
  m.elapsed = m.active_elapsed = 10min;
  m.average_processing_ms = 20'000;
  m.current_throughput = 9.5;
  m.average_throughput = 9.8;
  m.peak_throughput = 11;
  m.error_rate = 0.02;
  m.quality_score = 0.95;
  m.rate_limiting_impact = 0.01;
  m.rate_limit_hits = 2;
  m.rate_limit_delay = 6s;
  m.api_calls_total = 100;
  m.api_calls_failed = 1;
  m.api_success_rate = 0.99;
  m.retry_count = 3;
  m.estimated_cost = 4;
  m.cost_forecast = CostForecast{7, 8, 9};
  return m;
}

InsightContext context() {
  InsightContext c;
  c.state = SessionState::kWorking;
  c.cost_budget = 10;
  c.currency = "EUR";
  c.oldest_in_flight = 30s;
  return c;
}

std::string codes(const Metrics& m, const InsightContext& c) {
  std::string all;
  for (const Insight& insight : insights(m, c)) all += std::string(insight.code) + ' ';
  return all;
}

TEST(Insights, OfAHealthyRunAreNone) {
  EXPECT_EQ(codes(healthy(), context()), "");
  EXPECT_EQ(codes(Metrics(), {}), "");
  InsightContext ended = context();
  ended.state = SessionState::kCompleted;
  EXPECT_EQ(codes(healthy(), ended), "");
}

TEST(Insights, NameTheNumbersThatShowFailures) {
  Metrics m = healthy();
  m.files = {96, 4, 68, 32, 0, 0};
  m.error_rate = 0.32;
  const auto found = insights(m, context());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].code, "failing");
  EXPECT_EQ(found[0].severity, InsightSeverity::kWarning);
  EXPECT_EQ(found[0].message,
            "32 of 100 finished files failed (32 %; up to 10 % is accepted); look at their errors");
  EXPECT_EQ(found[0].values[0], (std::pair<std::string_view, double>("errorRate", 0.32)));
}

TEST(Insights, SeeEachKindOfTrouble) {
  const auto with = [](auto change) {
    Metrics m = healthy();
    InsightContext c = context();
    change(m, c);
    return codes(m, c);
  };
  EXPECT_EQ(with([](Metrics& m, InsightContext&) { m.current_throughput = 4; }), "slow ");
  EXPECT_EQ(with([](Metrics&, InsightContext& c) { c.thresholds.low_throughput = 12; }), "slow ");
  EXPECT_EQ(with([](Metrics&, InsightContext& c) { c.oldest_in_flight = 5min; }), "long_file ");
  EXPECT_EQ(with([](Metrics&, InsightContext& c) { c.thresholds.slow_processing_ms = 20'000; }),
            "long_file ");
  EXPECT_EQ(with([](Metrics& m, InsightContext&) { m.rate_limiting_impact = 0.3; }),
            "rate_limited ");
  EXPECT_EQ(with([](Metrics& m, InsightContext&) { m.api_success_rate = 0.8; }), "api_failing ");
  EXPECT_EQ(with([](Metrics& m, InsightContext&) { m.retry_count = 80; }), "many_retries ");
  EXPECT_EQ(with([](Metrics& m, InsightContext&) { m.quality_score = 0.6; }), "low_quality ");
  EXPECT_EQ(with([](Metrics&, InsightContext& c) { c.cost_budget = 6; }), "cost_spike ");
  EXPECT_EQ(with([](Metrics&, InsightContext& c) { c.state = SessionState::kStalled; }),
            "stalled ");
}

TEST(Insights, OfMetricsAloneSeeAStall) {
  Metrics m = healthy();
  m.current_throughput = 0;
  EXPECT_EQ(codes(m, {}), "stalled ");
}

TEST(Insights, ComeMostSevereFirst) {
  Metrics m = healthy();
  m.error_rate = 0.3;
  InsightContext c = context();
  c.state = SessionState::kStalled;
  EXPECT_EQ(codes(m, c), "stalled failing ");
}

TEST(Insights, SayNothingFromTooFewFiles) {
  Metrics m = healthy();
  m.files = {196, 1, 2, 1, 0, 0};
  m.error_rate = 1.0 / 3;
  m.quality_score = 0.5;
  EXPECT_EQ(codes(m, context()), "");
}

}  // namespace
}  // namespace agent::progress
