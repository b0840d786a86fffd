#include "agent/metrics/sheet.h"

#include <string_view>
#include <utility>

namespace agent::metrics {

Sheet::Sheet(const View& view, const AgentCounts& counts, const Settings& settings) {
  if (settings.per_file == PerFile::kActive) files_ = slowest_files(view, settings.max_file_series);
  const std::size_t max_values = settings.max_label_values;
  eta_errors_ = bounded<EtaErrorSeries>(counts.eta_errors, errors_, max_values);
  write_labels(view);
  sessions_.reserve(view.sessions.size());
  std::size_t begin = 0;
  for (std::size_t i = 0; i < view.sessions.size(); begin = label_ends_[i++]) {
    const progress::SessionSnapshot& session = *view.sessions[i];
    sessions_.push_back(
        {.snapshot = session,
         .label = labels_.view().substr(begin, label_ends_[i] - begin),
         .providers = bounded<progress::ProviderTally>(session.providers, providers_, max_values),
         .stages = bounded<progress::StageTally>(session.stages, stages_, max_values),
         .files = files_of(i),
         .session_labels = settings.session_labels});
  }
}

// The label `session` of each session, escaped once for all its lines.
void Sheet::write_labels(const View& view) {
  constexpr std::string_view kName = "session=\"";
  label_ends_.reserve(view.sessions.size());
  for (const auto& session : view.sessions) {
    char* at = put(labels_.room(kName.size() + kLabelValueRoom + 1), kName);
    at = put_label_value(at, session->id());
    *at++ = '"';
    labels_.commit(at);
    label_ends_.push_back(labels_.size());
  }
}

std::span<const progress::FileProgress> Sheet::files_of(std::size_t session) const {
  if (files_.by_session.empty()) return {};
  return files_.by_session[session];
}

template <typename T>
std::span<const T> Sheet::bounded(std::span<const T> list, std::deque<Folded<T>>& kept,
                                  std::size_t max_values) {
  const Fit fit = metrics::fit(list, max_values);
  if (fit == Fit::kFolded) ++folded_values_;
  if (fit != Fit::kNot) return list;
  const Folded<T>& folded = kept.emplace_back(fold(list, max_values));
  folded_values_ += folded.folded;
  return folded.list;
}

}  // namespace agent::metrics
