// Export: everything known of one session. As JSON, its object with all its files; as CSV, a row
// for each file; as NDJSON, events that tell it again: replayed, they give the same totals. Event
// loop only.
#pragma once

#include "agent/clock.h"
#include "agent/tracker/tracker.h"
#include "agent/web/reply.h"
#include "agent/web/request.h"

namespace agent::web {

// GET /v1/sessions/{id}/export?format=json|ndjson|csv
Reply answer_export(tracker::Tracker& tracker, const Request& request, Now now);

}  // namespace agent::web
