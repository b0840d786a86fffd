// The commands of progress-agent, as a table: what each is called, takes and does. The command
// line, `--help` and the reference come from it; a new command is a row and a function. Constant;
// main thread.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/settings/load.h"

namespace agent::cli {

// The process' exit codes; contract, section 1.
inline constexpr int kSuccess = 0, kFault = 1, kUsage = 2;

// What stands for a file's name in help; completion then offers files.
inline constexpr std::string_view kFileValue = "FILE";

// A flag of one command, besides the settings.
struct Option {
  std::string_view name;   // "--eta.log"
  std::string_view value;  // what stands for its value in help: "N"; empty: a switch
  std::string_view help;
  std::string_view standard = {};                  // the default; empty: none
  std::string_view alias = {};                     // another spelling of its name
  std::span<const std::string_view> choices = {};  // the only values it takes; empty: any
};

// One run of the program, as asked for.
struct Invocation {
  settings::Given given;                                    // flags and variables of the settings
  std::map<std::string, std::string, std::less<>> options;  // the command's own, defaults filled in
  std::vector<std::string> arguments;
  std::vector<std::string> wrapped;  // what follows "--": another program's command line

  [[nodiscard]] const std::string& option(std::string_view name) const {
    return options.find(name)->second;
  }
  [[nodiscard]] bool has(std::string_view name) const { return !option(name).empty(); }
};

struct Command {
  std::string_view name;
  std::string_view arguments;  // for help: "FILE...", "FILE|-"; empty: none
  std::string_view summary;
  std::size_t least_arguments, most_arguments;
  bool takes_settings;
  std::span<const Option> options;
  int (*run)(const Invocation&);                            // the exit code
  std::string_view remarks = {};                            // for its own help
  bool wraps = false;                                       // takes "-- COMMAND…"
  std::span<const std::string_view> argument_choices = {};  // for completion
};

// In the order of help; the first is what runs when none is named.
std::span<const Command> commands();
const Command* find_command(std::string_view name);

// Runs the program; the exit code. `arguments` are without the program's own name.
int run(std::vector<std::string> arguments);

// What the commands do.
int serve(const Invocation& invocation);
int demo(const Invocation& invocation);
int check_config(const Invocation& invocation);
int replay(const Invocation& invocation);
int emit(const Invocation& invocation);
int run_job(const Invocation& invocation);
int pipe_through(const Invocation& invocation);
int top(const Invocation& invocation);
int docs(const Invocation& invocation);

}  // namespace agent::cli
