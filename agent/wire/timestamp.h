// RFC 3339 timestamps, as `ts`, `deadline` and `resetAt` may carry them. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "agent/clock.h"

namespace agent::wire {

// `2026-01-05T09:00:00.25+01:00`: date, `T` or a space, time, optional fraction of any length (kept
// to the microsecond), `Z` or an offset. Empty when it is anything else: a zone is never guessed. A
// leap second counts as the first second of the next minute.
[[nodiscard]] std::optional<Instant> parse_rfc3339(std::string_view text);

}  // namespace agent::wire
