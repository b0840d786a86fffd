// Points in time as text. Pure; any thread.
#pragma once

#include <string>

#include "agent/clock.h"

namespace agent::web {

// RFC 3339 in UTC with milliseconds: "2026-01-05T09:00:00.250Z". Years outside 0000-9999, which it
// cannot write, become the nearest moment it can.
std::string rfc3339(Instant time);

// As HTTP's Date field has it: "Mon, 05 Jan 2026 09:00:00 GMT".
std::string http_date(Instant time);

}  // namespace agent::web
