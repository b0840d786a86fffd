// The alerts that `alerts.rules.<Name>` may adjust; the contract, section 9. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace agent::settings {

inline constexpr std::array<std::string_view, 17> kAlertNames = {
    "SlowProcessing",        "HighErrorRate",
    "LowThroughput",         "QualityDegradation",
    "RateLimited",           "QuotaExhaustionAhead",
    "EtaDeviation",          "SessionStalled",
    "DeadlineAtRisk",        "CostOverBudget",
    "WorkloadMemoryHigh",    "WorkloadCpuHigh",
    "WorkloadNetworkErrors", "SuccessRateBelowTarget",
    "AgentStorageFailing",   "AgentNotificationsFailing",
    "AgentNearLimit"};

enum class Severity : std::uint8_t { kInfo, kWarning, kCritical };
inline constexpr std::array<std::string_view, 3> kSeverityNames = {"info", "warning", "critical"};

}  // namespace agent::settings
