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

// The label values of all samples of a scrape, one after the other, for the next scrape to compare
// with: mostly they are the same, and then the strings that hold them, all over the memory, are not
// touched.
class LabelRecord {
 public:
  void begin() { text_at_ = size_at_ = 0; }
  // Whether the next sample's are those of last time; if not they are from now on, and what came
  // behind them is forgotten.
  bool next(std::initializer_list<std::string_view> values);
  // From here on other samples come than last time.
  void forget_rest();

 private:
  std::string text_;
  std::vector<std::size_t> sizes_;  // of the values
  std::size_t text_at_ = 0, size_at_ = 0;
};

// Where a row of the agent's table puts its samples: over those of the scrape before. Those that
// are left over at its end go.
class Samples {
 public:
  // `changed` is set when the labels are others than they were.
  Samples(const LabelNames& labels, Type type, LabelRecord& record,
          std::vector<prometheus::ClientMetric>& out, bool& changed)
      : labels_(labels), type_(type), record_(record), out_(out), changed_(changed) {}
  ~Samples() {
    if (count_ == out_.size()) return;
    note_change();
    out_.resize(count_);
  }
  Samples(const Samples&) = delete;
  Samples& operator=(const Samples&) = delete;

  // A sample with a value for each label of the row; none when the number is unknown.
  void add(std::initializer_list<std::string_view> values, Number number);
  void add(Number number) { add({}, number); }

 private:
  void note_change() {
    record_.forget_rest();
    changed_ = true;
  }

  const LabelNames& labels_;
  Type type_;
  LabelRecord& record_;
  std::vector<prometheus::ClientMetric>& out_;
  bool& changed_;
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

// What the model holds at one instant.
struct Collected {
  std::span<const prometheus::MetricFamily> families;
  std::uint64_t revision = 0;  // rises whenever anything but a number is other than before
};

class Registry {
 public:
  explicit Registry(const Build& build);

  void count_dropped(DropReason reason, std::uint64_t times);
  void observe_scrape(Duration taken);

  // All families as they are now, in the order of the table. Good until the next call.
  [[nodiscard]] Collected collect(const Everything& everything);

 private:
  // A metric of the registry, and where its numbers go: all else of it stays as it is.
  template <typename Metric>
  struct Kept {
    Metric* metric;
    prometheus::ClientMetric* sample;
  };

  void take_kept();

  prometheus::Registry registry_;
  std::vector<prometheus::MetricFamily> families_;  // by row
  std::uint64_t revision_ = 0;
  LabelRecord record_;
  std::array<Kept<prometheus::Counter>, kDropReasonNames.size()> dropped_;
  Kept<prometheus::Histogram> scrapes_;
};

}  // namespace agent::metrics
