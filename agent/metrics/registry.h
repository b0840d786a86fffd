// Registry: the metrics of the agent itself, `progress_agent_*` and `process_*`, in
// prometheus-cpp's model. What other folders count is copied at each scrape from AgentCounts, by
// the rows of agent_families.cc; what this folder counts lives in prometheus-cpp's registry.
// Nothing outside points in here. The event loop's thread.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/clock.h"
#include "agent/metrics/agent_counts.h"
#include "agent/metrics/families.h"
#include "agent/metrics/number.h"

namespace agent::metrics {

// What this binary is, for `progress_agent_build_info`.
struct Build {
  std::string version = AGENT_VERSION, revision = "unknown", compiler = __VERSION__;
};

// Why something that could have been a series is none.
enum class DropReason : std::uint8_t { kMaxSessions, kMaxLabelValues, kMaxFileSeries };
inline constexpr std::array<std::string_view, 3> kDropReasonNames = {
    "max_sessions", "max_label_values", "max_file_series"};

// Where a row of the agent's table puts its samples: over those of the scrape before, whose labels
// mostly are the same. Those that are left over at its end go.
class Samples {
 public:
  Samples(const LabelNames& labels, Type type, std::vector<prometheus::ClientMetric>& out)
      : labels_(labels), type_(type), out_(out) {}
  ~Samples() { out_.resize(count_); }
  Samples(const Samples&) = delete;
  Samples& operator=(const Samples&) = delete;

  // A sample with a value for each label of the row; none when the number is unknown.
  void add(std::initializer_list<std::string_view> values, Number number);
  void add(Number number) { add({}, number); }

 private:
  const LabelNames& labels_;
  Type type_;
  std::vector<prometheus::ClientMetric>& out_;
  std::size_t count_ = 0;
};

struct AgentFamily {
  std::string_view name;
  Type type = Type::kGauge;
  LabelNames labels = {};
  std::string_view help;
  void (*collect)(const Everything& everything, Samples& out) = nullptr;  // null: in the registry
};
[[nodiscard]] std::span<const AgentFamily> agent_families();

class Registry {
 public:
  explicit Registry(const Build& build);

  void count_dropped(DropReason reason, std::uint64_t times);
  void observe_scrape(Duration taken);

  // All families as they are now, in the order of the table. Good until the next call.
  [[nodiscard]] std::span<const prometheus::MetricFamily> collect(const Everything& everything);

 private:
  prometheus::Registry registry_;
  std::vector<prometheus::MetricFamily> families_;  // by row
  std::array<prometheus::Counter*, kDropReasonNames.size()> dropped_;
  prometheus::Histogram* scrapes_;
};

}  // namespace agent::metrics
