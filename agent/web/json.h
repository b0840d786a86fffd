// What the API says, in JSON: snapshots as the contract's sections 4 and 5 write them. Used by the
// routes, the live feed, and `replay`, whose lines are those of GET /v1/sessions/{id}. Pure; any
// thread. Times are RFC 3339 in UTC, durations milliseconds; what is unknown, or not computed in
// the session's mode, is absent.
#pragma once

#include <span>
#include <string>

#include "agent/progress/files.h"
#include "agent/progress/insight.h"
#include "agent/progress/snapshot.h"
#include "agent/web/json_writer.h"

namespace agent::web {

// GET /v1/sessions/{id}, without a newline.
std::string session_json(const progress::SessionSnapshot& session);

void write_session(JsonWriter& json, const progress::SessionSnapshot& session);
void write_metrics(JsonWriter& json, const progress::SessionSnapshot& session);
// Only when there is an eta.
void write_eta(JsonWriter& json, const progress::SessionSnapshot& session);
void write_file(JsonWriter& json, const progress::FileSnapshot& file);
void write_insights(JsonWriter& json, std::span<const progress::Insight> insights);

}  // namespace agent::web
