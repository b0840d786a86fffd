#include "agent/web/past_json.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "agent/progress/regression.h"

namespace agent::web {
namespace {

using progress::PastRun;

// Values that are known, of some runs.
struct Figures {
  std::vector<double> values;
  void add(std::optional<double> v) {
    if (v) values.push_back(*v);
  }
  [[nodiscard]] double sum() const {
    double total = 0;
    for (const double v : values) total += v;
    return total;
  }
  [[nodiscard]] std::optional<double> mean() const {
    if (values.empty()) return std::nullopt;
    return sum() / static_cast<double>(values.size());
  }
  [[nodiscard]] std::optional<double> median() const {
    if (values.empty()) return std::nullopt;
    std::vector<double> sorted = values;
    std::ranges::sort(sorted);
    const std::size_t n = sorted.size();
    return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
  }
  [[nodiscard]] std::optional<double> least() const {
    return values.empty() ? std::nullopt : std::optional(*std::ranges::min_element(values));
  }
  [[nodiscard]] std::optional<double> most() const {
    return values.empty() ? std::nullopt : std::optional(*std::ranges::max_element(values));
  }
};

template <typename Of>
Figures figures(std::span<const PastRun> runs, Of of) {
  Figures out;
  for (const PastRun& run : runs) out.add(of(run));
  return out;
}

constexpr double kMilliseconds = 1e3;  // in a second

std::optional<double> duration_of(const PastRun& run) {
  if (!run.end) return std::nullopt;
  return run.active.count() * kMilliseconds;
}

// Least squares over the last three quarters of the time, since every job begins with nothing: how
// much the values change, in shares of their mean.
std::optional<double> relative_change(std::span<const progress::ThroughputPoint> points) {
  constexpr std::size_t kLeast = 4;
  points = points.subspan(points.size() / 4);
  if (points.size() < kLeast) return std::nullopt;
  const Instant from = points.front().timestamp;
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const auto& point : points) {
    const double at = seconds(point.timestamp - from);
    n += 1;
    x += at;
    y += point.files_per_minute;
    xx += at * at;
    xy += at * point.files_per_minute;
  }
  const double spread = xx - x * x / n;
  if (spread <= 0 || y <= 0) return std::nullopt;
  return (xy - x * y / n) / spread * seconds(points.back().timestamp - from) / (y / n);
}

std::string_view direction_of(double change) {
  constexpr double kSteady = 0.1;  // of the mean
  if (change > kSteady) return "rising";
  return change < -kSteady ? "falling" : "steady";
}

void write_regressions(JsonWriter& json, std::span<const PastRun> runs) {
  json.begin_array();
  for (const progress::Regression& r : progress::find_regressions(runs)) {
    const PastRun& since = runs[r.since];
    json.begin_object().member("code", r.code).member("session", since.session);
    json.member("since", since.start).member("before", r.before).member("after", r.after);
    json.member("changePercent", r.change_percent).end_object();
  }
  json.end_array();
}

std::optional<double> ratio(std::optional<double> a, std::optional<double> b) {
  if (!a || !b || *b <= 0) return std::nullopt;
  return *a / *b;
}

}  // namespace

void write_minute(JsonWriter& json, const progress::PastMinute& m) {
  json.begin_object().member("timestamp", m.minute).member("state", m.state);
  json.key("metrics").begin_object();
  json.member("filesCompleted", m.completed).member("filesFailed", m.failed);
  json.member("progressPercentage", m.progress_percentage);
  json.member("averageProcessingTimeMs", m.average_processing_ms);
  json.member("currentThroughput", m.current_throughput).member("errorRate", m.error_rate);
  json.member("apiSuccessRate", m.api_success_rate).member("qualityScore", m.quality_score);
  json.member("rateLimitingImpact", m.rate_limiting_impact);
  json.member("totalTokensUsed", m.tokens).member("estimatedCost", m.cost).end_object();
  if (m.remaining_ms) {
    json.key("eta").begin_object().member("estimatedTimeRemainingMs", m.remaining_ms);
    json.member("confidence", m.confidence).member("method", m.method);
    json.key("interval").begin_object().member("lowMs", m.low_ms).member("highMs", m.high_ms);
    json.end_object().end_object();
  }
  json.end_object();
}

