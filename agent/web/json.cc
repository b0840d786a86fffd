#include "agent/web/json.h"

#include "agent/web/alert_json.h"

namespace agent::web {
namespace {

using progress::FileStatus;
using progress::Mode;
using progress::SessionSnapshot;

constexpr double kIntervalLevel = 0.8;

void write_thresholds(JsonWriter& json, const progress::AlertThresholds& thresholds) {
  json.key("alertThresholds").begin_object();
  json.member("slowProcessingMs", thresholds.slow_processing_ms)
      .member("highErrorRate", thresholds.high_error_rate)
      .member("lowThroughput", thresholds.low_throughput)
      .member("etaDeviationPercent", thresholds.eta_deviation_percent)
      .member("qualityScoreThreshold", thresholds.quality_score_threshold);
  json.end_object();
}

void write_config(JsonWriter& json, const progress::SessionConfig& config) {
  json.begin_object();
  json.member("updateIntervalMs", config.update_interval)
      .member("etaUpdateIntervalMs", config.eta_update_interval)
      .member("throughputWindowMs", config.throughput_window)
      .member("enableRealTimeUpdates", config.real_time_updates)
      .member("enablePerformanceAlerts", config.performance_alerts)
      .member("enableETAOptimization", config.eta_optimization)
      .member("enableQualityTracking", config.quality_tracking)
      .member("enablePersistence", config.persistence)
      .member("enableAnalytics", config.analytics);
  write_thresholds(json, config.thresholds);
  json.end_object();
}

void write_labels(JsonWriter& json, const progress::SessionIdentity& identity) {
  json.begin_object();
  for (const auto& [name, value] : identity.labels) json.member(name, value);
  json.end_object();
}

void write_identity(JsonWriter& json, const SessionSnapshot& session) {
  const progress::SessionIdentity& identity = *session.identity;
  json.begin_object();
  json.member("id", identity.id)
      .known_text("name", identity.name)
      .known_text("family", identity.family);
  json.member("attempt", identity.attempt).member("mode", name_of(identity.config.mode));
  json.known_text("unit", identity.unit).known_text("currency", identity.currency);
  json.member("shard", identity.shard).member("shards", identity.shards);
  write_config(json.key("config"), identity.config);
  write_labels(json.key("labels"), identity);
  json.member("isTracking", session.is_tracking);
  json.member("startTime", session.metrics.start_time)
      .member("lastEventTime", session.last_event_time);
  json.member("endTime", session.end_time).known_text("endReason", session.end_reason);
  json.member("deadline", session.deadline).member("costBudget", session.cost_budget);
  json.end_object();
}

void write_history(JsonWriter& json, const progress::Metrics& metrics) {
  if (!metrics.throughput_history) return;
  json.key("throughputHistory").begin_array();
  for (const auto& point : *metrics.throughput_history) {
    json.begin_object();
    json.member("timestamp", point.timestamp).member("value", point.files_per_minute);
    json.end_object();
  }
  json.end_array();
}

void write_api_and_cost(JsonWriter& json, const progress::Metrics& m) {
  json.member("rateLimitHits", m.rate_limit_hits)
      .member("rateLimitDelayMs", m.rate_limit_delay)
      .member("apiCallsTotal", m.api_calls_total)
      .member("apiCallsSuccessful", m.api_calls_successful)
      .member("apiCallsFailed", m.api_calls_failed)
      .member("apiSuccessRate", m.api_success_rate)
      .member("totalTokensUsed", m.total_tokens)
      .member("estimatedCost", m.estimated_cost)
      .member("costPerFile", m.cost_per_file)
      .member("tokensPerFile", m.tokens_per_file)
      .member("apiEfficiency", m.api_efficiency)
      .member("retryCount", m.retry_count)
      .member("errorRate", m.error_rate)
      .member("qualityScore", m.quality_score);
}

void write_factors(JsonWriter& json, const SessionSnapshot& session) {
  const progress::Metrics& m = session.metrics;
  json.key("factors").begin_object();
  json.member("currentThroughput", m.current_throughput)
      .member("averageThroughput", m.average_throughput)
      .member("rateLimitingImpact", m.rate_limiting_impact)
      .member("complexityFactor", m.complexity_factor)
      .member("historicalAccuracy", session.eta->historical_accuracy);
  json.end_object();
}

void write_methods(JsonWriter& json, const progress::Forecast& eta) {
  json.key("methods").begin_object();
  for (std::size_t i = 0; i < eta.methods.size(); ++i) {
    json.member(progress::kEtaMethodNames[i], eta.methods[i]);
  }
  json.end_object();
}

}  // namespace

std::string session_json(const SessionSnapshot& session) {
  std::string out;
  out.reserve(4096);
  JsonWriter json(out);
  write_session(json, session);
  return out;
}

void write_session(JsonWriter& json, const SessionSnapshot& session) {
  const Mode mode = session.identity->config.mode;
  json.begin_object();
  write_identity(json.key("session"), session);
  json.member("state", name_of(session.state));
  write_metrics(json.key("metrics"), session);
  if (session.eta) write_eta(json.key("eta"), session);
  if (session.identity->config.performance_alerts) write_active_alerts(json.key("alerts"), session);
  if (mode >= Mode::kComprehensive)
    write_insights(json.key("insights"), progress::insights(session));
  json.end_object();
}

void write_metrics(JsonWriter& json, const SessionSnapshot& session) {
  const progress::Metrics& m = session.metrics;
  json.begin_object();
  json.member("totalFiles", m.total_files)
      .member("filesCompleted", m.count(FileStatus::kCompleted))
      .member("filesFailed", m.count(FileStatus::kFailed))
      .member("filesPending", m.count(FileStatus::kPending))
      .member("filesProcessing", m.count(FileStatus::kProcessing))
      .member("filesSkipped", m.count(FileStatus::kSkipped))
      .member("filesCancelled", m.count(FileStatus::kCancelled))
      .member("progressPercentage", m.progress_percentage)
      .member("startTime", m.start_time)
      .member("currentTime", m.current_time)
      .member("elapsedTimeMs", m.elapsed);
  if (session.eta) {
    json.member("estimatedTimeRemainingMs", session.eta->remaining)
        .member("estimatedCompletionTime", session.eta->completion);
  }
  json.member("averageProcessingTimeMs", m.average_processing_ms)
      .member("currentThroughput", m.current_throughput)
      .member("peakThroughput", m.peak_throughput);
  write_history(json, m);
  write_api_and_cost(json, m);
  json.end_object();
}

void write_eta(JsonWriter& json, const SessionSnapshot& session) {
  const progress::Forecast& eta = *session.eta;
  json.begin_object();
  json.member("estimatedTimeRemainingMs", eta.remaining)
      .member("estimatedCompletionTime", eta.completion)
      .member("confidence", eta.confidence)
      .member("method", name_of(eta.method));
  write_factors(json, session);
  json.key("interval").begin_object();
  json.member("lowMs", eta.low).member("highMs", eta.high).member("level", kIntervalLevel);
  json.end_object();
  if (session.identity->config.computes_efficiency()) write_methods(json, eta);
  json.member("deadlineRisk", eta.deadline_risk);
  json.end_object();
}

void write_file(JsonWriter& json, const progress::FileSnapshot& file) {
  json.begin_object();
  json.member("file", file.file)
      .member("status", name_of(file.status))
      .member("progress", file.progress);
  json.known_text("stage", file.stage).member("stageProgress", file.stage_progress);
  json.member("bytes", file.bytes).member("bytesDone", file.bytes_done).member("units", file.units);
  json.member("tokens", file.tokens).member("cost", file.cost).known_text("model", file.model);
  json.member("quality", file.quality)
      .member("retries", file.retries)
      .member("attempts", file.tries);
  json.known_text("error", file.error);
  json.member("startTime", file.started).member("endTime", file.ended);
  json.member("updatedTime", file.updated);
  json.end_object();
}

void write_insights(JsonWriter& json, std::span<const progress::Insight> insights) {
  json.begin_array();
  for (const auto& insight : insights) {
    json.begin_object();
    json.member("code", insight.code).member("severity", name_of(insight.severity));
    json.member("message", insight.message);
    json.key("values").begin_object();
    for (const auto& [name, value] : insight.values) json.member(name, value);
    json.end_object().end_object();
  }
  json.end_array();
}

}  // namespace agent::web
