// What commands say to whoever typed them: results on standard output, complaints on standard
// error. Main thread.
#pragma once

#include <string_view>

#include "agent/settings/fault.h"

namespace agent::cli {

// Writes all of it; kSuccess, or kFault when standard output takes no more (a full disk).
int print(std::string_view text);

// "progress-agent: MESSAGE" on standard error.
void complain(std::string_view message);
// A line on standard error as it is.
void complain_plainly(std::string_view line);

// Every fault of the configuration, a line each; kUsage.
int complain_of(const settings::Faults& faults);

}  // namespace agent::cli
