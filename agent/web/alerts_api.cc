#include "agent/web/alerts_api.h"

#include <algorithm>
#include <vector>

#include "agent/web/alert_json.h"
#include "agent/web/window.h"

namespace agent::web {
namespace {

using alert::Alert;

// Where an alert has its place in the list: by session, then by rule.
constexpr std::uint64_t kRulesBits = 8;

void collect(const alert::Standing* standing, std::uint64_t serial, const Window& window,
             std::vector<std::pair<std::uint64_t, const Alert*>>& into) {
  if (standing == nullptr) return;
  for (const Alert& alert : standing->current) {
    const std::uint64_t place = (serial << kRulesBits) + alert.rule;
    if (alert.active() && place >= window.cursor) into.emplace_back(place, &alert);
  }
}

}  // namespace

Reply AlertsApi::list(const Request& request) const {
  const auto window = window_of(request);
  if (!window) return window.error();
  const View view = tracker_.view(clock_.now());
  std::vector<std::pair<std::uint64_t, const Alert*>> page;
  collect(view.own_alerts.get(), 0, *window, page);
  for (const auto& session : view.sessions) {
    if (page.size() > window->limit) break;
    collect(session->alerts.get(), session->serial, *window, page);
  }
  std::optional<std::uint64_t> next;
  if (page.size() > window->limit) {
    next = page[window->limit].first;
    page.resize(window->limit);
  }
  return list_reply(page, next,
                    [](JsonWriter& json, const auto& item) { write_alert(json, *item.second); });
}

Reply AlertsApi::of_session(const Request& request) const {
  const auto window = window_of(request);
  if (!window) return window.error();
  const std::string& id = request.target.segments[2];
  const auto session = tracker_.session(id, clock_.now());
  if (!session) return error_reply(404, "unknown_session", "no session '" + id + "' is known");
  if (!session->identity->config.performance_alerts)
    return not_enabled(*session, "alerts", progress::Mode::kEnhanced);
  std::vector<const Alert*> page;
  if (session->alerts) {
    for (const Alert& alert : session->alerts->current) page.push_back(&alert);
    for (const Alert& alert : session->alerts->resolved) page.push_back(&alert);
  }
  page.erase(page.begin(),
             page.begin() + static_cast<std::ptrdiff_t>(std::min(window->cursor, page.size())));
  std::optional<std::uint64_t> next;
  if (page.size() > window->limit) {
    next = window->cursor + window->limit;
    page.resize(window->limit);
  }
  return list_reply(page, next,
                    [](JsonWriter& json, const Alert* alert) { write_alert(json, *alert); });
}

Reply AlertsApi::dismiss(const Request& request) const {
  const std::string& id = request.target.segments[2];
  const auto dismissed = tracker_.dismiss(id);
  if (!dismissed) {
    return error_reply(404, "unknown_alert",
                       "no active alert has the id '" + id + "'; GET /v1/alerts lists them");
  }
  return json_reply_of([&](JsonWriter& json) { write_alert(json, *dismissed); });
}

}  // namespace agent::web
