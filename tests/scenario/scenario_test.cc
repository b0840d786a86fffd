// Drives every story through the decoder and the tracker, in event time, and compares what it must
// give. `tests/e2e/replay_test.py` does the same through the binary.

#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "agent/tracker/tracker.h"
#include "agent/wire/decode.h"

namespace agent {
namespace {

using progress::FileStatus;
using progress::SessionSnapshot;

constexpr const char* kFolder = "tests/scenario";  // from the root, where tests are run

std::vector<std::string> stories() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".ndjson") names.push_back(entry.path().stem());
  }
  std::ranges::sort(names);
  return names;
}

// The session as of its last event.
progress::SnapshotPtr replay(const std::string& story) {
  tracker::Tracker tracker({});
  wire::Decoder decoder;
  std::ifstream file(std::string(kFolder) + "/" + story + ".ndjson");
  progress::SnapshotPtr last;
  for (std::string line; std::getline(file, line);) {
    const std::size_t size = line.size();
    line.append(wire::kPadding, '\0');
    const auto message = decoder.decode({line.data(), size}, std::nullopt);
    if (!message) {
      ADD_FAILURE() << story << ": " << message.error().message;
      return nullptr;
    }
    const progress::Event& event = *std::get<0>(*message);
    const Now at{*event.ts, SteadyInstant{event.ts->time_since_epoch()}};
    const auto applied = tracker::Tracker::Batch(tracker, at).apply(event);
    EXPECT_TRUE(applied) << story << ": " << line;
    last = tracker.session(event.session, at);
  }
  return last;
}

using Getter = std::function<std::optional<double>(const SessionSnapshot&)>;

Getter count(FileStatus status) {
  return [=](const SessionSnapshot& s) { return static_cast<double>(s.metrics.count(status)); };
}
template <typename T>
Getter metric(T progress::Metrics::*field) {
  return [=](const SessionSnapshot& s) -> std::optional<double> {
    if constexpr (std::is_same_v<T, Duration>)
      return milliseconds(s.metrics.*field);
    else if constexpr (std::is_same_v<T, std::optional<double>>)
      return s.metrics.*field;
    else
      return static_cast<double>(s.metrics.*field);
  };
}

const std::map<std::string, Getter, std::less<>> kFields = {
    {"totalFiles", metric(&progress::Metrics::total_files)},
    {"filesCompleted", count(FileStatus::kCompleted)},
    {"filesFailed", count(FileStatus::kFailed)},
    {"filesPending", count(FileStatus::kPending)},
    {"filesProcessing", count(FileStatus::kProcessing)},
    {"progressPercentage", metric(&progress::Metrics::progress_percentage)},
    {"elapsedTimeMs", metric(&progress::Metrics::elapsed)},
    {"averageProcessingTimeMs", metric(&progress::Metrics::average_processing_ms)},
    {"currentThroughput", metric(&progress::Metrics::current_throughput)},
    {"peakThroughput", metric(&progress::Metrics::peak_throughput)},
    {"rateLimitHits", metric(&progress::Metrics::rate_limit_hits)},
    {"rateLimitDelayMs", metric(&progress::Metrics::rate_limit_delay)},
    {"apiCallsTotal", metric(&progress::Metrics::api_calls_total)},
    {"apiCallsSuccessful", metric(&progress::Metrics::api_calls_successful)},
    {"apiCallsFailed", metric(&progress::Metrics::api_calls_failed)},
    {"apiSuccessRate", metric(&progress::Metrics::api_success_rate)},
    {"totalTokensUsed", metric(&progress::Metrics::total_tokens)},
    {"estimatedCost", metric(&progress::Metrics::estimated_cost)},
    {"costPerFile", metric(&progress::Metrics::cost_per_file)},
    {"tokensPerFile", metric(&progress::Metrics::tokens_per_file)},
    {"apiEfficiency", metric(&progress::Metrics::api_efficiency)},
    {"retryCount", metric(&progress::Metrics::retry_count)},
    {"errorRate", metric(&progress::Metrics::error_rate)},
    {"qualityScore", metric(&progress::Metrics::quality_score)},
    {"averageThroughput", metric(&progress::Metrics::average_throughput)},
    {"rateLimitingImpact", metric(&progress::Metrics::rate_limiting_impact)},
    {"complexityFactor", metric(&progress::Metrics::complexity_factor)},
    {"startTime", [](const SessionSnapshot& s) { return unix_seconds(s.metrics.start_time); }},
    {"linear",
     [](const SessionSnapshot& s) -> std::optional<double> {
       if (!s.eta || !s.eta->methods[0]) return std::nullopt;
       return milliseconds(*s.eta->methods[0]);
     }},
};

// "2026-01-05T09:00:00Z", as all stories write it.
double seconds_of(std::string_view text) {
  std::tm parts{};
  strptime(std::string(text).c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return static_cast<double>(timegm(&parts));
}

void compare(simdjson::dom::element expected, std::string_view name, const SessionSnapshot& s,
             double tolerance) {
  if (simdjson::dom::object object; expected.get(object) == simdjson::SUCCESS) {
    for (const auto field : object) compare(field.value, field.key, s, tolerance);
    return;
  }
  const auto getter = kFields.find(name);
  ASSERT_NE(getter, kFields.end()) << "no such field: " << name;
  const auto found = getter->second(s);
  ASSERT_TRUE(found) << name;
  std::string_view text;
  const bool is_time = expected.get(text) == simdjson::SUCCESS;
  const double wanted = is_time ? seconds_of(text) : double(expected);
  EXPECT_NEAR(*found, wanted, tolerance * std::max(1.0, std::abs(wanted))) << name;
}

TEST(Scenario, EveryStoryGivesItsExpectedValues) {
  const auto names = stories();
  ASSERT_GE(names.size(), 9U);
  for (const std::string& story : names) {
    SCOPED_TRACE(story);
    simdjson::dom::parser parser;
    const simdjson::dom::element expected =
        parser.load(std::string(kFolder) + "/" + story + ".expected.json");
    const auto found = replay(story);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id(), std::string_view(expected["session"]));
    for (const char* part : {"metrics", "eta"})
      compare(expected[part], part, *found, double(expected["tolerance"]));
    if (std::string_view state; expected["state"].get(state) == simdjson::SUCCESS) {
      EXPECT_EQ(name_of(found->state), state);
    }
    simdjson::dom::object ended;
    if (expected["counters"]["filesEnded"].get(ended) == simdjson::SUCCESS) {
      for (std::size_t i = 0; i < found->counters.files_ended.size(); ++i) {
        const auto outcome = progress::kFileStatusNames[i + 2];
        EXPECT_EQ(found->counters.files_ended[i], std::int64_t(ended[outcome])) << outcome;
      }
    }
  }
}

}  // namespace
}  // namespace agent
