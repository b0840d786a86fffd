// What GET /v1/status shows: how storage, queues and notifications fare, and the configuration in
// force, every key with its value, secrets hidden, and who set it. And what `systemctl status`
// shows. Pure; any thread.
#pragma once

#include <optional>
#include <vector>

#include "agent/history/writer.h"
#include "agent/metrics/agent_counts.h"
#include "agent/notify/notifier.h"
#include "agent/settings/settings.h"
#include "agent/tracker/tracker.h"
#include "agent/web/json_writer.h"

namespace agent::cli {

// The member "storage". Empty: memory only.
void write_storage(web::JsonWriter& json, const std::optional<history::WriterState>& state);

// The member "queues": what waits to go out, and what found no place on its way.
void write_queues(web::JsonWriter& json, const metrics::AgentCounts& counts);

// {"notifications":[{"target","lastSuccess"?,"lastError"?}]}, as a member.
void write_notifications(web::JsonWriter& json, const std::vector<notify::TargetStatus>& targets);

// Two members of an object: "configuration", nested as in the file, and "sources", by key, of those
// that do not have their default.
void write_configuration(web::JsonWriter& json, const settings::Settings& settings);

// "3 sessions running, 12 over".
std::string status_line(const tracker::Totals& totals);

}  // namespace agent::cli
