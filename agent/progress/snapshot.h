// SessionSnapshot: everything about one session at one instant, immutable, shared by all outputs
// (metrics, web, history, alerts, live feed). Built by `Session::snapshot(now)`; read from any
// thread. Units are in the names or are base units: Duration is microseconds, ratios are 0..1,
// throughput is files per minute (as in the API), an empty optional means "unknown, or not computed
// in this mode".
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/clock.h"
#include "agent/progress/cost.h"
#include "agent/progress/event.h"
#include "agent/progress/histogram.h"
#include "agent/progress/names.h"
#include "agent/progress/quota.h"
#include "agent/progress/thresholds.h"

namespace agent::alert {
struct Standing;  // agent/alert/alert.h
}

namespace agent::progress {

// The configuration in force for a session: defaults, then the mode, then its own switches.
struct SessionConfig {
  Mode mode = Mode::kComprehensive;
  Duration update_interval = std::chrono::seconds(1);
  Duration eta_update_interval = std::chrono::seconds(1);
  Duration throughput_window = std::chrono::seconds(60);
  bool real_time_updates = true;
  bool performance_alerts = true;  // modes enhanced and up, unless switched explicitly
  bool eta_optimization = true;    // false: linear only
  bool quality_tracking = true;    // modes enhanced and up, unless switched explicitly
  bool persistence = true;         // history is kept
  bool analytics = true;           // mode comprehensive, unless switched explicitly
  AlertThresholds thresholds;

  [[nodiscard]] bool computes_rates() const { return mode >= Mode::kBasic; }
  [[nodiscard]] bool computes_efficiency() const { return mode >= Mode::kEnhanced; }
};

// Who the session is; changes only with a new attempt or `session.update`, so it is shared.
struct SessionIdentity {
  std::string id, name, family, unit, currency;
  std::int64_t attempt = 1;
  std::optional<std::int64_t> shard, shards;
  std::vector<std::pair<std::string, std::string>> labels;  // sorted by name
  SessionConfig config;
  std::uint64_t revision = 0;  // rises with every change of the above: a key for caches
};

struct ThroughputPoint {
  Instant timestamp;
  double files_per_minute = 0;
};

using FileCounts = std::array<std::int64_t, kFileStatusNames.size()>;  // by FileStatus

// Per API provider ("" when the events named none). Values of this attempt unless said otherwise.
struct ProviderTally {
  std::string provider;
  std::int64_t calls_ok = 0, calls_failed = 0;  // counters: over all attempts
  std::int64_t rate_limit_hits = 0;             // counter
  Duration rate_limit_delay{};                  // counter
  Quota quota;                                  // as announced
  double cost = 0;                              // counter
  std::int64_t tokens = 0;                      // counter
  Histogram call_seconds{kFileDurationBounds};  // counter
};

struct StageTally {
  std::string stage;
  Histogram seconds{kFileDurationBounds};  // of each file that left it; counter
  // What was spent on files while they were in it; counters.
  std::int64_t tokens = 0;
  double cost = 0;
};

// A file being processed, as `metrics.per_file` shows it.
struct FileProgress {
  std::string file, stage;
  double ratio = 0;      // 0..1
  Duration in_flight{};  // since its processing began
};

struct ModelTally {
  std::string model;
  std::int64_t tokens = 0;
  double cost = 0;
};

// Monotone over the whole life of the session, attempts included: what becomes a Prometheus
// counter.
struct Counters {
  std::array<std::int64_t, 4> files_ended{};  // completed, failed, skipped, cancelled
  std::int64_t bytes = 0, tokens_in = 0, tokens_out = 0, tokens_unspecified = 0, retries = 0;
  double cost = 0;
  std::int64_t api_ok = 0, api_failed = 0, rate_limit_hits = 0;
  Duration rate_limit_delay{};
  [[nodiscard]] std::int64_t tokens() const { return tokens_in + tokens_out + tokens_unspecified; }
};

struct Resources {
  std::optional<double> cpu_cores, cpu_limit_cores;
  std::optional<std::int64_t> memory_bytes, memory_limit_bytes, network_rx_bytes, network_tx_bytes,
      network_errors;
  std::optional<double> network_errors_in_window;  // how many came within the throughput window
};

// ProgressMetrics of the API, section 4 of the contract; of the present attempt.
struct Metrics {
  std::int64_t total_files = 0;
  FileCounts files{};
  double progress_percentage = 0;
  Instant start_time, current_time;
  Duration elapsed{}, active_elapsed{};
  std::optional<double> average_processing_ms;
  std::optional<double> current_throughput, peak_throughput,
      average_throughput;                                                  // files per minute
  std::optional<double> bytes_per_second;                                  // over the window
  std::shared_ptr<const std::vector<ThroughputPoint>> throughput_history;  // null: not computed
  std::int64_t rate_limit_hits = 0;
  Duration rate_limit_delay{};
  std::int64_t api_calls_total = 0, api_calls_successful = 0, api_calls_failed = 0;
  std::optional<double> api_success_rate;
  std::int64_t total_tokens = 0;
  double estimated_cost = 0;
  std::optional<double> cost_per_file, tokens_per_file, api_efficiency;
  std::int64_t retry_count = 0;
  std::optional<double> error_rate, quality_score, rate_limiting_impact;
  std::optional<double> rate_limited_share;  // as rate_limiting_impact, over the throughput window
  std::optional<double> api_successes_per_second;  // over the throughput window
  std::optional<CostForecast> cost_forecast;
  double complexity_factor = 1;

