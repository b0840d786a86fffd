// Completion for bash, written from the tables of commands and settings. Pure; any thread.
#pragma once

#include <string>

namespace agent::cli {

// A script that defines what bash asks: commands, their flags, and the values of those that have a
// choice. It needs nothing but bash.
std::string bash_completion();

}  // namespace agent::cli
