// How much of its own limits the agent uses: what is told on /metrics, and what AgentNearLimit
// looks at. Event loop only.
#pragma once

#include <vector>

#include "agent/alert/rule.h"
#include "agent/metrics/agent_counts.h"
#include "agent/settings/settings.h"
#include "agent/tracker/tracker.h"

namespace agent::cli {

std::vector<metrics::LimitUse> limits_used(const settings::Settings& settings,
                                           const tracker::Totals& totals);
// The fullest of them; the rest of the health is as it was.
void note_fullest(const std::vector<metrics::LimitUse>& limits, alert::AgentHealth& health);

}  // namespace agent::cli
