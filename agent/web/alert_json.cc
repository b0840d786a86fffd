#include "agent/web/alert_json.h"

namespace agent::web {

void write_alert(JsonWriter& json, const alert::Alert& alert) {
  json.begin_object();
  json.member("id", alert.id).known_text("session", alert.session).member("name", alert.name());
  json.member("severity", name_of(alert.severity)).member("state", name_of(alert.state));
  json.member("message", alert.message)
      .member("value", alert.value)
      .member("threshold", alert.threshold)
      .known_text("recommendation", alert.recommendation);
  // A pending one has not begun to fire: since when its condition holds.
  json.member("startsAt", alert.starts_at.value_or(alert.breached_at))
      .member("endsAt", alert.ends_at);
  json.member("dismissed", alert.dismissed);
  json.member("runbookUrl", alert.runbook_url);
  json.end_object();
}

std::string alert_change_json(const alert::Alert& alert, Instant at) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("at", at).member("reason", name_of(alert.reason)).key("alert");
  write_alert(json, alert);
  json.end_object();
  return out;
}

void write_active_alerts(JsonWriter& json, const progress::SessionSnapshot& session) {
  json.begin_array();
  if (session.alerts) {
    for (const alert::Alert& alert : session.alerts->current) {
      if (alert.active()) write_alert(json, alert);
    }
  }
  json.end_array();
}

}  // namespace agent::web
