// Sessions made by hand for the tests and the benchmark of /metrics: every field that a row shows
// is set.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "agent/metrics/agent_counts.h"
#include "agent/progress/snapshot.h"
#include "agent/view.h"

namespace agent::metrics::testing {

using namespace std::chrono_literals;

inline const Instant kEpoch{std::chrono::seconds(1767603600)};  // 2026-01-05T09:00:00Z

inline std::shared_ptr<progress::SessionIdentity> sample_identity(std::string id) {
  auto identity = std::make_shared<progress::SessionIdentity>();
  identity->id = std::move(id);
  identity->name = "nightly embedding";
  identity->family = "nightly";
  identity->currency = "USD";
  identity->attempt = 2;
  identity->shard = 3;
  identity->labels = {{"team", "search"}, {"tier", "gold"}};
  return identity;
}

inline void fill_metrics(progress::Metrics& m, int n) {
  m.total_files = 1000;
  m.files = {400 - n, 4, 500 + n, 30, 60, 6};
  m.progress_percentage = 59.6 + 0.1 * n;
  m.start_time = kEpoch;
  m.current_throughput = 31.0 + n;
  m.peak_throughput = 47.0;
  m.bytes_per_second = 1234567.25 + n;
  m.api_efficiency = 0.883125;
  m.error_rate = 0.125;
  m.quality_score = 0.8575;
}

inline void fill_counters(progress::Counters& c, int n) {
  c.files_ended = {500 + n, 31, 60, 6};
  c.bytes = 5'000'000'000 + n;
  c.tokens_in = 1'000'000 + n;
  c.tokens_out = 200'000;
  c.tokens_unspecified = 17;
  c.retries = 12;
  c.cost = 42.42 + n;
}

inline progress::Forecast sample_forecast() {
  progress::Forecast eta;
  eta.remaining = 754s;
  eta.completion = kEpoch + 2h;
  eta.low = 600s + 250ms;
  eta.high = 921s;
  eta.confidence = 0.71;
  eta.methods = {754s, 760s + 1us, 741s, std::nullopt};
  eta.deadline_risk = 0.25;
  return eta;
}

inline progress::ProviderTally sample_provider(std::string name, int n) {
  progress::ProviderTally provider;
  provider.provider = std::move(name);
  provider.calls_ok = 90 + n;
  provider.calls_failed = 10;
  provider.rate_limit_hits = 3;
  provider.rate_limit_delay = 4500ms;
  provider.quota.report({.limit = 1000, .remaining = 250, .reset_at = std::nullopt}, kEpoch);
  for (const double value : {0.2, 0.4, 3.0, 11.5}) provider.call_seconds.observe(value, 5);
  return provider;
}

inline progress::StageTally sample_stage(std::string name, int n) {
  progress::StageTally stage;
  stage.stage = std::move(name);
  for (const double value : {0.5, 2.25, 70.0}) stage.seconds.observe(value, 30 + n);
  return stage;
}

// `n` varies the values, so that all of them change between two scrapes.
inline std::shared_ptr<progress::SessionSnapshot> sample_session(
    std::shared_ptr<const progress::SessionIdentity> identity, int n = 0) {
  auto session = std::make_shared<progress::SessionSnapshot>();
  session->identity = std::move(identity);
  session->state = progress::SessionState::kWorking;
  session->first_started = kEpoch - 1h;
  session->last_event_time = kEpoch + 90min + 123457us;
  session->deadline = kEpoch + 3h;
  fill_metrics(session->metrics, n);
  fill_counters(session->counters, n);
  session->eta = sample_forecast();
  session->providers.push_back(sample_provider("openai", n));
  session->stages.push_back(sample_stage("embedding", n));
  for (const double value : {0.02, 2.0, 2.5, 15.0, 4000.0}) {
    session->file_seconds[0].observe(value, 100 + n);
  }
  session->file_seconds[1].observe(120.5, 30);
  for (const double value : {900.0, 16384.0, 2e6, 3e10})
    session->file_bytes.observe(value, 125 + n);
  session->oldest_in_flight = 7200s + 500ms;
  session->resources.cpu_cores = 1.75;
  session->resources.memory_bytes = 3'000'000'000;
  session->resources.memory_limit_bytes = 4'294'967'296;
  return session;
}

inline AgentCounts sample_counts() {
  AgentCounts counts;
  for (const char* source : {"stream", "datagram", "http"}) {
    SourceCounts& from = counts.sources.emplace_back();
    from.source = source;
    from.events[0] = 1'000'000;
    from.rejected[5] = 2;
    from.connections = 4;
  }
  counts.sources[0].unfinished_lines = 10;
  counts.sources[0].dropped_replies = 11;
  counts.sources[0].refused_connections = 12;
  counts.duplicates = 7;
  counts.stale = 8;
  counts.gaps = 9;
  counts.files = 100'000;
  counts.config_reloaded = true;
  counts.config_reload_time = kEpoch;
  return counts;
}

}  // namespace agent::metrics::testing
