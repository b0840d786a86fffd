// GET /v1/sessions/{id}/explain: why this ETA (method, inputs, weights, rate limits, past errors),
// why each alert fires or not, and what keeps progress from updating. Units as in json.h; errors
// are |foretold - true| / true total, logarithms natural. Pure; any thread.
#pragma once

#include "agent/clock.h"
#include "agent/tracker/tracker.h"
#include "agent/web/json_writer.h"

namespace agent::web {

// The answer's object. `now`: the agent's clock, for the age of the last event.
void write_explanation(JsonWriter& json, const tracker::Explained& explained, Now now);

}  // namespace agent::web
