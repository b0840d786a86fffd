#include "agent/web/api.h"

#include <algorithm>
#include <iterator>

#include "agent/web/alerts_api.h"
#include "agent/web/analytics_api.h"
#include "agent/web/claims.h"
#include "agent/web/export.h"
#include "agent/web/page.h"
#include "agent/web/sessions_api.h"

namespace agent::web {
namespace {

constexpr std::string_view kPlainText = "text/plain; charset=utf-8";

Reply plain_reply(unsigned status, std::string text) {
  Reply reply;
  reply.status = status;
  reply.content_type = kPlainText;
  reply.body = Body(std::move(text));
  return reply;
}

Reply answer_metrics(const Outside& outside, const Request& request) {
  metrics::Page page =
      outside.metrics({request.field(Field::accept), request.field(Field::accept_encoding)});
  Reply reply;
  reply.content_type = page.content_type;
  reply.content_encoding = page.content_encoding;
  reply.body = Body(page.body->view(), page.body);
  reply.fields.emplace_back("Vary", "Accept, Accept-Encoding");
  if (!request.field("X-Prometheus-Scrape-Timeout-Seconds").empty()) {
    reply.on_sent = [&outside, peer = request.peer, view = std::move(page.view)] {
      outside.scraped(peer, view);
    };
  }
  return reply;
}

Reply answer_ready(const Outside& outside) {
  if (outside.ready()) return plain_reply(200, "progress-agent is ready.\n");
  return plain_reply(503, "progress-agent is stopping.\n");
}

Reply answer_reload(const Outside& outside) {
  if (const auto reloaded = outside.reload(); !reloaded) {
    return error_reply(500, "invalid_configuration",
                       reloaded.error().message + "; the configuration in force stays");
  }
  return plain_reply(200, "The configuration was reloaded.\n");
}

Reply answer_status(const Outside& outside, tracker::Tracker& tracker, Now now) {
  const View view = tracker.view(now);
  const tracker::Totals totals = tracker.totals();
  std::array<std::int64_t, progress::kSessionStateNames.size()> by_state{};
  for (const auto& session : view.sessions) ++by_state[static_cast<std::size_t>(session->state)];
  return json_reply_of([&](JsonWriter& json) {
    json.begin_object();
    json.member("version", std::string_view(AGENT_VERSION)).member("time", now.wall);
    json.member("ready", outside.ready());
    json.key("counts").begin_object();
    json.key("sessions").begin_object();
    for (std::size_t i = 0; i < by_state.size(); ++i) {
      json.member(progress::kSessionStateNames[i], by_state[i]);
    }
    json.end_object();
    json.member("files", totals.files).member("producers", totals.producers);
    json.member("duplicateEvents", totals.duplicates).member("staleEvents", totals.stale);
    json.member("sequenceGaps", totals.gaps).member("sessionsEvicted", totals.sessions_evicted);
    json.end_object();
    outside.status(json);
    json.end_object();
  });
}

}  // namespace

std::vector<Route> api_routes(const Outside& outside, tracker::Tracker& tracker,
                              const Clock& clock) {
  const SessionsApi sessions(tracker, clock);
  // A route to one of the functions of SessionsApi.
  const auto of_sessions = [sessions](Reply (SessionsApi::*answer)(const Request&) const) {
    return [sessions, answer](const Request& request) { return (sessions.*answer)(request); };
  };
  const AnalyticsApi analytics(tracker, clock, outside.past);
  const auto of_past = [analytics](Reply (AnalyticsApi::*answer)(const Request&) const) {
    return [analytics, answer](const Request& request) { return (analytics.*answer)(request); };
  };
  const AlertsApi alerts(tracker, clock);
  const auto of_alerts = [alerts](Reply (AlertsApi::*answer)(const Request&) const) {
    return [alerts, answer](const Request& request) { return (alerts.*answer)(request); };
  };
  const auto get = Method::get, post = Method::post;
  std::vector<Route> table = {
      {get, "/metrics", Access::kRead,
       [&](const Request& r) { return answer_metrics(outside, r); }},
      {get, "/-/healthy", Access::kBoth,
       [](const Request&) { return plain_reply(200, "progress-agent is healthy.\n"); }},
      {get, "/-/ready", Access::kBoth, [&](const Request&) { return answer_ready(outside); }},
      {post, "/-/reload", Access::kChange, [&](const Request&) { return answer_reload(outside); }},
      {get, "/v1/status", Access::kRead,
       [&](const Request&) { return answer_status(outside, tracker, clock.now()); }},
      {get, "/v1/sessions", Access::kRead, of_sessions(&SessionsApi::list)},
      {get, "/v1/sessions/{id}", Access::kRead, of_sessions(&SessionsApi::session)},
      {get, "/v1/sessions/{id}/metrics", Access::kRead, of_sessions(&SessionsApi::metrics)},
      {get, "/v1/sessions/{id}/eta", Access::kRead, of_sessions(&SessionsApi::eta)},
      {get, "/v1/sessions/{id}/explain", Access::kRead, of_sessions(&SessionsApi::explain)},
      {get, "/v1/sessions/{id}/files", Access::kRead, of_sessions(&SessionsApi::files)},
      {get, "/v1/sessions/{id}/files/{file}", Access::kRead, of_sessions(&SessionsApi::file)},
      {get, "/v1/sessions/{id}/alerts", Access::kRead, of_alerts(&AlertsApi::of_session)},
      {get, "/v1/sessions/{id}/insights", Access::kRead, of_sessions(&SessionsApi::insights)},
      {get, "/v1/sessions/{id}/snapshots", Access::kRead, of_past(&AnalyticsApi::snapshots)},
      {get, "/v1/sessions/{id}/analytics", Access::kRead, of_past(&AnalyticsApi::analytics)},
      {get, "/v1/sessions/{id}/export", Access::kRead,
       [&](const Request& r) { return answer_export(tracker, r, clock.now()); }},
      {get, "/v1/families", Access::kRead, of_past(&AnalyticsApi::families)},
      {get, "/v1/families/{family}", Access::kRead, of_past(&AnalyticsApi::family)},
      {get, "/v1/sessions/{id}/validation", Access::kRead, of_sessions(&SessionsApi::validation)},
      {Method::delete_, "/v1/sessions/{id}", Access::kChange, of_sessions(&SessionsApi::stop)},
      {post, "/v1/sessions/cleanup", Access::kChange, of_sessions(&SessionsApi::clean_up)},
      {get, "/v1/alerts", Access::kRead, of_alerts(&AlertsApi::list)},
      {post, "/v1/alerts/{id}/dismiss", Access::kChange, of_alerts(&AlertsApi::dismiss)},
      {post, "/v1/validate", Access::kBoth,
       [](const Request& r) { return answer_validate(r.body); }},
      {post, "/v1/insights", Access::kBoth,
       [](const Request& r) { return answer_insights(r.body); }},
  };
  std::ranges::move(page_routes(), std::back_inserter(table));
  return table;
}

}  // namespace agent::web
