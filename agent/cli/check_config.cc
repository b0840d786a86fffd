// `check-config FILE...`: every fault of every file, or that there is none.
#include "agent/cli/command.h"
#include "agent/cli/output.h"

namespace agent::cli {

int check_config(const Invocation& invocation) {
  int code = kSuccess;
  for (const std::string& path : invocation.arguments) {
    const settings::Document document = settings::read_document(path);
    // Only what is in the file: flags and environment differ where it will run.
    const auto settings = settings::from(&document, {});
    if (settings) {
      if (print(path + ": ok\n") != kSuccess) code = kFault;
      continue;
    }
    code = kFault;
    for (const settings::Fault& fault : settings.error()) complain_plainly(fault.text());
  }
  return code;
}

}  // namespace agent::cli
