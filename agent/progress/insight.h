// Insights: what a person should know about a session and would otherwise have to work out from its
// numbers. Each names what was found with the numbers that show it; a healthy run has none. Pure;
// any thread. Used by the web API (`generateProgressInsights` of the seed) and by replay.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/progress/snapshot.h"

namespace agent::progress {

enum class InsightSeverity : std::uint8_t { kInfo, kWarning, kCritical };
inline constexpr std::array<std::string_view, 3> kInsightSeverityNames = {"info", "warning",
                                                                          "critical"};
constexpr std::string_view name_of(InsightSeverity s) { return name_of(s, kInsightSeverityNames); }

struct Insight {
  std::string_view code;  // of static lifetime: "failing", "rate_limited", ...
  InsightSeverity severity;
  std::string message;
  std::vector<std::pair<std::string_view, double>> values;  // the numbers in the message, by name
};

// What is known beside the metrics; all of it may be missing.
struct InsightContext {
  AlertThresholds thresholds;
  std::optional<SessionState> state;
  std::optional<Duration> oldest_in_flight;
  std::optional<double> cost_budget;
  std::string_view currency;
};

// The most severe first.
std::vector<Insight> insights(const Metrics& metrics, const InsightContext& context);
std::vector<Insight> insights(const SessionSnapshot& session);

}  // namespace agent::progress
