#include "agent/history/recent.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace agent::history {
namespace {

using progress::PastFamily;
using progress::PastMinute;
using progress::PastRun;

PastRun run_of(const progress::SessionSnapshot& session, const Timeline& timeline) {
  const progress::Metrics& m = session.metrics;
  PastRun run;
  run.serial = session.serial;
  run.attempt = session.identity->attempt;
  run.session = session.id();
  run.family = session.identity->family;
  run.state = name_of(session.state);
  run.start = m.start_time;
  run.end = session.end_time;
  run.active = m.active_elapsed;
  run.total_files = m.total_files;
  run.completed = m.count(progress::FileStatus::kCompleted);
  run.failed = m.count(progress::FileStatus::kFailed);
  run.tokens = m.total_tokens;
  run.api_calls = m.api_calls_total;
  run.api_calls_failed = m.api_calls_failed;
  run.cost = m.estimated_cost;
  run.average_throughput = m.average_throughput;
  run.quality_score = m.quality_score;
  if (run.end) run.eta_error = eta_error(timeline.moments(), run.start, *run.end);
  return run;
}

}  // namespace

void Recent::look(const View& view) {
  looked_ = view.at.steady;
  ++looks_;
  for (const progress::SnapshotPtr& session : view.sessions) {
    if (session->identity->config.analytics) follow(*session);
  }
  boost::unordered::erase_if(followed_,
                             [&](const auto& entry) { return entry.second.seen != looks_; });
}

void Recent::follow(const progress::SessionSnapshot& session) {
  Followed& followed = followed_[session.serial];
  followed.seen = looks_;
  if (followed.attempt != session.identity->attempt) {
    followed.timeline = {};
    followed.attempt = session.identity->attempt;
    followed.is_recorded = false;
  }
  if (followed.is_recorded) return;
  const bool is_over = is_ended(session.state);
  followed.timeline.add(moment_of(session), is_over);
  if (!is_over) return;
  followed.is_recorded = true;
  record(session, followed.timeline);
}

void Recent::record(const progress::SessionSnapshot& session, const Timeline& timeline) {
  const std::string& name = session.identity->family;
  if (name.empty()) return;
  Family& family = families_[name];
  family.touched = ++touches_;
  family.runs.push_back(run_of(session, timeline));
  if (family.runs.size() > kRunsEach) family.runs.pop_front();
  if (families_.size() <= kFamilies) return;
  families_.erase(std::ranges::min_element(families_, {},
                                           [](const auto& known) { return known.second.touched; }));
}

Result<std::vector<PastMinute>> Recent::minutes(std::uint64_t serial, std::int64_t attempt,
                                                Instant from, std::size_t limit) const {
  std::vector<PastMinute> out;
  const auto found = followed_.find(serial);
  if (found == followed_.end() || found->second.attempt != attempt) return out;
  for (const Moment& moment : found->second.timeline.moments()) {
    if (moment.timestamp < from) continue;
    if (out.size() == limit) break;
    out.push_back(minute_of(moment));
  }
  return out;
}

Result<std::vector<PastRun>> Recent::runs(const std::string& family, std::size_t limit) const {
  const auto found = families_.find(family);
  if (found == families_.end()) return std::vector<PastRun>();
  const auto& all = found->second.runs;
  const auto skipped = static_cast<std::ptrdiff_t>(all.size() - std::min(all.size(), limit));
  return std::vector<PastRun>(all.begin() + skipped, all.end());
}

Result<std::vector<PastFamily>> Recent::families(const std::string& after,
                                                 std::size_t limit) const {
  std::vector<PastFamily> out;
  for (auto it = families_.upper_bound(after); it != families_.end() && out.size() < limit; ++it) {
    const auto& runs = it->second.runs;
    out.push_back({it->first, static_cast<std::int64_t>(runs.size()), runs.back().start});
  }
  return out;
}

}  // namespace agent::history
