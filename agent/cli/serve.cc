#include "agent/cli/serve.h"

#include <string>

#include "agent/cli/eta_model.h"
#include "agent/cli/gates.h"
#include "agent/cli/output.h"
#include "agent/cli/sandbox.h"
#include "agent/cli/trim.h"
#include "agent/cli/version.h"
#include "agent/log/log.h"
#include "agent/settings/values.h"

namespace agent::cli {
namespace {

void warn_of(const settings::Given& given) {
  for (const settings::Fault& fault : settings::unknown_variables(given)) {
    log::warn("unknown environment variable", {{"fault", fault.text()}});
  }
  for (const auto& [flag, value] : given.flags) {
    if (value.find("://") != std::string::npos && settings::redact_url(value, false) != value)
      log::warn(
          "everybody on this machine can read a password in a flag: use the file or the "
          "environment",
          {{"flag", flag}});
  }
}

}  // namespace

int run_agent(const settings::Settings& settings, const settings::Given& given,
              const std::function<void(Agent&)>& started) {
  log::configure(settings.log.level, settings.log.format);
  warn_of(given);
  auto model = load_eta_model(settings);
  if (!model) {
    complain_plainly(model.error().message);
    return kUsage;
  }
  auto gates = open_gates(settings);
  if (!gates) return complain_of(gates.error());
  Agent agent(settings, given, build(), *std::move(model), *std::move(gates));
  if (const auto ready = agent.start(); !ready) {
    log::error("cannot start", {{"fault", ready.error().message}});
    return kFault;
  }
  if (settings.security.seccomp) {
    if (const auto entered = enter_sandbox(); !entered)
      log::info("not sandboxed", {{"why", entered.error().message}});
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