void write_run(JsonWriter& json, const PastRun& run) {
  json.begin_object().member("session", run.session).member("attempt", run.attempt);
  json.member("state", run.state).member("startTime", run.start).member("endTime", run.end);
  json.member("durationMs", run.active).member("totalFiles", run.total_files);
  json.member("filesCompleted", run.completed).member("filesFailed", run.failed);
  json.member("averageThroughput", run.average_throughput).member("errorRate", run.error_rate());
  json.member("totalTokensUsed", run.tokens).member("estimatedCost", run.cost);
  json.member("costPerFile", run.per_file(run.cost)).member("qualityScore", run.quality_score);
  json.member("etaError", run.eta_error).end_object();
}

void write_family(JsonWriter& json, std::string_view name, std::span<const PastRun> runs) {
  const Figures durations = figures(runs, duration_of);
  const Figures cost = figures(runs, [](const PastRun& r) { return std::optional(r.cost); });
  const auto mean = [&](auto of) { return figures(runs, of).mean(); };
  json.begin_object().member("family", name).member("runCount", runs.size());
  json.key("durations").begin_object().member("meanMs", durations.mean());
  json.member("medianMs", durations.median()).member("minMs", durations.least());
  json.member("maxMs", durations.most()).end_object();
  json.key("throughput").begin_object();
  json.member("mean", mean([](const PastRun& r) { return r.average_throughput; })).end_object();
  json.key("cost").begin_object().member("total", cost.sum()).member("mean", cost.mean());
  json.member("perFile", mean([](const PastRun& r) { return r.per_file(r.cost); })).end_object();
  json.key("quality").begin_object();
  json.member("mean", mean([](const PastRun& r) { return r.quality_score; }));
  json.member("errorRate", mean([](const PastRun& r) { return r.error_rate(); })).end_object();
  write_accuracy(json.key("etaAccuracy"), runs);
  write_regressions(json.key("regressions"), runs);
  json.key("runs").begin_array();
  for (const PastRun& run : runs) write_run(json, run);
  json.end_array().end_object();
}

void write_trends(JsonWriter& json, const progress::Metrics& m) {
  json.begin_object().member("current", m.current_throughput);
  json.member("average", m.average_throughput).member("peak", m.peak_throughput);
  if (m.throughput_history) {
    const auto change = relative_change(*m.throughput_history);
    if (change) {
      json.member("direction", direction_of(*change)).member("changePercent", 100 * *change);
    }
    json.key("history").begin_array();
    for (const auto& point : *m.throughput_history) {
      json.begin_object().member("timestamp", point.timestamp);
      json.member("value", point.files_per_minute).end_object();
    }
    json.end_array();
  }
  json.end_object();
}

void write_quality(JsonWriter& json, const progress::Metrics& m) {
  json.begin_object().member("overallQuality", m.quality_score).member("errorRate", m.error_rate);
  json.member("apiSuccessRate", m.api_success_rate).member("apiEfficiency", m.api_efficiency);
  json.member("retryCount", m.retry_count).end_object();
}

