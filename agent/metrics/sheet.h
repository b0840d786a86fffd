// Sheet: what one page shows, laid out for the rows of the table: the sessions with their escaped
// labels, and the lists that events can make grow, cut to the bounds of the settings. Points into
// the view and the counts that it was made from. Pure; used by the thread that made it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "agent/metrics/agent_counts.h"
#include "agent/metrics/families.h"
#include "agent/metrics/fold.h"
#include "agent/metrics/selection.h"
#include "agent/metrics/settings.h"
#include "agent/metrics/text.h"
#include "agent/view.h"

namespace agent::metrics {

class Sheet {
 public:
  Sheet(const View& view, const AgentCounts& counts, const Settings& settings);

  [[nodiscard]] std::span<const Shown> sessions() const { return sessions_; }
  [[nodiscard]] std::span<const EtaErrorSeries> eta_errors() const { return eta_errors_; }
  // What had no place: label values that became "other", files without a series.
  [[nodiscard]] std::uint64_t folded_values() const { return folded_values_; }
  [[nodiscard]] std::uint64_t files_left_out() const { return files_.left_out; }

 private:
  void write_labels(const View& view);
  std::span<const progress::FileProgress> files_of(std::size_t session) const;
  template <typename T>
  std::span<const T> bounded(std::span<const T> list, std::deque<Folded<T>>& kept,
                             std::size_t max_values);

  std::vector<Shown> sessions_;
  Text labels_;
  std::vector<std::size_t> label_ends_;  // of each session's label in labels_
  FileSelection files_;
  std::deque<Folded<progress::ProviderTally>> providers_;  // the lists that did not fit
  std::deque<Folded<progress::StageTally>> stages_;
  std::deque<Folded<EtaErrorSeries>> errors_;
  std::span<const EtaErrorSeries> eta_errors_;
  std::uint64_t folded_values_ = 0;
};

}  // namespace agent::metrics
