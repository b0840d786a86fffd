#include "agent/progress/validation.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

namespace agent::progress {
namespace {

using enum ClaimField;

constexpr double kRelative = 1e-6;                  // how exactly derived numbers must agree
constexpr double kClockSkewMs = 1000;               // how exactly times must
constexpr double kLargestCount = 9007199254740992;  // 2^53

using Faults = std::vector<ClaimFault>;

std::string text(double value) {
  std::array<char, 32> digits{};
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
}

std::string_view name_of(ClaimField field) {
  return kClaimRows[static_cast<std::size_t>(field)].name;
}

std::string_view range_of(ClaimKind kind) {
  switch (kind) {
    case ClaimKind::kCount:
      return "a whole number, 0 or more";
    case ClaimKind::kAmount:
      return "a number, 0 or more";
    case ClaimKind::kPercent:
      return "a number from 0 to 100";
    case ClaimKind::kRatio:
      return "a number from 0 to 1";
    case ClaimKind::kTime:
      return "a time such as 2026-01-05T09:00:00Z";
  }
  return {};
}

bool is_in_range(ClaimKind kind, double value) {
  switch (kind) {
    case ClaimKind::kCount:
      return value >= 0 && value <= kLargestCount && value == std::floor(value);
    case ClaimKind::kAmount:
      return value >= 0;
    case ClaimKind::kPercent:
      return value >= 0 && value <= 100;
    case ClaimKind::kRatio:
      return value >= 0 && value <= 1;
    case ClaimKind::kTime:
      return true;
  }
  return false;
}

void check_row(const ClaimRow& row, const std::optional<double>& value, Faults& faults) {
  const std::string must_be = " must be " + std::string(range_of(row.kind));
  if (!value) {
    if (row.is_required)
      faults.push_back({row.name, "missing", std::string(row.name) + " is missing"});
  } else if (std::isnan(*value)) {
    faults.push_back({row.name, "invalid_type", std::string(row.name) + must_be});
  } else if (!is_in_range(row.kind, *value)) {
    faults.push_back(
        {row.name, "out_of_range", std::string(row.name) + must_be + ", not " + text(*value)});
  }
}

// The numbers of a claim whose rows are all in order.
class Agreement {
 public:
  Agreement(const Claim& claim, Faults& faults) : claim_(claim), faults_(faults) {}

  [[nodiscard]] double of(ClaimField field) const { return claim_[field].value_or(0); }
  [[nodiscard]] bool has(ClaimField field) const { return claim_[field].has_value(); }

  // `field`, if claimed, must be what follows from others; `why` says how.
  void expect(ClaimField field, double derived, double tolerance, std::string_view why) {
    if (!has(field) || std::abs(of(field) - derived) <= tolerance) return;
    fault(field, text(of(field)) + " is not " + std::string(why) + ", which is " + text(derived));
  }
  // part / whole; unknown while there is no whole.
  void expect_share(ClaimField field, double part, double whole, std::string_view why) {
    if (!has(field)) return;
    if (whole > 0) {
      expect(field, part / whole, kRelative * std::max(1.0, part / whole), why);
    } else {
      fault(field,
            "is unknown while " + std::string(why) + " has nothing to divide by; leave it out");
    }
  }
  void fault(ClaimField field, const std::string& what) {
    faults_.push_back({name_of(field), "inconsistent", std::string(name_of(field)) + ": " + what});
  }

