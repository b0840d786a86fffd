// The manual page, written from the tables of commands and settings. Pure; any thread.
#pragma once

#include <string>

namespace agent::cli {

// progress-agent(1), for `man` to format.
std::string manual();

}  // namespace agent::cli
