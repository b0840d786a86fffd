#include "agent/cli/job_stream.h"

#include "agent/cli/output.h"

namespace agent::cli {

std::string agent_socket(const Invocation& invocation) {
  const auto settings = settings::load(invocation.given);
  if (settings) return settings->ingest.socket;
  for (const settings::Fault& fault : settings.error()) complain_plainly(fault.text());
  return settings::Settings{}.ingest.socket;
}

progress_agent::Options job_stream(const std::string& socket) {
  progress_agent::Options options;
  options.socket = socket;
  options.wait = kAgentWait;
  options.farewell = kAgentFarewell;
  options.warn = [](const std::string& text) { complain(text); };
  return options;
}

}  // namespace agent::cli
