// `check-config FILE...`: every fault of every file, or that there is none.
#include "agent/access/gate.h"
#include "agent/cli/command.h"
#include "agent/cli/output.h"

namespace agent::cli {
namespace {

// A file of access rules is known by its keys; what it names is looked at, too, as at the start.
settings::Faults faults_of(const std::string& path) {
  const settings::Document document = settings::read_document(path);
  if (const auto schema = access::schema_of(document)) {
    const access::DigestKey key;
    const auto gate = access::Gate::open({path, *schema}, key);
    return gate ? settings::Faults() : gate.error();
  }
  // Only what is in the file: flags and environment differ where it will run.
  const auto settings = settings::from(&document, {});
  return settings ? settings::Faults() : settings.error();
}

}  // namespace

int check_config(const Invocation& invocation) {
  int code = kSuccess;
  for (const std::string& path : invocation.arguments) {
    const settings::Faults faults = faults_of(path);
    if (faults.empty() && print(path + ": ok\n") == kSuccess) continue;
    code = kFault;
    for (const settings::Fault& fault : faults) complain_plainly(fault.text());
  }
  return code;
}

}  // namespace agent::cli
