// What `serve` and `demo` have in common: from a command line to a running agent. Main thread.
#pragma once

#include <functional>

#include "agent/agent.h"
#include "agent/cli/command.h"

namespace agent::cli {

// Runs an agent with these settings until it has left. `started` is called once it is ready, with
// the agent about to run.
int run_agent(const settings::Settings& settings, const settings::Given& given,
              const std::function<void(Agent&)>& started = {});

}  // namespace agent::cli
