#include "agent/metrics/selection.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <string>
#include <utility>

#include "agent/metrics/text.h"

namespace agent::metrics {
namespace {

using progress::FileProgress;
using progress::SessionSnapshot;

bool is_running(const SessionSnapshot& session) {
  return !progress::is_ended(session.state) && session.state != progress::SessionState::kStale;
}

// Whether a has a better claim to a place than b; a stable sort keeps those seen first first.
bool goes_before(const SessionSnapshot& a, const SessionSnapshot& b) {
  if (is_running(a) != is_running(b)) return is_running(a);
  if (is_running(a)) return false;
  return a.end_time.value_or(a.last_event_time) > b.end_time.value_or(b.last_event_time);
}

struct Candidate {
  std::size_t session;
  const FileProgress* file;
};

}  // namespace

View within_bound(View view, std::size_t max_sessions) {
  auto& sessions = view.sessions;
  if (sessions.size() <= max_sessions) return view;
  std::vector<std::size_t> order(sessions.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(
      order, [&](std::size_t a, std::size_t b) { return goes_before(*sessions[a], *sessions[b]); });
  order.resize(max_sessions);
  std::ranges::sort(order);
  std::vector<progress::SnapshotPtr> chosen;
  chosen.reserve(max_sessions);
  for (const std::size_t i : order) chosen.push_back(std::move(sessions[i]));
  sessions = std::move(chosen);
  return view;
}

FileSelection slowest_files(const View& view, std::size_t max_files) {
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < view.sessions.size(); ++i) {
    for (const FileProgress& file : view.sessions[i]->slowest_files)
      candidates.push_back({i, &file});
  }
  std::ranges::stable_sort(candidates, [](const Candidate& a, const Candidate& b) {
    return a.file->in_flight > b.file->in_flight;
  });
  FileSelection selection;
  selection.by_session.resize(view.sessions.size());
  std::set<std::pair<std::size_t, std::string>> shown;
  for (const Candidate& candidate : candidates) {
    const bool has_place = shown.size() < max_files;
    std::string label =
        label_value(candidate.file->file) + '\n' + label_value(candidate.file->stage);
    if (!has_place || !shown.emplace(candidate.session, std::move(label)).second) {
      ++selection.left_out;
      continue;
    }
    selection.by_session[candidate.session].push_back(*candidate.file);
  }
  return selection;
}

}  // namespace agent::metrics
