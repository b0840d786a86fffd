#include "agent/progress/insight.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace agent::progress {
namespace {

// Below so many, a share says nothing.
constexpr std::int64_t kEnough = 20;
constexpr double kNoticeableLoss = 0.1;  // share of working time lost to rate limits
constexpr double kSevereLoss = 0.5;
constexpr double kLowApiSuccess = 0.9;
constexpr double kManyRetries = 0.5;  // for each finished file
constexpr double kSlowdown = 0.5;     // of the session's average throughput
constexpr double kLongFile = 5;       // times the average processing time
constexpr double kCostSpike = 1.5;    // forecast against budget

using Found = std::vector<Insight>;

std::string number(double value) {
  char text[32];
  const int digits = std::abs(value) >= 100 || value == std::floor(value) ? 0 : 1;
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}
std::string money(double value, std::string_view currency) {
  char text[64];
  std::snprintf(text, sizeof text, "%.2f", value);
  return currency.empty() ? text : std::string(text) + ' ' + std::string(currency);
}
std::string percent(double ratio) { return number(100 * ratio) + " %"; }
std::string duration(double ms) {
  if (ms < 90'000) return number(ms / 1000) + " s";
  if (ms < 90 * 60'000.0) return number(ms / 60'000) + " min";
  return number(ms / 3'600'000) + " h";
}
std::string count(std::int64_t n, std::string_view noun) {
  return std::to_string(n) + ' ' + std::string(noun) + (n == 1 ? "" : "s");
}

std::int64_t unfinished(const Metrics& m) {
  return m.count(FileStatus::kPending) + m.count(FileStatus::kProcessing);
}

void look_for_stall(const Metrics& m, const InsightContext& c, Found& found) {
  const bool said = c.state == SessionState::kStalled;
  const bool shown = !c.state && m.current_throughput == 0.0 &&
                     m.average_throughput.value_or(0) > 0 && m.count(FileStatus::kProcessing) > 0;
  if (!said && !shown) return;
  const std::int64_t processing = m.count(FileStatus::kProcessing);
  found.push_back({"stalled",
                   InsightSeverity::kCritical,
                   "Nothing moves: no progress is reported while " + count(processing, "file") +
                       (processing == 1 ? " is" : " are") + " being processed and " +
                       count(m.count(FileStatus::kPending), "file") + " wait; check the worker",
                   {{"filesProcessing", static_cast<double>(processing)},
                    {"filesPending", static_cast<double>(m.count(FileStatus::kPending))}}});
}

void look_for_failures(const Metrics& m, const InsightContext& c, Found& found) {
  const double allowed = c.thresholds.high_error_rate;
  if (m.finished() < kEnough || m.error_rate.value_or(0) <= allowed) return;
  const std::int64_t failed = m.count(FileStatus::kFailed);
  const auto severity =
      *m.error_rate > kSevereLoss ? InsightSeverity::kCritical : InsightSeverity::kWarning;
  found.push_back({"failing",
                   severity,
                   std::to_string(failed) + " of " + count(m.finished(), "finished file") +
                       " failed (" + percent(*m.error_rate) + "; up to " + percent(allowed) +
                       " is accepted); look at their errors",
                   {{"errorRate", *m.error_rate},
                    {"threshold", allowed},
                    {"filesFailed", static_cast<double>(failed)}}});
}

void look_for_slowness(const Metrics& m, const InsightContext& c, Found& found) {
  const double average = m.average_throughput.value_or(0),
               now = m.current_throughput.value_or(average);
  const bool below_own =
      m.count(FileStatus::kCompleted) >= kEnough && now > 0 && now < kSlowdown * average;
  const bool below_wanted = c.thresholds.low_throughput && now < *c.thresholds.low_throughput;
  if (unfinished(m) == 0 || !(below_own || below_wanted)) return;
  const std::string against = below_wanted
                                  ? "the " + number(*c.thresholds.low_throughput) + " wanted"
                                  : "this session's average of " + number(average);
  found.push_back({"slow",
                   InsightSeverity::kWarning,
                   "Now " + number(now) + " files/min, below " + against + "; " +
                       count(unfinished(m), "file") + " to go",
                   {{"currentThroughput", now}, {"averageThroughput", average}}});
}

void look_for_long_files(const Metrics& m, const InsightContext& c, Found& found) {
  if (!c.oldest_in_flight) return;
  const double age = milliseconds(*c.oldest_in_flight), usual = m.average_processing_ms.value_or(0);
  const double limit = c.thresholds.slow_processing_ms.value_or(
      m.count(FileStatus::kCompleted) >= kEnough ? std::max(kLongFile * usual, 60'000.0)
                                                 : HUGE_VAL);
  if (age <= limit) return;
  found.push_back({"long_file",
                   InsightSeverity::kWarning,
                   "One file has been processed for " + duration(age) +
                       (usual > 0 ? "; the others took " + duration(usual) + " on average" : ""),
                   {{"oldestInFlightMs", age}, {"averageProcessingTimeMs", usual}}});
}

void look_for_rate_limits(const Metrics& m, const InsightContext& /*context*/, Found& found) {
  const double lost = m.rate_limiting_impact.value_or(
      m.elapsed > Duration::zero() ? std::min(1.0, seconds(m.rate_limit_delay) / seconds(m.elapsed))
                                   : 0);
  if (lost <= kNoticeableLoss) return;
  found.push_back({"rate_limited",
                   lost > kSevereLoss ? InsightSeverity::kCritical : InsightSeverity::kWarning,
                   "Rate limits cost " + percent(lost) + " of the working time (" +
                       count(m.rate_limit_hits, "hit") + ", " +
                       duration(milliseconds(m.rate_limit_delay)) +
                       " of waiting); lower the concurrency or raise the quota",
                   {{"rateLimitingImpact", lost},
                    {"rateLimitHits", static_cast<double>(m.rate_limit_hits)},
                    {"rateLimitDelayMs", milliseconds(m.rate_limit_delay)}}});
}

void look_for_api_failures(const Metrics& m, const InsightContext& /*context*/, Found& found) {
  if (m.api_calls_total < kEnough || m.api_success_rate.value_or(1) >= kLowApiSuccess) return;
  found.push_back({"api_failing",
                   InsightSeverity::kWarning,
                   std::to_string(m.api_calls_failed) + " of " +
                       count(m.api_calls_total, "API call") + " failed (" +
                       percent(1 - *m.api_success_rate) + ")",
                   {{"apiSuccessRate", *m.api_success_rate},
                    {"apiCallsFailed", static_cast<double>(m.api_calls_failed)}}});
}

void look_for_retries(const Metrics& m, const InsightContext& /*context*/, Found& found) {
  if (m.finished() < kEnough) return;
  const double each = static_cast<double>(m.retry_count) / static_cast<double>(m.finished());
  if (each <= kManyRetries) return;
  found.push_back({"many_retries",
                   InsightSeverity::kWarning,
                   std::to_string(m.retry_count) + " retries for " +
                       count(m.finished(), "finished file") + ": work is done more than once",
                   {{"retryCount", static_cast<double>(m.retry_count)}, {"retriesPerFile", each}}});
}

void look_for_low_quality(const Metrics& m, const InsightContext& c, Found& found) {
  const double wanted = c.thresholds.quality_score_threshold;
  if (m.finished() < kEnough || m.quality_score.value_or(1) >= wanted) return;
  found.push_back(
      {"low_quality",
       InsightSeverity::kWarning,
       "The quality score is " + percent(*m.quality_score) + ", below " + percent(wanted),
       {{"qualityScore", *m.quality_score}, {"threshold", wanted}}});
}

void look_for_cost(const Metrics& m, const InsightContext& c, Found& found) {
  if (!c.cost_budget || *c.cost_budget <= 0) return;
  const double likely = m.cost_forecast ? m.cost_forecast->likely : m.estimated_cost;
  const double low = m.cost_forecast ? m.cost_forecast->low : m.estimated_cost;
  if (low <= *c.cost_budget && m.estimated_cost <= *c.cost_budget) return;
  const bool severe = m.estimated_cost > *c.cost_budget || likely > kCostSpike * *c.cost_budget;
  found.push_back({"cost_spike",
                   severe ? InsightSeverity::kCritical : InsightSeverity::kWarning,
                   money(m.estimated_cost, c.currency) + " spent; about " +
                       money(likely, c.currency) + " at the end at this rate, over the budget of " +
                       money(*c.cost_budget, c.currency),
                   {{"estimatedCost", m.estimated_cost},
                    {"forecastCost", likely},
                    {"costBudget", *c.cost_budget}}});
}

}  // namespace

std::vector<Insight> insights(const Metrics& metrics, const InsightContext& context) {
  Found found;
  for (const auto look : {look_for_stall, look_for_failures, look_for_slowness, look_for_long_files,
                          look_for_rate_limits, look_for_api_failures, look_for_retries,
                          look_for_low_quality, look_for_cost}) {
    look(metrics, context, found);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Insight& a, const Insight& b) { return a.severity > b.severity; });
  return found;
}

std::vector<Insight> insights(const SessionSnapshot& session) {
  return insights(session.metrics,
                  {session.identity->config.thresholds, session.state, session.oldest_in_flight,
                   session.cost_budget, session.identity->currency});
}

}  // namespace agent::progress
