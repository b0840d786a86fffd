// The command line as typed, to what is asked for. Isolates CLI11. Pure but for its arguments; main
// thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "agent/cli/command.h"
#include "agent/result.h"

namespace agent::cli {

struct Request {
  enum class Kind : std::uint8_t { kRun, kHelp, kVersion };
  Kind kind = Kind::kRun;
  const Command* command = nullptr;  // of kHelp: null for help on everything
  Invocation invocation;
};

// The error says what is wrong with the command line and, where it can, what was meant. Values of
// settings are not looked at here.
Result<Request> parse(std::vector<std::string> arguments,
                      std::vector<std::pair<std::string, std::string>> variables);

}  // namespace agent::cli
