#include "agent/web/analytics_api.h"

#include <string>
#include <vector>

#include "agent/web/past_json.h"
#include "agent/web/window.h"

namespace agent::web {
namespace {

using progress::Mode;
using progress::PastRun;

constexpr std::size_t kMostRuns = 100;     // of a family, looked at
constexpr std::size_t kMostMinutes = 240;  // in analytics

Reply cannot_read(const Error& error) {
  return error_reply(503, "storage_failing", "the history cannot be read: " + error.message);
}

// Of the first thousand.
FilesByStage in_flight(tracker::Tracker& tracker, std::string_view session) {
  constexpr std::size_t kMost = 1000;
  FilesByStage counts;
  const auto page = tracker.files(session, progress::FileStatus::kProcessing, 0, kMost);
  if (!page) return counts;
  for (const progress::FileSnapshot& file : page->files) {
    if (!file.stage.empty()) ++counts[file.stage];
  }
  return counts;
}

}  // namespace

Reply AnalyticsApi::snapshots(const Request& request) const {
  const auto window = window_of(request);
  if (!window) return window.error();
  const auto session = find_session(tracker_, request, clock_.now());
  if (!session) return session.error();
  if (!(*session)->identity->config.analytics)
    return not_enabled(**session, "a snapshot", Mode::kComprehensive);
  const Instant from{Duration(static_cast<std::int64_t>(window->cursor))};
  auto minutes =
      past_.minutes((*session)->serial, (*session)->identity->attempt, from, window->limit + 1);
  if (!minutes) return cannot_read(minutes.error());
  std::optional<std::uint64_t> next;
  if (minutes->size() > window->limit) {
    next = static_cast<std::uint64_t>(minutes->back().minute.time_since_epoch().count());
    minutes->pop_back();
  }
  return list_reply(*minutes, next, write_minute);
}

Reply AnalyticsApi::analytics(const Request& request) const {
  const auto found = find_session(tracker_, request, clock_.now());
  if (!found) return found.error();
  const progress::SessionSnapshot& session = **found;
  if (!session.identity->config.analytics)
    return not_enabled(session, "analytics", Mode::kComprehensive);
  std::vector<PastRun> runs;
  if (!session.identity->family.empty()) {
    auto read = past_.runs(session.identity->family, kMostRuns);
    if (!read) return cannot_read(read.error());
    runs = *std::move(read);
  }
  const auto minutes =
      past_.minutes(session.serial, session.identity->attempt, Instant{}, kMostMinutes);
  if (!minutes) return cannot_read(minutes.error());
  return json_reply_of([&](JsonWriter& json) {
    json.begin_object();
    write_trends(json.key("throughputTrends"), session.metrics);
    write_quality(json.key("qualityMetrics"), session.metrics);
    write_costs(json.key("costAnalysis"), session);
    json.key("performanceHistory").begin_array();
    for (const auto& minute : *minutes) write_minute(json, minute);
    json.end_array();
    write_accuracy(json.key("etaAccuracy"), runs);
    write_stages(json.key("stageBreakdown"), session, in_flight(tracker_, session.id()));
    write_comparison(json.key("comparison"), session, runs);
    json.end_object();
  });
}

Reply AnalyticsApi::families(const Request& request) const {
  const auto limit = limit_of(request);
  if (!limit) return limit.error();
  auto families =
      past_.families(std::string(request.target.parameter("cursor").value_or("")), *limit + 1);
  if (!families) return cannot_read(families.error());
  std::string next;
  if (families->size() > *limit) {
    families->pop_back();
    next = families->back().family;
  }
  return json_reply_of([&](JsonWriter& json) {
    json.begin_object().key("items").begin_array();
    for (const progress::PastFamily& family : *families) {
      json.begin_object().member("family", family.family).member("runs", family.runs);
      json.member("lastStartTime", family.last_start).end_object();
    }
    json.end_array().known_text("nextCursor", next).end_object();
  });
}

Reply AnalyticsApi::family(const Request& request) const {
  const std::string& name = request.target.segments[2];
  const auto runs = past_.runs(name, kMostRuns);
  if (!runs) return cannot_read(runs.error());
  if (runs->empty())
    return error_reply(404, "unknown_family", "no run of a family '" + name + "' is known");
  return json_reply_of([&](JsonWriter& json) { write_family(json, name, *runs); });
}

}  // namespace agent::web
