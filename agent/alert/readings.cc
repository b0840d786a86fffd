#include "agent/alert/readings.h"

#include <algorithm>
#include <cmath>

#include "agent/alert/text.h"

namespace agent::alert {

using progress::SessionSnapshot;
using progress::SessionState;

namespace {

constexpr std::int64_t kEnoughFinished = 20;  // before a rate means something

std::optional<Reading> reading(std::optional<double> value) {
  if (!value) return std::nullopt;
  return Reading{*value, {}, {}};
}

bool enough_finished(const SessionSnapshot& s) { return s.metrics.finished() >= kEnoughFinished; }

std::optional<double> ratio(std::optional<double> part, std::optional<double> whole) {
  if (!part || !whole || *whole <= 0) return std::nullopt;
  return *part / *whole;
}

// `wanted` workers instead of those there are; at least one. Empty: those there are will do.
std::string fewer_at_once(const SessionSnapshot& s, double wanted) {
  const auto workers = std::max(std::int64_t{1}, static_cast<std::int64_t>(wanted));
  if (workers >= s.concurrency) return {};
  return ", or work on " + std::to_string(workers) + (workers == 1 ? " file" : " files") +
         " at once instead of " + std::to_string(s.concurrency);
}

}  // namespace

std::optional<Reading> slow_processing(const Subject& of) {
  const auto& oldest = of.session->oldest_in_flight;
  return oldest ? reading(milliseconds(*oldest)) : std::nullopt;
}

std::optional<Reading> high_error_rate(const Subject& of) {
  return enough_finished(*of.session) ? reading(of.session->metrics.error_rate) : std::nullopt;
}

std::optional<Reading> low_throughput(const Subject& of) {
  if (of.session->state != SessionState::kWorking) return std::nullopt;
  return reading(of.session->metrics.current_throughput);
}

std::optional<Reading> quality_degradation(const Subject& of) {
  return enough_finished(*of.session) ? reading(of.session->metrics.quality_score) : std::nullopt;
}

// What the API let through lately is what it will let through: calls paced to it wait in the job
// instead of being refused.
std::optional<Reading> rate_limited(const Subject& of) {
  const SessionSnapshot& s = *of.session;
  auto share = reading(s.metrics.rate_limited_share);
  if (!share) return share;
  const double let_through = s.metrics.api_successes_per_second.value_or(0);
  if (share->value > 0 && let_through > 0) {
    share->detail = "calls succeed at " + decimal(let_through, 2) + "/s";
    const auto workers = static_cast<double>(s.concurrency);
    share->advice = "Pace the calls to " + decimal(let_through, 2) + "/s, all workers together" +
                    fewer_at_once(s, std::ceil(workers * (1 - share->value))) +
                    "; raise it again once there are no more refusals.";
  }
  return share;
}

// The provider whose quota ends the longest before its reset.
std::optional<Reading> quota_exhaustion_ahead(const Subject& of) {
  const SessionSnapshot& s = *of.session;
  std::optional<Reading> worst;
  for (const progress::ProviderTally& p : s.providers) {
    const auto ahead = p.quota.exhaustion_ahead(s.metrics.current_time);
    if (!ahead) continue;
    const double dry = agent::seconds(*p.quota.reset_at() - ahead->exhausted_at);
    if (worst && worst->value >= dry) continue;
    const std::string burn = decimal(ahead->burn_per_second, 2) + "/s";
    const std::string lasts = decimal(ahead->sustainable_per_second, 2) + "/s";
    worst =
        Reading{dry,
                (p.provider.empty() ? "the API" : p.provider) + ": " +
                    decimal(p.quota.remaining().value_or(0), 0) + " left, used at " + burn +
                    ", resets in " +
                    decimal(agent::seconds(*p.quota.reset_at() - s.metrics.current_time), 0) + " s",
                "Use at most " + lasts + " until the reset instead of " + burn +
                    fewer_at_once(s, static_cast<double>(s.concurrency) *
                                         ahead->sustainable_per_second / ahead->burn_per_second) +
                    "."};
  }
  return worst;
}

std::optional<Reading> eta_deviation(const Subject& of) {
  return reading(of.session->eta_deviation_percent);
}

std::optional<Reading> session_stalled(const Subject& of) {
  const SessionSnapshot& s = *of.session;
  if (s.state != SessionState::kStalled) return std::nullopt;
  // Silence, in the session's own time; never 0, whatever its clock says.
  return reading(std::max(1.0, agent::seconds(s.metrics.current_time - s.last_event_time)));
}

std::optional<Reading> deadline_at_risk(const Subject& of) {
  return of.session->eta ? reading(of.session->eta->deadline_risk) : std::nullopt;
}

std::optional<Reading> cost_over_budget(const Subject& of) {
  const progress::Metrics& m = of.session->metrics;
  return reading(m.cost_forecast ? std::max(m.estimated_cost, m.cost_forecast->low)
                                 : m.estimated_cost);
}

std::optional<Reading> workload_memory_high(const Subject& of) {
  const progress::Resources& r = of.session->resources;
  return reading(ratio(r.memory_bytes, r.memory_limit_bytes));
}

std::optional<Reading> workload_cpu_high(const Subject& of) {
  const progress::Resources& r = of.session->resources;
  return reading(ratio(r.cpu_cores, r.cpu_limit_cores));
}

std::optional<Reading> workload_network_errors(const Subject& of) {
  return reading(of.session->resources.network_errors_in_window);
}

std::optional<Reading> success_rate_below_target(const Subject& of) {
  const auto& failed = of.session->metrics.error_rate;
  return failed ? reading(1 - *failed) : std::nullopt;
}

std::optional<Reading> agent_storage_failing(const Subject& of) {
  return reading(of.agent->storage_failing ? 1 : 0);
}
std::optional<Reading> agent_notifications_failing(const Subject& of) {
  return reading(of.agent->notifications_failing ? 1 : 0);
}
std::optional<Reading> agent_near_limit(const Subject& of) {
  return Reading{of.agent->fullest, std::string(of.agent->fullest_limit), {}};
}

}  // namespace agent::alert