 private:
  const Claim& claim_;
  Faults& faults_;
};

void check_files(Agreement& a) {
  const double seen = a.of(kFilesCompleted) + a.of(kFilesFailed) + a.of(kFilesPending) +
                      a.of(kFilesProcessing) + a.of(kFilesSkipped) + a.of(kFilesCancelled);
  const bool all_states = a.has(kFilesSkipped) && a.has(kFilesCancelled);
  if (all_states ? seen != a.of(kTotalFiles) : seen > a.of(kTotalFiles)) {
    a.fault(kTotalFiles,
            text(a.of(kTotalFiles)) + " differs from the files by state, which are " + text(seen));
  }
  a.expect_share(kErrorRate, a.of(kFilesFailed), a.of(kFilesCompleted) + a.of(kFilesFailed),
                 "failed / (completed + failed)");
  a.expect_share(kCostPerFile, a.of(kEstimatedCost), a.of(kFilesCompleted), "cost / completed");
  a.expect_share(kTokensPerFile, a.of(kTotalTokensUsed), a.of(kFilesCompleted),
                 "tokens / completed");
}

void check_calls(Agreement& a) {
  const double total = a.of(kApiCallsTotal), successful = a.of(kApiCallsSuccessful);
  a.expect(kApiCallsTotal, successful + a.of(kApiCallsFailed), 0, "successful + failed calls");
  a.expect_share(kApiSuccessRate, successful, total, "successful / total calls");
  if (a.has(kApiEfficiency) && a.has(kApiSuccessRate) &&
      a.of(kApiEfficiency) > a.of(kApiSuccessRate) + kRelative) {
    a.fault(kApiEfficiency,
            text(a.of(kApiEfficiency)) + " is above apiSuccessRate, which it is a part of");
  }
}

void check_times(Agreement& a) {
  if (a.of(kCurrentTime) < a.of(kStartTime)) a.fault(kCurrentTime, "is before startTime");
  a.expect(kElapsedTimeMs, a.of(kCurrentTime) - a.of(kStartTime), kClockSkewMs,
           "currentTime - startTime");
  if (a.has(kEstimatedTimeRemainingMs)) {
    a.expect(kEstimatedCompletionTime, a.of(kCurrentTime) + a.of(kEstimatedTimeRemainingMs),
             kClockSkewMs, "currentTime + estimatedTimeRemainingMs");
  }
}

}  // namespace

std::vector<ClaimFault> validate(const Claim& claim) {
  Faults faults;
  for (std::size_t i = 0; i < kClaimRows.size(); ++i)
    check_row(kClaimRows[i], claim.values[i], faults);
  if (!faults.empty()) return faults;  // what is no number cannot agree with others
  Agreement agreement(claim, faults);
  check_files(agreement);
  check_calls(agreement);
  check_times(agreement);
  return faults;
}

Claim claim_of(const Metrics& m) {
  Claim claim;
  const auto count = [](std::int64_t n) { return static_cast<double>(n); };
  claim[kTotalFiles] = count(m.total_files);
  claim[kFilesPending] = count(m.count(FileStatus::kPending));
  claim[kFilesProcessing] = count(m.count(FileStatus::kProcessing));
  claim[kFilesCompleted] = count(m.count(FileStatus::kCompleted));
  claim[kFilesFailed] = count(m.count(FileStatus::kFailed));
  claim[kFilesSkipped] = count(m.count(FileStatus::kSkipped));
  claim[kFilesCancelled] = count(m.count(FileStatus::kCancelled));
  claim[kProgressPercentage] = m.progress_percentage;
  claim[kStartTime] = 1000 * unix_seconds(m.start_time);
  claim[kCurrentTime] = 1000 * unix_seconds(m.current_time);
  claim[kElapsedTimeMs] = milliseconds(m.elapsed);
  claim[kAverageProcessingTimeMs] = m.average_processing_ms;
  claim[kCurrentThroughput] = m.current_throughput;
  claim[kPeakThroughput] = m.peak_throughput;
  claim[kRateLimitHits] = count(m.rate_limit_hits);
  claim[kRateLimitDelayMs] = milliseconds(m.rate_limit_delay);
  claim[kApiCallsTotal] = count(m.api_calls_total);
  claim[kApiCallsSuccessful] = count(m.api_calls_successful);
  claim[kApiCallsFailed] = count(m.api_calls_failed);
  claim[kApiSuccessRate] = m.api_success_rate;
  claim[kTotalTokensUsed] = count(m.total_tokens);
  claim[kEstimatedCost] = m.estimated_cost;
  claim[kCostPerFile] = m.cost_per_file;
  claim[kTokensPerFile] = m.tokens_per_file;
  claim[kApiEfficiency] = m.api_efficiency;
  claim[kRetryCount] = count(m.retry_count);
  claim[kErrorRate] = m.error_rate;
  claim[kQualityScore] = m.quality_score;
  return claim;
}

Metrics metrics_of(const Claim& claim) {
  const auto count = [&](ClaimField field) {
    return static_cast<std::int64_t>(std::clamp(claim[field].value_or(0), 0.0, kLargestCount));
  };
  const auto duration = [&](ClaimField field) {
    return Duration(static_cast<Duration::rep>(1000 * std::min(claim[field].value_or(0), 1e15)));
  };
  Metrics m;
  m.total_files = count(kTotalFiles);
  m.files = {count(kFilesPending), count(kFilesProcessing), count(kFilesCompleted),
             count(kFilesFailed),  count(kFilesSkipped),    count(kFilesCancelled)};
  m.progress_percentage = claim[kProgressPercentage].value_or(0);
  m.elapsed = m.active_elapsed = duration(kElapsedTimeMs);
  m.average_processing_ms = claim[kAverageProcessingTimeMs];
  m.current_throughput = claim[kCurrentThroughput];
  m.peak_throughput = claim[kPeakThroughput];
  if (m.elapsed > Duration::zero()) {
    m.average_throughput = claim[kFilesCompleted].value_or(0) / (seconds(m.elapsed) / 60);
  }
  m.rate_limit_hits = count(kRateLimitHits);
  m.rate_limit_delay = duration(kRateLimitDelayMs);
  m.api_calls_total = count(kApiCallsTotal);
  m.api_calls_successful = count(kApiCallsSuccessful);
  m.api_calls_failed = count(kApiCallsFailed);
  m.api_success_rate = claim[kApiSuccessRate];
  m.total_tokens = count(kTotalTokensUsed);
  m.estimated_cost = claim[kEstimatedCost].value_or(0);
  m.cost_per_file = claim[kCostPerFile];
  m.tokens_per_file = claim[kTokensPerFile];
  m.api_efficiency = claim[kApiEfficiency];
  m.retry_count = count(kRetryCount);
  m.error_rate = claim[kErrorRate];
  m.quality_score = claim[kQualityScore];
  return m;
}

}  // namespace agent::progress
