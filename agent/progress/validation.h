// Validation: whether a ProgressMetrics, as somebody claims it, can be true: all that must be there
// is there, in its range, and the numbers agree with each other (`validateProgressMetrics` of the
// seed). Pure; any thread. Source of the definitions: the contract, section 4.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/progress/snapshot.h"

namespace agent::progress {

enum class ClaimKind : std::uint8_t {
  kCount,    // a whole number, 0 or more
  kAmount,   // 0 or more
  kPercent,  // 0..100
  kRatio,    // 0..1
  kTime,     // milliseconds since 1970
};

enum class ClaimField : std::uint8_t {
  kTotalFiles,
  kFilesCompleted,
  kFilesFailed,
  kFilesPending,
  kFilesProcessing,
  kFilesSkipped,
  kFilesCancelled,
  kProgressPercentage,
  kStartTime,
  kCurrentTime,
  kElapsedTimeMs,
  kEstimatedTimeRemainingMs,
  kEstimatedCompletionTime,
  kAverageProcessingTimeMs,
  kCurrentThroughput,
  kPeakThroughput,
  kRateLimitHits,
  kRateLimitDelayMs,
  kApiCallsTotal,
  kApiCallsSuccessful,
  kApiCallsFailed,
  kApiSuccessRate,
  kTotalTokensUsed,
  kEstimatedCost,
  kCostPerFile,
  kTokensPerFile,
  kApiEfficiency,
  kRetryCount,
  kErrorRate,
  kQualityScore
};

struct ClaimRow {
  std::string_view name;
  ClaimKind kind;
  bool is_required;  // counts are always known; what is unknown may be left out
};
inline constexpr std::array<ClaimRow, 30> kClaimRows = {{
    {"totalFiles", ClaimKind::kCount, true},
    {"filesCompleted", ClaimKind::kCount, true},
    {"filesFailed", ClaimKind::kCount, true},
    {"filesPending", ClaimKind::kCount, true},
    {"filesProcessing", ClaimKind::kCount, true},
    {"filesSkipped", ClaimKind::kCount, false},
    {"filesCancelled", ClaimKind::kCount, false},
    {"progressPercentage", ClaimKind::kPercent, true},
    {"startTime", ClaimKind::kTime, true},
    {"currentTime", ClaimKind::kTime, true},
    {"elapsedTimeMs", ClaimKind::kAmount, true},
    {"estimatedTimeRemainingMs", ClaimKind::kAmount, false},
    {"estimatedCompletionTime", ClaimKind::kTime, false},
    {"averageProcessingTimeMs", ClaimKind::kAmount, false},
    {"currentThroughput", ClaimKind::kAmount, false},
    {"peakThroughput", ClaimKind::kAmount, false},
    {"rateLimitHits", ClaimKind::kCount, true},
    {"rateLimitDelayMs", ClaimKind::kAmount, true},
    {"apiCallsTotal", ClaimKind::kCount, true},
    {"apiCallsSuccessful", ClaimKind::kCount, true},
    {"apiCallsFailed", ClaimKind::kCount, true},
    {"apiSuccessRate", ClaimKind::kRatio, false},
    {"totalTokensUsed", ClaimKind::kCount, true},
    {"estimatedCost", ClaimKind::kAmount, true},
    {"costPerFile", ClaimKind::kAmount, false},
    {"tokensPerFile", ClaimKind::kAmount, false},
    {"apiEfficiency", ClaimKind::kRatio, false},
    {"retryCount", ClaimKind::kCount, true},
    {"errorRate", ClaimKind::kRatio, false},
    {"qualityScore", ClaimKind::kRatio, false},
}};

// A value in each row: absent, a number, or (NaN) something that is none.
struct Claim {
  std::array<std::optional<double>, kClaimRows.size()> values;

  [[nodiscard]] std::optional<double>& operator[](ClaimField field) {
    return values[static_cast<std::size_t>(field)];
  }
  [[nodiscard]] const std::optional<double>& operator[](ClaimField field) const {
    return values[static_cast<std::size_t>(field)];
  }
};

// What a session's own metrics claim.
Claim claim_of(const Metrics& metrics);
// The other way, for insights; what the claim leaves out stays unknown.
Metrics metrics_of(const Claim& claim);

struct ClaimFault {
  std::string_view field;  // of static lifetime
  std::string_view code;   // missing, invalid_type, out_of_range, inconsistent
  std::string message;
};

// Empty: the claim is valid.
std::vector<ClaimFault> validate(const Claim& claim);

}  // namespace agent::progress
