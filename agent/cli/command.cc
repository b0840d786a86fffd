#include "agent/cli/command.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>

#include "agent/cli/help.h"
#include "agent/cli/output.h"
#include "agent/cli/parse.h"
#include "agent/cli/version.h"

namespace agent::cli {
namespace {

constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();

constexpr std::array kDemoOptions = {
    Option{"--speed", "N", "how much faster than real time the samples run (0.1 to 1000)", "10"},
    Option{"--sessions", "N", "how many sessions run at a time (1 to 200)", "6"},
    Option{"--seed", "N", "the same seed gives the same samples", "1"},
};
constexpr std::array kReplayOptions = {
    Option{"--eta.log", "OUT", "write each session's predictions over time to this file", ""},
    Option{"--metrics.out", "OUT", "write the final exposition to this file", ""},
};
constexpr std::array kDocsOptions = {
    Option{"--format", "FORMAT", "of config: yaml (a file with every default) or markdown", "yaml"},
};

constexpr std::array kCommands = {
    Command{"serve", "", "run the agent", 0, 0, true, {}, serve},
    Command{"demo", "", "run the agent with sample sessions, to look around", 0, 0, true,
            kDemoOptions, demo},
    Command{"check-config",
            "FILE...",
            "check configuration files: every fault, with its place",
            1,
            kAny,
            false,
            {},
            check_config},
    Command{"replay", "FILE|-", "run recorded events through the agent in event time", 1, 1, true,
            kReplayOptions, replay},
    Command{"docs", "metrics|flags|config", "print reference text", 1, 1, false, kDocsOptions,
            docs},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  const auto command = std::ranges::find(kCommands, name, &Command::name);
  return command == kCommands.end() ? nullptr : &*command;
}

int run(std::vector<std::string> arguments) {
  const auto request = parse(std::move(arguments), settings::environment());
  if (!request) {
    complain(request.error().message);
    return kUsage;
  }
  switch (request->kind) {
    case Request::Kind::kHelp:
      return print(request->command ? help_of(*request->command) : help());
    case Request::Kind::kVersion:
      return print(version_text());
    case Request::Kind::kRun:
      return request->command->run(request->invocation);
  }
  return kUsage;
}

}  // namespace agent::cli
