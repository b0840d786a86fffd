// Readings: what each rule measures, one function a rule, by the rule's name. Empty: there is
// nothing to measure now. Pure; any thread. Used by the table of rules alone.
#pragma once

#include <optional>

#include "agent/alert/rule.h"

namespace agent::alert {

// Of sessions; units as the row says.
std::optional<Reading> slow_processing(const Subject& of);
std::optional<Reading> high_error_rate(const Subject& of);
std::optional<Reading> low_throughput(const Subject& of);
std::optional<Reading> quality_degradation(const Subject& of);
std::optional<Reading> rate_limited(const Subject& of);
std::optional<Reading> quota_exhaustion_ahead(const Subject& of);
std::optional<Reading> eta_deviation(const Subject& of);
std::optional<Reading> session_stalled(const Subject& of);
std::optional<Reading> deadline_at_risk(const Subject& of);
std::optional<Reading> cost_over_budget(const Subject& of);
std::optional<Reading> workload_memory_high(const Subject& of);
std::optional<Reading> workload_cpu_high(const Subject& of);
std::optional<Reading> workload_network_errors(const Subject& of);
std::optional<Reading> success_rate_below_target(const Subject& of);

// Of the agent.
std::optional<Reading> agent_storage_failing(const Subject& of);
std::optional<Reading> agent_notifications_failing(const Subject& of);
std::optional<Reading> agent_near_limit(const Subject& of);

}  // namespace agent::alert
