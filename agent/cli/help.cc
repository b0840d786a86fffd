#include "agent/cli/help.h"

#include "agent/settings/prose.h"
#include "agent/settings/table.h"

namespace agent::cli {
namespace {

using std::string_view;

constexpr std::size_t kColumns = 96;

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

// A term in one column, what it means in the next.
void add_term(std::string& out, const std::string& term, string_view meaning, std::size_t width) {
  bool is_first = term.size() + 4 <= width;
  if (!is_first) out += "  " + term + "\n";
  for (const std::string& line : settings::wrap(meaning, kColumns - width)) {
    out += (is_first ? "  " + padded(term, width - 2) : std::string(width, ' ')) + line + "\n";
    is_first = false;
  }
}

void add_options(std::string& out, const Command& command) {
  if (command.options.empty()) return;
  out += "\nFlags of " + std::string(command.name) + ":\n";
  for (const Option& option : command.options) {
    std::string help(option.help);
    if (!option.standard.empty()) help += "; default " + std::string(option.standard);
    std::string term(option.name);
    if (!option.value.empty()) term += "=" + std::string(option.value);
    add_term(out, term, help, 30);
  }
}

std::string term_of(const settings::Row& row) {
  const std::string flag = settings::flag_of(row);
  if (settings::is_switch(row)) return flag;
  const std::string standard = settings::default_of(row);
  return flag + "=" + (standard.empty() ? "\"\"" : standard);
}

std::string meaning_of(const settings::Row& row) {
  const std::string type = settings::type_of(row), range = settings::range_of(row);
  const bool is_choice = !settings::is_switch(row) && type.find('|') != std::string::npos;
  std::string out(row.help);
  if (is_choice) out += " (" + type + ")";
  if (!range.empty() && row.range.greatest < 1e9) out += " (" + range + ")";
  return out;
}

void add_settings(std::string& out) {
  out +=
      "\nFlags of serve. Each is also an environment variable, shown below it, and (without its "
      "dashes\n"
      "and with _ for -) a key of the configuration file. The flag wins over the environment, the\n"
      "environment over the file, the file over the default shown. Lists are separated by "
      "commas.\n";
  string_view section;
  for (const settings::Row& row : settings::rows()) {
    if (!settings::has_flag(row)) continue;
    const string_view own = row.key.substr(0, row.key.find('.'));
    if (own != section) out += "\n" + std::string(settings::section_help(own)) + "\n";
    section = own;
    out += "  " + term_of(row) + "\n";
    for (const std::string& line : settings::wrap(meaning_of(row), kColumns - 8)) {
      out += "        " + line + "\n";
    }
    out += "        $" + settings::variable_of(row) + "\n";
  }
}

}  // namespace

std::string usage_of(const Command& command) {
  std::string out = "progress-agent " + std::string(command.name);
  if (command.takes_settings || !command.options.empty()) out += " [FLAG...]";
  if (!command.arguments.empty()) out += " " + std::string(command.arguments);
  if (command.wraps) out += " -- COMMAND [ARGUMENT...]";
  return out;
}

std::string help() {
  std::string out =
      "progress-agent: progress, ETAs and alerts of batch jobs, for Prometheus.\n\n"
      "Usage: progress-agent [COMMAND] [FLAG...]\n\nCommands:\n";
  for (const Command& command : commands()) {
    const std::string arguments(command.arguments);
    add_term(out, std::string(command.name) + (arguments.empty() ? "" : " " + arguments),
             command.summary, 30);
  }
  out +=
      "\nWithout a command the agent runs (serve).\n"
      "  progress-agent COMMAND --help    what a command takes; so does help COMMAND\n"
      "  progress-agent --version         version, revision, compiler, libraries\n\n"
      "A first look:\n"
      "  progress-agent demo              then open http://localhost:19900/\n";
  add_settings(out);
  return out;
}

std::string help_of(const Command& command) {
  std::string out = "progress-agent " + std::string(command.name) + ": " +
                    std::string(command.summary) + ".\n\nUsage: " + usage_of(command) + "\n";
  add_options(out, command);
  const bool is_serve = &command == &commands().front();
  if (is_serve) {
    add_settings(out);
  } else if (command.takes_settings) {
    out += "\nThe flags of serve are taken too: see progress-agent serve --help.\n";
  }
  if (!command.remarks.empty()) out += "\n" + std::string(command.remarks);
  return out;
}

}  // namespace agent::cli
