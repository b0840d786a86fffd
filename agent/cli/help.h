// `--help`, written from the tables of commands and settings. Pure; any thread.
#pragma once

#include <string>

#include "agent/cli/command.h"

namespace agent::cli {

std::string usage_of(const Command& command);  // "progress-agent replay [FLAG...] FILE|-"
std::string help();                            // all commands, and how to go on
std::string help_of(const Command& command);   // one command with all its flags

}  // namespace agent::cli
