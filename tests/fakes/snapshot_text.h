// All that a snapshot says, as text, so that a test can compare two and read where they differ.
#pragma once

#include <sstream>
#include <string>

#include "agent/progress/files.h"
#include "agent/progress/snapshot.h"

namespace agent::fakes {

class SnapshotText {
 public:
  template <typename T>
  SnapshotText& operator()(const char* name, const T& value) {
    out_ << name << '=';
    put(value);
    out_ << ' ';
    return *this;
  }
  [[nodiscard]] std::string str() const { return out_.str(); }

 private:
  template <typename T>
  void put(const T& v) {
    if constexpr (std::is_enum_v<T>) {
      out_ << static_cast<int>(v);
    } else {
      out_.precision(17);
      out_ << v;
    }
  }
  void put(Instant v) { out_ << v.time_since_epoch().count(); }
  void put(Duration v) { out_ << v.count() << "us"; }
  void put(const progress::Histogram& v) {
    for (std::size_t i = 0; i <= v.bounds().size(); ++i) out_ << v.bucket(i) << ',';
    put(v.sum());
  }
  void put(const progress::ThroughputPoint& v) {
    put(v.timestamp);
    out_ << ':' << v.files_per_minute;
  }
  void put(const progress::Quota& v) {
    put(v.limit());
    put(v.remaining());
    put(v.reset_at());
    if (const auto ahead = v.exhaustion_ahead(Instant{})) out_ << ahead->burn_per_second;
  }
  template <typename T>
  void put(const std::optional<T>& v) {
    if (v)
      put(*v);
    else
      out_ << '-';
  }
  template <typename T>
  void put(const std::vector<T>& v) {
    for (const T& each : v) {
      put(each);
      out_ << ';';
    }
  }
  template <typename T, std::size_t N>
  void put(const std::array<T, N>& v) {
    for (const T& each : v) {
      put(each);
      out_ << ',';
    }
  }
  template <typename A, typename B>
  void put(const std::pair<A, B>& v) {
    put(v.first);
    out_ << ':';
    put(v.second);
  }
  std::ostringstream out_;
};

inline std::string text_of(const progress::FileSnapshot& f) {
  return SnapshotText()("file", f.file)("stage", f.stage)("model", f.model)("error", f.error)(
             "status", f.status)("progress", f.progress)("stageProgress", f.stage_progress)(
             "units", f.units)("quality", f.quality)("bytes", f.bytes)("bytesDone", f.bytes_done)(
             "tokens", f.tokens)("retries", f.retries)("tries", f.tries)("cost", f.cost)(
             "restored", f.restored)("started", f.started)("ended", f.ended)("updated", f.updated)
      .str();
}

inline void put_metrics(SnapshotText& t, const progress::Metrics& m) {
  t("totalFiles", m.total_files)("files", m.files)("progress", m.progress_percentage)(
      "start", m.start_time)("now", m.current_time)("elapsed", m.elapsed)(
      "active", m.active_elapsed)("mean", m.average_processing_ms)("current", m.current_throughput)(
      "peak", m.peak_throughput)("average", m.average_throughput)("bps", m.bytes_per_second)(
      "hits", m.rate_limit_hits)("delay", m.rate_limit_delay)("calls", m.api_calls_total)(
      "callsFailed", m.api_calls_failed)("tokens", m.total_tokens)("cost", m.estimated_cost)(
      "retries", m.retry_count)("errorRate", m.error_rate)("quality", m.quality_score)(
      "impact", m.rate_limiting_impact)("share", m.rate_limited_share)(
      "complexity", m.complexity_factor)("efficiency", m.api_efficiency);
  if (m.cost_forecast) t("forecast", m.cost_forecast->likely);
}

// What an answer shows of the past (the throughput's history, how far the prediction moved) depends
// on when answers were asked for; `with_past` false leaves that out.
inline std::string text_of(const progress::SessionSnapshot& s, bool with_past = true) {
  SnapshotText t;
  const progress::SessionIdentity& i = *s.identity;
  t("id", i.id)("name", i.name)("family", i.family)("unit", i.unit)("currency", i.currency)(
      "attempt", i.attempt)("shard", i.shard)("labels", i.labels)("mode", i.config.mode)(
      "window", i.config.throughput_window)("persistence", i.config.persistence)(
      "errors", i.config.thresholds.high_error_rate)("version", s.version)("state", s.state)(
      "tracking", s.is_tracking)("last", s.last_event_time)("received", s.last_received)(
      "end", s.end_time)("reason", s.end_reason)("deadline", s.deadline)("budget", s.cost_budget);
  put_metrics(t, s.metrics);
  const progress::Counters& c = s.counters;
  t("filesEnded", c.files_ended)("bytes", c.bytes)("in", c.tokens_in)("out", c.tokens_out)(
      "unspecified", c.tokens_unspecified)("retries", c.retries)("cost", c.cost)("ok", c.api_ok)(
      "failed", c.api_failed)("hits", c.rate_limit_hits)("delay", c.rate_limit_delay);
  for (const auto& p : s.providers) {
    t("provider", p.provider)("ok", p.calls_ok)("failed", p.calls_failed)(
        "hits", p.rate_limit_hits)("quota", p.quota)("cost", p.cost)("tokens", p.tokens)(
        "seconds", p.call_seconds);
  }
  for (const auto& stage : s.stages) t("stage", stage.stage)("seconds", stage.seconds);
  for (const auto& model : s.models)
    t("model", model.model)("tokens", model.tokens)("cost", model.cost);
  t("fileSeconds", s.file_seconds)("fileBytes", s.file_bytes)("oldest", s.oldest_in_flight)(
      "cpu", s.resources.cpu_cores)("memory", s.resources.memory_bytes)(
      "networkErrors", s.resources.network_errors_in_window)("rejected", s.rejected)(
      "duplicates", s.duplicates)("stale", s.stale_events);
  // Not the forecast: what its estimators have seen is not among what is kept.
  if (with_past && s.metrics.throughput_history) t("history", *s.metrics.throughput_history);
  return t.str();
}

}  // namespace agent::fakes
