// Families: the one table of what /metrics says about sessions. A new metric is a row: the page
// and the reference table follow from it. Constant; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "agent/metrics/agent_counts.h"
#include "agent/progress/snapshot.h"

namespace agent::metrics {

class Series;

enum class Type : std::uint8_t { kGauge, kCounter, kHistogram };
[[nodiscard]] constexpr std::string_view name_of(Type type) {
  constexpr std::array<std::string_view, 3> kNames = {"gauge", "counter", "histogram"};
  return kNames[static_cast<std::size_t>(type)];
}

// A counter's name without its ending: what OpenMetrics calls the family.
[[nodiscard]] constexpr std::string_view without_total(std::string_view name) {
  constexpr std::string_view kTotal = "_total";
  return name.ends_with(kTotal) ? name.substr(0, name.size() - kTotal.size()) : name;
}

// The names of a family's labels, in the order in which they are written.
class LabelNames {
 public:
  constexpr LabelNames() = default;
  constexpr LabelNames(std::initializer_list<std::string_view> names) : size_(names.size()) {
    std::copy(names.begin(), names.end(), names_.begin());
  }
  [[nodiscard]] constexpr const std::string_view* begin() const { return names_.data(); }
  [[nodiscard]] constexpr const std::string_view* end() const { return names_.data() + size_; }
  [[nodiscard]] constexpr std::size_t size() const { return size_; }

 private:
  std::array<std::string_view, 6> names_{};
  std::size_t size_ = 0;
};

// A session on the page: its snapshot, and the lists of it after the bounds of the settings.
struct Shown {
  const progress::SessionSnapshot& snapshot;
  std::string_view label;  // session="...", escaped
  std::span<const progress::ProviderTally> providers;
  std::span<const progress::StageTally> stages;
  std::span<const progress::FileProgress> files;  // empty unless `per_file` is active
  std::span<const std::string> session_labels;    // those the settings list

  [[nodiscard]] const progress::SessionIdentity& identity() const { return *snapshot.identity; }
};

struct Family {
  std::string_view name;  // as in the text format: a counter's ends in _total
  Type type = Type::kGauge;
  std::string_view unit = {};  // OpenMetrics' unit: the name ends in it; empty: a count
  LabelNames labels = {};      // beyond `session`
  // What the last label can be, when that is a closed list: `Series` takes an index into it.
  std::span<const std::string_view> values = {};
  std::string_view help;
  // One of these. A family of sessions has the label `session`; one of the page has not.
  void (*of_session)(const Shown& session, Series& out) = nullptr;
  void (*of_page)(const Everything& everything, Series& out) = nullptr;
};

// In the order of the page.
[[nodiscard]] std::span<const Family> families();

}  // namespace agent::metrics
