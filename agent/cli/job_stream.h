// How commands that run beside a job (emit, run, pipe) reach the agent: which socket, and the
// client of agent/clients/cpp with its warnings in the program's own words. Main thread.
#pragma once

#include <string>

#include "agent/cli/command.h"
#include "agent/clients/cpp/progress_agent.h"

namespace agent::cli {

// For how long a job's end may wait for an agent: one that was never there, and one that is busy.
inline constexpr std::chrono::milliseconds kAgentWait{1000}, kAgentFarewell{3000};

// The agent's socket by the settings. A fault in them is complained of and does not fail the job:
// the default counts then.
std::string agent_socket(const Invocation& invocation);

progress_agent::Options job_stream(const std::string& socket);

}  // namespace agent::cli
