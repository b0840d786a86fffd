// Push: the last resort for final values, when no scraper came for them: puts one page to a
// Pushgateway. Used by the agent as it leaves. Blocks: for a thread of its own.
#pragma once

#include <string>
#include <string_view>

#include "agent/notify/target.h"
#include "agent/result.h"

namespace agent::notify {

// Replaces what the gateway has of this agent: the group {job="progress-agent", instance}. `page`
// is in the text format. Error: what the gateway said, or why it was not reached within the
// endpoint's timeout.
Result<void> push(const Endpoint& gateway, std::string_view instance, std::string page);

}  // namespace agent::notify
