// Rules that hold between settings: each value is good, but not with the others. Pure; any thread.
#pragma once

#include <set>
#include <string>

#include "agent/settings/fault.h"
#include "agent/settings/settings.h"

namespace agent::settings {

// Adds what is wrong to `faults`, at the origin of a key that was set. A rule about one of the
// `faulty` keys, whose values are unknown, says nothing.
void check_together(const Settings& settings, const std::set<std::string, std::less<>>& faulty,
                    Faults& faults);

}  // namespace agent::settings
