// The experts: simple forecasts of a session's total time, each right about some jobs. None is safe
// alone (Chaudhuri, Kaushik, Ramamurthy, "When can we trust progress estimators for SQL queries?",
// 2005), so `blend.h` weighs them by their own stability. Pure.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

namespace agent::eta {

enum class Expert : std::uint8_t {
  kCount,          // files per second since the start
  kWork,           // work per second since the start
  kRecentCount,    // files per second over the last 30 % of the time
  kSchedule,       // the work left, scheduled on the parallelism seen lately
  kParallel,       // the work left over the mean parallelism
  kWindow,         // files per second over the last 30 s
  kDecay,          // the exponential method's
  kPastCount,      // the family's curve of files done over time
  kPastWork,       // the family's curve of busy time over time
  kPastTotal,      // the family's totals, scaled to this session's work and speed
  kKnownWork,      // as kWork, with the durations that the same files had in earlier runs
  kKnownParallel,  // as kParallel, likewise
  kKnownTypical,   // as kKnownParallel, with the speed seen in logarithms
  kReplay,         // when the same files ended in earlier runs
  kStages,         // when the same stages ended in earlier runs
  kWeight,         // the linear method's: weight per second since the start
  kTypical,      // as kSchedule, with what files typically take: outliers count by their logarithm
  kTypicalWork,  // as kWork, likewise
  kStarts,       // how fast files begin, lately
  kTail,         // when each running file ends, and those waiting after it; medians, not means
  kColdWork,     // kWork, kSchedule, kParallel without history, once the others use it
  kColdSchedule,
  kColdParallel,
};
inline constexpr std::size_t kExperts = 23;
inline constexpr std::array<std::string_view, kExperts> kExpertNames = {
    "count",      "work",           "recent_count",  "schedule",  "parallel",
    "window",     "decay",          "past_count",    "past_work", "past_total",
    "known_work", "known_parallel", "known_typical", "replay",    "stages",
    "weight",     "typical",        "typical_work",  "starts",    "tail",
    "cold_work",  "cold_schedule",  "cold_parallel"};

// What the blend may use.
enum class Belief : std::uint8_t {
  kHistory,  // all experts, as far as they earned it
  kAlone,    // those that know nothing of earlier runs
};
inline constexpr std::size_t kBeliefs = 2;

// ln of the total active seconds that each expert foretells; NaN: it has no opinion.
struct Opinions {
  std::array<double, kExperts> log_total;
  Opinions() { log_total.fill(std::numeric_limits<double>::quiet_NaN()); }
  double& operator[](Expert e) { return log_total[static_cast<std::size_t>(e)]; }
  double operator[](Expert e) const { return log_total[static_cast<std::size_t>(e)]; }
  [[nodiscard]] bool has(Expert e) const { return !std::isnan((*this)[e]); }
};

}  // namespace agent::eta