void write_costs(JsonWriter& json, const progress::SessionSnapshot& session) {
  const progress::Metrics& m = session.metrics;
  json.begin_object().member("totalCost", m.estimated_cost).member("costPerFile", m.cost_per_file);
  json.known_text("currency", session.identity->currency);
  json.member("totalTokens", m.total_tokens).member("tokensPerFile", m.tokens_per_file);
  json.key("byProvider").begin_array();
  for (const auto& p : session.providers) {
    json.begin_object().member("provider", p.provider).member("cost", p.cost);
    json.member("tokens", p.tokens).member("calls", p.calls_ok + p.calls_failed);
    json.member("rateLimitDelayMs", p.rate_limit_delay).end_object();
  }
  json.end_array().key("byModel").begin_array();
  for (const auto& model : session.models) {
    json.begin_object().member("model", model.model).member("cost", model.cost);
    json.member("tokens", model.tokens).end_object();
  }
  json.end_array().key("byStage").begin_array();
  for (const auto& stage : session.stages) {
    if (stage.tokens == 0 && stage.cost == 0) continue;
    json.begin_object().member("stage", stage.stage).member("cost", stage.cost);
    json.member("tokens", stage.tokens).end_object();
  }
  json.end_array();
  if (m.cost_forecast) {
    json.key("forecast").begin_object().member("low", m.cost_forecast->low);
    json.member("likely", m.cost_forecast->likely).member("high", m.cost_forecast->high);
    json.end_object();
  }
  json.member("costBudget", session.cost_budget).end_object();
}

void write_stages(JsonWriter& json, const progress::SessionSnapshot& session,
                  const FilesByStage& in_flight) {
  double all = 0;
  for (const auto& stage : session.stages) all += stage.seconds.sum();
  FilesByStage unseen = in_flight;  // stages that no file has left yet
  json.begin_array();
  for (const auto& stage : session.stages) {
    const auto visits = static_cast<double>(stage.seconds.count());
    const auto now = in_flight.find(stage.stage);
    unseen.erase(stage.stage);
    json.begin_object().member("stage", stage.stage);
    json.member("files", now == in_flight.end() ? 0 : now->second);
    json.member("filesLeft", stage.seconds.count());
    json.member("totalTimeMs", stage.seconds.sum() * kMilliseconds);
    if (visits > 0) json.member("averageTimeMs", stage.seconds.sum() / visits * kMilliseconds);
    if (const auto p95 = stage.seconds.quantile(0.95)) {
      json.member("p95TimeMs", *p95 * kMilliseconds);
    }
    if (all > 0) json.member("share", stage.seconds.sum() / all);
    json.end_object();
  }
  for (const auto& [stage, files] : unseen) {
    json.begin_object().member("stage", stage).member("files", files).end_object();
  }
  json.end_array();
}

void write_accuracy(JsonWriter& json, std::span<const PastRun> runs) {
  const Figures errors = figures(runs, [](const PastRun& r) { return r.eta_error; });
  json.begin_object().member("runs", errors.values.size()).member("meanError", errors.mean());
  if (const auto mean = errors.mean()) json.member("accuracy", std::max(0.0, 1 - *mean));
  json.end_object();
}

void write_comparison(JsonWriter& json, const progress::SessionSnapshot& session,
                      std::span<const PastRun> all) {
  std::vector<PastRun> runs;
  std::ranges::copy_if(all, std::back_inserter(runs), [&](const PastRun& r) {
    const bool itself = r.serial == session.serial && r.attempt == session.identity->attempt;
    return !itself && r.state == "completed";
  });
  const progress::Metrics& m = session.metrics;
  const auto median = [&](auto of) { return figures(runs, of).median(); };
  const auto throughput = median([](const PastRun& r) { return r.average_throughput; });
  const auto cost = median([](const PastRun& r) { return r.per_file(r.cost); });
  const auto quality = median([](const PastRun& r) { return r.quality_score; });
  json.begin_object().member("runs", runs.size());
  json.key("family").begin_object().member("durationMs", median(duration_of));
  json.member("averageThroughput", throughput).member("costPerFile", cost);
  json.member("qualityScore", quality);
  json.member("errorRate", median([](const PastRun& r) { return r.error_rate(); })).end_object();
  json.member("throughputRatio", ratio(m.average_throughput, throughput));
  json.member("costPerFileRatio", ratio(m.cost_per_file, cost));
  json.member("qualityRatio", ratio(m.quality_score, quality));
  write_regressions(json.key("regressions"), all);
  json.end_object();
}

}  // namespace agent::web
