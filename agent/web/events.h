// POST /v1/events: from an HTTP body to the reply that says what became of each event. Event loop
// only.
#pragma once

#include <functional>

#include "agent/clock.h"
#include "agent/web/durability.h"
#include "agent/web/routes.h"
#include "agent/wire/intake.h"

namespace agent::web {

// The route. `ready`: false while the agent stops, and takes no more events. `durability`: what
// replies wait for; null: nothing.
Route events_route(wire::Intake& intake, const Clock& clock, std::function<bool()> ready,
                   std::size_t max_body_bytes, Durability* durability = nullptr);

}  // namespace agent::web
