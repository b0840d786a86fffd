// What storage remembers of attempts that were, as values: what analytics compare. Filled by
// history, read by web. Pure; any thread. What is unknown is empty.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/clock.h"
#include "agent/result.h"

namespace agent::progress {

// One attempt of a session.
struct PastRun {
  std::uint64_t serial = 0;
  std::int64_t attempt = 1;
  std::string session, family, state;
  Instant start;
  std::optional<Instant> end;
  Span active{};  // without pauses
  std::int64_t total_files = 0, completed = 0, failed = 0, tokens = 0, api_calls = 0,
               api_calls_failed = 0;
  double cost = 0;
  std::optional<double> average_throughput;  // files per minute
  std::optional<double> quality_score;
  std::optional<double> eta_error;  // mean |foretold - true| / true total of the best method

  [[nodiscard]] std::optional<double> error_rate() const {
    const std::int64_t finished = completed + failed;
    return finished > 0 ? std::optional(static_cast<double>(failed) / static_cast<double>(finished))
                        : std::nullopt;
  }
  [[nodiscard]] std::optional<double> per_file(double amount) const {
    return completed > 0 ? std::optional(amount / static_cast<double>(completed)) : std::nullopt;
  }
};

// An attempt in one minute of its own time.
struct PastMinute {
  Instant minute;
  std::string state;
  double progress_percentage = 0;
  std::int64_t completed = 0, failed = 0, tokens = 0;
  double cost = 0;
  std::optional<double> current_throughput, average_processing_ms, error_rate, api_success_rate,
      quality_score, rate_limiting_impact;
  // What was foretold then; milliseconds.
  std::optional<double> remaining_ms, low_ms, high_ms, confidence;
  std::string method;
};

struct PastFamily {
  std::string family;
  std::int64_t runs = 0;
  Instant last_start;
};

// Where they come from. Each may fail; then it says why.
struct PastSource {
  // Of one attempt, from `from` on, the oldest first.
  std::function<Result<std::vector<PastMinute>>(std::uint64_t serial, std::int64_t attempt,
                                                Instant from, std::size_t limit)>
      minutes;
  // The newest of a family, the oldest first.
  std::function<Result<std::vector<PastRun>>(const std::string& family, std::size_t limit)> runs;
  // In the order of their names, after `after`.
  std::function<Result<std::vector<PastFamily>>(const std::string& after, std::size_t limit)>
      families;
};

}  // namespace agent::progress
