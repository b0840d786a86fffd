#include "agent/cli/gates.h"

#include <array>
#include <utility>

#include "agent/log/log.h"

namespace agent::cli {

using settings::Fault;
using settings::Faults;

bool Gates::reload() {
  bool all_good = true;
  for (access::Gate* gate : {web.get(), ingest.get()}) {
    if (gate == nullptr) continue;
    const auto reloaded = gate->reload();
    all_good = all_good && reloaded;
    if (reloaded) continue;
    for (const Fault& fault : reloaded.error())
      log::error("configuration fault", {{"fault", fault.text()}});
  }
  return all_good;
}

bool Gates::are_current() const {
  return (!web || web->is_current()) && (!ingest || ingest->is_current());
}

Result<std::unique_ptr<Gates>, Faults> open_gates(const settings::Settings& settings) {
  auto gates = std::make_unique<Gates>();
  Faults faults;
  const auto open = [&](access::GateSettings gate, std::shared_ptr<access::Gate>& into) {
    if (gate.path.empty()) return;
    auto opened = access::Gate::open(std::move(gate), gates->key);
    if (opened)
      into = *std::move(opened);
    else
      faults.insert(faults.end(), opened.error().begin(), opened.error().end());
  };
  const settings::Ingest& ingest = settings.ingest;
  const bool is_exposed = !ingest.listen_address.is_loopback() && !ingest.allow_remote;
  open({settings.web.config_file, access::Schema::kWeb, false}, gates->web);
  open({ingest.config_file, access::Schema::kIngest, is_exposed}, gates->ingest);
  if (!faults.empty()) return failure(std::move(faults));
  return gates;
}

}  // namespace agent::cli
