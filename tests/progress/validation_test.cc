#include "agent/progress/validation.h"

#include <gtest/gtest.h>

#include <cmath>

namespace agent::progress {
namespace {

using namespace std::chrono_literals;
using enum ClaimField;

constexpr Instant kStart = std::chrono::sys_days(std::chrono::year(2026) / 1 / 5) + 9h;

// The numbers of a session that is under way.
Metrics metrics() {
  Metrics m;
  m.total_files = 10;
  m.files = {1, 1, 7, 1, 0, 0};
  m.progress_percentage = 85;
  m.start_time = kStart;
  m.current_time = kStart + 120s;
  m.elapsed = 120s;
  m.api_calls_total = 20;
  m.api_calls_successful = 18;
  m.api_calls_failed = 2;
  m.api_success_rate = 0.9;
  m.api_efficiency = 0.883125;
  m.total_tokens = 14000;
  m.tokens_per_file = 2000;
  m.estimated_cost = 0.42;
  m.cost_per_file = 0.06;
  m.error_rate = 0.125;
  m.quality_score = 0.8575;
  return m;
}

std::string faults(const Claim& claim) {
  std::string all;
  for (const auto& fault : validate(claim)) {
    all += std::string(fault.field) + ':' + std::string(fault.code) + ' ';
  }
  return all;
}
std::string faults_with(ClaimField field, std::optional<double> value) {
  Claim claim = claim_of(metrics());
  claim[field] = value;
  return faults(claim);
}

TEST(Validation, PassesWhatSessionsClaim) {
  EXPECT_EQ(faults(claim_of(metrics())), "");
  EXPECT_EQ(faults(claim_of(Metrics())), "");
}

TEST(Validation, KnowsItsRows) {
  EXPECT_EQ(kClaimRows[static_cast<std::size_t>(kTotalFiles)].name, "totalFiles");
  EXPECT_EQ(kClaimRows[static_cast<std::size_t>(kRateLimitHits)].name, "rateLimitHits");
  EXPECT_EQ(kClaimRows[static_cast<std::size_t>(kQualityScore)].name, "qualityScore");
}

TEST(Validation, WantsCountsAndLetsTheUnknownBeAbsent) {
  EXPECT_EQ(faults_with(kFilesFailed, std::nullopt), "filesFailed:missing ");
  EXPECT_EQ(faults_with(kRetryCount, std::nullopt), "retryCount:missing ");
  EXPECT_EQ(faults_with(kErrorRate, std::nullopt), "");
  EXPECT_EQ(faults_with(kPeakThroughput, std::nullopt), "");
}

TEST(Validation, HoldsNumbersToTheirRange) {
  EXPECT_EQ(faults_with(kFilesFailed, std::nan("")), "filesFailed:invalid_type ");
  EXPECT_EQ(faults_with(kFilesFailed, -1), "filesFailed:out_of_range ");
  EXPECT_EQ(faults_with(kFilesFailed, 1.5), "filesFailed:out_of_range ");
  EXPECT_EQ(faults_with(kProgressPercentage, 100.1), "progressPercentage:out_of_range ");
  EXPECT_EQ(faults_with(kQualityScore, 1.1), "qualityScore:out_of_range ");
  EXPECT_EQ(faults_with(kEstimatedCost, -0.01), "estimatedCost:out_of_range ");
  const Claim claim = [] {
    Claim c = claim_of(metrics());
    c[kProgressPercentage] = 101;
    return c;
  }();
  EXPECT_EQ(validate(claim).at(0).message,
            "progressPercentage must be a number from 0 to 100, not 101");
}

TEST(Validation, HoldsNumbersToEachOther) {
  EXPECT_EQ(faults_with(kTotalFiles, 9), "totalFiles:inconsistent ");
  EXPECT_EQ(faults_with(kTotalFiles, 11), "totalFiles:inconsistent ");
  EXPECT_EQ(faults_with(kApiCallsTotal, 21),
            "apiCallsTotal:inconsistent apiSuccessRate:inconsistent ");
  EXPECT_EQ(faults_with(kApiSuccessRate, 0.95), "apiSuccessRate:inconsistent ");
  EXPECT_EQ(faults_with(kApiEfficiency, 0.91), "apiEfficiency:inconsistent ");
  EXPECT_EQ(faults_with(kErrorRate, 0.2), "errorRate:inconsistent ");
  EXPECT_EQ(faults_with(kCostPerFile, 0.05), "costPerFile:inconsistent ");
  EXPECT_EQ(faults_with(kTokensPerFile, 1999), "tokensPerFile:inconsistent ");
  EXPECT_EQ(faults_with(kElapsedTimeMs, 60'000), "elapsedTimeMs:inconsistent ");
}

TEST(Validation, WithoutSkippedAndCancelledOnlyKnowsTooManyFiles) {
  Claim claim = claim_of(metrics());
  claim[kFilesSkipped] = claim[kFilesCancelled] = std::nullopt;
  claim[kTotalFiles] = 12;
  EXPECT_EQ(faults(claim), "");
  claim[kTotalFiles] = 9;
  EXPECT_EQ(faults(claim), "totalFiles:inconsistent ");
}

TEST(Validation, RefusesSharesOfNothing) {
  Claim claim = claim_of(Metrics());
  claim[kErrorRate] = 0;
  EXPECT_EQ(faults(claim), "errorRate:inconsistent ");
}

TEST(Validation, ReadsAClaimBackAsMetrics) {
  const Metrics there_and_back = metrics_of(claim_of(metrics()));
  EXPECT_EQ(there_and_back.files, metrics().files);
  EXPECT_EQ(there_and_back.error_rate, metrics().error_rate);
  EXPECT_EQ(there_and_back.elapsed, metrics().elapsed);
  EXPECT_EQ(there_and_back.average_throughput, 3.5);
}

}  // namespace
}  // namespace agent::progress