  [[nodiscard]] std::int64_t count(FileStatus s) const {
    return files[static_cast<std::size_t>(s)];
  }
  [[nodiscard]] std::int64_t finished() const {
    return count(FileStatus::kCompleted) + count(FileStatus::kFailed);
  }
};

// ETACalculation of the API. Absent while unknown and once the session has ended.
struct Forecast {
  Span remaining{};
  Instant completion;
  Span low{}, high{};  // 80 % interval of the remaining time
  std::optional<double> confidence;
  EtaMethod method = EtaMethod::kLinear;
  std::array<std::optional<Span>, 4>
      methods;                          // by EtaMethod; modes below enhanced: the chosen only
  std::optional<double> deadline_risk;  // probability of missing the deadline
  std::optional<double> historical_accuracy;
};

struct SessionSnapshot {
  std::shared_ptr<const SessionIdentity> identity;
  std::uint64_t serial = 0;   // its place in the order first seen
  std::uint64_t version = 0;  // rises with every change of this session: a key for caches
  SessionState state = SessionState::kWaiting;
  bool is_tracking = true;
  Instant first_started;    // of the first attempt: since when the counters count
  Instant last_event_time;  // the largest `ts` seen
  Instant last_received;    // when, on the agent's clock
  std::optional<Instant> end_time;
  std::string end_reason;
  std::optional<Instant> deadline;
  std::optional<double> cost_budget;
  Metrics metrics;
  Counters counters;
  std::optional<Forecast> eta;
  // By how much of the total predicted at 10 % of progress the predicted end has moved since, at
  // least, in percent.
  std::optional<double> eta_deviation_percent;
  std::vector<ProviderTally> providers;  // in the order first seen
  std::vector<StageTally> stages;
  std::vector<ModelTally> models;
  std::array<Histogram, 2> file_seconds{Histogram{kFileDurationBounds},
                                        Histogram{kFileDurationBounds}};  // completed, failed
  Histogram file_bytes{kFileSizeBounds};
  std::optional<Duration> oldest_in_flight;
  std::vector<FileProgress>
      slowest_files;  // in flight longest, oldest first; empty unless asked for
  Resources resources;
  std::array<std::uint32_t, kRejectReasonNames.size()>
      rejected{};  // events refused, by RejectReason
  std::uint32_t duplicates = 0, stale_events = 0;
  std::int64_t concurrency = 1;  // announced, else the most files in flight at once
  // What of it is worth waking somebody for; the tracker sets it. Null: alerts are off.
  std::shared_ptr<const alert::Standing> alerts;

  [[nodiscard]] const std::string& id() const { return identity->id; }
};

using SnapshotPtr = std::shared_ptr<const SessionSnapshot>;

}  // namespace agent::progress
