#include "agent/cli/serve.h"

#include <array>
#include <string>

#include "agent/cli/eta_model.h"
#include "agent/cli/output.h"
#include "agent/cli/trim.h"
#include "agent/cli/version.h"
#include "agent/log/log.h"

namespace agent::cli {
namespace {

// Keys whose part of the agent does not exist yet. Without it the agent would be open where it was
// told to be closed: it does not start.
constexpr std::array<std::string_view, 2> kProtections = {"web.config.file", "ingest.config.file"};

int refuse_unprotected(const settings::Settings& settings) {
  for (const std::string_view key : kProtections) {
    const auto origin = settings.sources.find(key);
    if (origin == settings.sources.end()) continue;
    complain_plainly(origin->second.text() + ": " + std::string(key) +
                     ": TLS and authentication are not supported by this version; it does not "
                     "start without what it was told to protect itself with");
    return kUsage;
  }
  return kSuccess;
}

void warn_of(const settings::Given& given) {
  for (const settings::Fault& fault : settings::unknown_variables(given)) {
    log::warn("unknown environment variable", {{"fault", fault.text()}});
  }
}

}  // namespace

int run_agent(const settings::Settings& settings, const settings::Given& given,
              const std::function<void(Agent&)>& started) {
  if (const int code = refuse_unprotected(settings); code != kSuccess) return code;
  log::configure(settings.log.level, settings.log.format);
  warn_of(given);
  auto model = load_eta_model(settings);
  if (!model) {
    complain_plainly(model.error().message);
    return kUsage;
  }
  Agent agent(settings, given, build(), *std::move(model));
  if (const auto ready = agent.start(); !ready) {
    log::error("cannot start", {{"fault", ready.error().message}});
    return kFault;
  }
  trim_memory();
  if (started) started(agent);
  agent.run();
  return kSuccess;
}

int serve(const Invocation& invocation) {
  const auto settings = settings::load(invocation.given);
  if (!settings) return complain_of(settings.error());
  return run_agent(*settings, invocation.given);
}

}  // namespace agent::cli
