#include "agent/cli/output.h"

#include <cstdio>

#include "agent/cli/command.h"

namespace agent::cli {

int print(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  return written && std::fflush(stdout) == 0 ? kSuccess : kFault;
}

void complain(std::string_view message) {
  std::fputs("progress-agent: ", stderr);
  complain_plainly(message);
}

void complain_plainly(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fputc('\n', stderr);
}

int complain_of(const settings::Faults& faults) {
  for (const settings::Fault& fault : faults) complain_plainly(fault.text());
  complain("the configuration is not valid: nothing was started");
  return kUsage;
}

}  // namespace agent::cli
