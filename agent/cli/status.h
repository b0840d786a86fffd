// The configuration in force, as GET /v1/status shows it: every key with its value, secrets hidden,
// and who set it. Pure; any thread.
#pragma once

#include "agent/settings/settings.h"
#include "agent/web/json_writer.h"

namespace agent::cli {

// Two members of an object: "configuration", nested as in the file, and "sources", by key, of those
// that do not have their default.
void write_configuration(web::JsonWriter& json, const settings::Settings& settings);

}  // namespace agent::cli
