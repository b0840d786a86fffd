// Alerts in JSON, as the contract's section 5 writes them. Used by the routes and with every
// session. Pure; any thread.
#pragma once

#include <string>

#include "agent/alert/alert.h"
#include "agent/clock.h"
#include "agent/progress/snapshot.h"
#include "agent/web/json_writer.h"

namespace agent::web {

void write_alert(JsonWriter& json, const alert::Alert& alert);
// {"at","reason","alert":{}}: one that changed its state.
std::string alert_change_json(const alert::Alert& alert, Instant at);
// The active ones of a session, as an array.
void write_active_alerts(JsonWriter& json, const progress::SessionSnapshot& session);

}  // namespace agent::web
