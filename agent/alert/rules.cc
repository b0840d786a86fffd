// The table of rules.
#include <algorithm>

#include "agent/alert/readings.h"
#include "agent/alert/rule.h"

namespace agent::alert {
namespace {

using progress::SessionSnapshot;
using std::chrono::minutes;

template <auto Member>
std::optional<double> configured(const SessionSnapshot& s) {
  return s.identity->config.thresholds.*Member;
}
std::optional<double> budget(const SessionSnapshot& s) { return s.cost_budget; }

using Thresholds = progress::AlertThresholds;
constexpr Duration kAtOnce{};
constexpr std::nullopt_t kOff = std::nullopt;
constexpr double kPerMinute = 1.0 / 60, kPercent = 0.01, kMilli = 0.001;
using enum Scope;
using enum Severity;
using enum Breach;
using enum During;

// clang-format off
constexpr std::array kRules = {
    Rule{"SlowProcessing", kSession, kRun, kWarning, kAbove, kOff, kAtOnce, kAtOnce, "ms", kMilli,
         slow_processing, configured<&Thresholds::slow_processing_ms>,
         "progress_file_oldest_in_flight_seconds",
         "A file is taking too long",
         "The oldest file in flight has been processed for {value}, longer than {threshold}.",
         "Look at the files in flight (API: files?status=processing); a stuck request usually needs "
         "a timeout in the job."},
    Rule{"HighErrorRate", kSession, kUntilGoodEnd, kCritical, kAbove, 0.1, minutes(1), kAtOnce,
         "ratio", 1, high_error_rate, configured<&Thresholds::high_error_rate>,
         "progress_session_error_ratio and $on (sum without (state) "
         "(progress_session_files{state=~\"completed|failed\"}) >= 20)",
         "Too many files fail",
         "{value} of the finished files failed, more than {threshold}.",
         "Read the errors of the failed files (API: files?status=failed); pause the job if they "
         "share a cause."},
    Rule{"LowThroughput", kSession, kRun, kWarning, kBelow, kOff, minutes(1), minutes(1),
         "files/min", kPerMinute, low_throughput, configured<&Thresholds::low_throughput>,
         "progress_session_throughput_files_per_second and $on "
         "progress_session_state{state=\"working\"}",
         "Files complete too slowly",
         "Files complete at {value} while the session works, slower than {threshold}.",
         "Compare with earlier runs of the family; look for rate limits, smaller concurrency, or "
         "larger files."},
    Rule{"QualityDegradation", kSession, kUntilGoodEnd, kWarning, kBelow, 0.7, minutes(1), kAtOnce,
         "ratio", 1, quality_degradation, configured<&Thresholds::quality_score_threshold>,
         "progress_session_quality_score_ratio and $on (sum without (state) "
         "(progress_session_files{state=~\"completed|failed\"}) >= 20)",
         "Quality is low",
         "The quality score is {value}, under {threshold}.",
         "See which part is low: reported quality, errors, failed API calls, or retries."},
    Rule{"RateLimited", kSession, kRun, kWarning, kAbove, 0.25, minutes(2), minutes(1), "ratio", 1,
         rate_limited, nullptr,
         "progress_session_rate_limited_ratio",
         "Much time is lost to rate limits",
         "{value} of the working time was spent waiting for rate limits, more than {threshold}.",
         "Lower the concurrency, spread the calls, or ask the provider for a larger quota."},
    Rule{"QuotaExhaustionAhead", kSession, kRun, kWarning, kAbove, 0, kAtOnce, minutes(1), "s", 1,
         quota_exhaustion_ahead, nullptr,
         "max without (provider) (progress_session_quota_shortfall_seconds)",
         "A quota will end before it resets",
         "At the present burn a quota ends {value} before it resets.",
         "Slow down now to the rate that lasts until the reset."},
    Rule{"EtaDeviation", kSession, kRun, kWarning, kAbove, 50, minutes(2), minutes(2), "%", kPercent,
         eta_deviation, configured<&Thresholds::eta_deviation_percent>,
         "progress_session_eta_deviation_ratio",
         "The predicted end has moved far",
         "The predicted end moved by at least {value} of the total that was predicted early on, more "
         "than {threshold}.",
         "See the explanation of the ETA; tell those who wait for the result."},
    Rule{"SessionStalled", kSession, kRun, kCritical, kAbove, 0, kAtOnce, kAtOnce, "s", 1,
         session_stalled, nullptr,
         "clamp_min(time() - progress_session_last_event_timestamp_seconds, 1) and $on "
         "progress_session_state{state=\"stalled\"}",
         "Nothing happens any more",
         "No event has come for {value}.",
         "See whether the job still runs and what its files in flight wait for."},
    Rule{"DeadlineAtRisk", kSession, kRun, kWarning, kAbove, 0.5, minutes(2), minutes(2), "ratio",
         1, deadline_at_risk, nullptr,
         "progress_session_deadline_miss_probability_ratio",
         "The deadline will probably be missed",
         "The probability of missing the deadline is {value}, more than {threshold}.",
         "Add workers, reduce the work, or move the deadline."},
    Rule{"CostOverBudget", kSession, kUntilGoodEnd, kWarning, kAbove, kOff, kAtOnce, kAtOnce,
         "money", 1, cost_over_budget, budget,
         "max without (currency) (progress_session_cost_forecast_lower)",
         "The budget will not suffice",
         "At least {value} will be spent, over the budget of {threshold}.",
         "Stop the job, use a cheaper model for the rest, or raise the budget."},
    Rule{"WorkloadMemoryHigh", kSession, kRun, kWarning, kAbove, 0.9, minutes(2), minutes(1),
         "ratio", 1, workload_memory_high, nullptr,
         "progress_session_memory_bytes / $on group_left () progress_session_memory_limit_bytes",
         "The workload is near its memory limit",
         "{value} of the memory limit is in use, more than {threshold}.",
         "Raise the limit or process fewer files at once, before the kernel ends the job."},
    Rule{"WorkloadCpuHigh", kSession, kRun, kWarning, kAbove, 0.95, minutes(2), minutes(1), "ratio",
         1, workload_cpu_high, nullptr,
         "progress_session_cpu_cores / $on group_left () progress_session_cpu_limit_cores",
         "The workload is at its CPU limit",
         "{value} of the CPU limit is in use, more than {threshold}.",
         "Raise the limit, or process fewer files at once."},
    Rule{"WorkloadNetworkErrors", kSession, kRun, kWarning, kAbove, 0, minutes(2), kAtOnce, "errors",
         1, workload_network_errors, nullptr,
         "progress_session_network_recent_errors",
         "The workload's network errors rise",
         "{value} were counted in the throughput window, and they go on.",
         "Look at the node's network and at the services that the job calls."},
    Rule{"SuccessRateBelowTarget", kSession, kAfterEnd, kCritical, kBelow, 0.95, kAtOnce, kAtOnce,
         "ratio", 1, success_rate_below_target, nullptr,
         "1 - progress_session_error_ratio",
         "A session ended with too many failures",
         "{value} of the finished files succeeded, under the target of {threshold}.",
         "Read the errors of the failed files, mend the cause, and resume the session."},
    Rule{"AgentStorageFailing", kAgent, kRun, kCritical, kAbove, 0, minutes(1), kAtOnce, "", 1,
         agent_storage_failing, nullptr,
         "progress_agent_storage_degraded",
         "The agent cannot write its state",
         "Events are tracked but not acknowledged: a restart now would lose what is not committed.",
         "See the agent's log for the reason: a full disk, permissions, a failing volume."},
    Rule{"AgentNotificationsFailing", kAgent, kRun, kWarning, kAbove, 0, minutes(5), kAtOnce, "", 1,
         agent_notifications_failing, nullptr,
         "progress_agent_notifications_failing",
         "The agent cannot deliver its alerts",
         "A target of notifications has accepted none lately.",
         "See /v1/status for each target's last error."},
    Rule{"AgentNearLimit", kAgent, kRun, kWarning, kAbove, 0.9, minutes(1), minutes(1), "ratio", 1,
         agent_near_limit, nullptr,
         "max without (limit) (progress_agent_limit_used_ratio)",
         "The agent is near one of its limits",
         "{value} of a limit is used, more than {threshold}.",
         "Raise the limit that is named, or have the jobs end their sessions."},
};
// clang-format on

}  // namespace

std::span<const Rule> rules() { return kRules; }

std::optional<std::size_t> find_rule(std::string_view name) {
  const auto found = std::ranges::find(kRules, name, &Rule::name);
  if (found == kRules.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kRules.begin());
}

}  // namespace agent::alert
