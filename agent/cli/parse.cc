#include "agent/cli/parse.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <span>
#include <string_view>

#include "agent/settings/nearest.h"
#include "agent/settings/table.h"

namespace agent::cli {
namespace {

using std::string_view;

// CLI11's view of the tables: the settings' flags belong to the program, every command's own to it.
struct Grammar {
  CLI::App app;
  CLI::Option* version = nullptr;
  std::vector<std::pair<std::string, CLI::Option*>> settings;
  std::vector<std::pair<const Command*, CLI::App*>> commands;

  Grammar() {
    app.set_help_flag();
    app.allow_extras();
    version = app.add_flag("--version,-V");
    app.add_flag("--help,-h");
    for (const settings::Row& row : settings::rows()) {
      if (!settings::has_flag(row)) continue;
      const std::string flag = settings::flag_of(row);
      settings.emplace_back(flag,
                            settings::is_switch(row) ? switch_of(app, flag) : value_of(app, flag));
    }
    for (const Command& command : cli::commands()) commands.emplace_back(&command, add(command));
  }

  // "--no-" before its name turns it off, as with Prometheus' programs.
  static CLI::Option* switch_of(CLI::App& to, const std::string& flag) {
    return to.add_flag(flag + ",!--no-" + flag.substr(2));
  }

  // An option with one value each time it is given.
  static CLI::Option* value_of(CLI::App& to, const std::string& flag) {
    return to.add_option(flag)
        ->expected(1, CLI::detail::expected_max_vector_size)
        ->allow_extra_args(false);
  }

  CLI::App* add(const Command& command) {
    CLI::App* sub = app.add_subcommand(std::string(command.name));
    sub->set_help_flag();
    sub->allow_extras();
    sub->fallthrough(command.takes_settings);
    sub->add_flag("--help,-h");
    for (const Option& option : command.options) {
      std::string names(option.name);
      if (!option.alias.empty()) names += "," + std::string(option.alias);
      if (option.value.empty()) {
        sub->add_flag(names);
      } else {
        value_of(*sub, names);
      }
    }
    return sub;
  }
};

// CLI11 would take the argument after "--flag=" for its value.
std::vector<std::string> with_empty_values(std::vector<std::string> arguments) {
  std::vector<std::string> out;
  for (std::string& argument : arguments) {
    const bool is_empty_value = argument.starts_with("--") && argument.ends_with('=') &&
                                argument.find('=') + 1 == argument.size();
    if (is_empty_value) argument.pop_back();
    out.push_back(std::move(argument));
    if (is_empty_value) out.emplace_back();
  }
  return out;
}

// The words for these flags that people try first.
void take_for_flags(std::vector<std::string>& arguments) {
  if (arguments.empty()) return;
  if (arguments[0] == "version") arguments[0] = "--version";
  if (arguments[0] != "help") return;
  arguments.erase(arguments.begin());
  arguments.emplace_back("--help");
}

std::string did_you_mean(string_view name, const std::vector<std::string>& candidates) {
  const std::vector<string_view> views(candidates.begin(), candidates.end());
  const string_view near = settings::nearest(name, views);
  return near.empty() ? "" : " (did you mean \"" + std::string(near) + "\"?)";
}

// The flags that may be given with a command.
std::vector<std::string> flags_with(const Grammar& grammar, const Command& command) {
  std::vector<std::string> out = {"--help", "--version"};
  for (const Option& option : command.options) out.emplace_back(option.name);
  if (!command.takes_settings) return out;
  for (const auto& [flag, option] : grammar.settings) out.push_back(flag);
  return out;
}

std::vector<std::string> command_names() {
  std::vector<std::string> out;
  for (const Command& command : commands()) out.emplace_back(command.name);
  return out;
}

std::string see_help(const Command& command, bool is_named) {
  return "; see progress-agent " + (is_named ? std::string(command.name) + " " : "") + "--help";
}

// What to say of something nobody asked for.
Error unexpected(const Grammar& grammar, const Command& command, bool is_named, string_view what) {
  if (!what.starts_with('-')) {
    const std::string quoted = "\"" + std::string(what) + "\"";
    if (is_named && command.wraps) {
      return {std::string(command.name) + ": unexpected argument " + quoted +
              ": what to run stands behind --, as in progress-agent " + std::string(command.name) +
              " --session=NAME -- " + std::string(what)};
    }
    if (is_named) return {std::string(command.name) + ": unexpected argument " + quoted};
    return {"there is no command " + quoted + did_you_mean(what, command_names()) +
            "; see progress-agent --help"};
  }
  const string_view flag = what.substr(0, what.find('='));
  const bool is_setting = std::ranges::any_of(
      grammar.settings, [&](const auto& setting) { return setting.first == flag; });
  const std::string of = is_named ? " of " + std::string(command.name) : "";
  const std::string is_none = std::string(flag) + " is no flag" + of;
  if (is_setting) return {is_none + ": it belongs to the commands that run the agent"};
  const std::string meant = did_you_mean(flag, flags_with(grammar, command));
  return {is_none + (meant.empty() ? see_help(command, is_named) : meant)};
}

const std::pair<const Command*, CLI::App*>* named_command(const Grammar& grammar) {
  const auto named = std::ranges::find_if(grammar.commands,
                                          [](const auto& entry) { return entry.second->parsed(); });
  return named == grammar.commands.end() ? nullptr : &*named;
}

// Whether a value is one of its choices, if it has any; `what` it is of, for the fault.
Result<void> check_choice(const std::string& what, std::span<const string_view> choices,
                          const std::string& value) {
  if (choices.empty() || std::ranges::find(choices, value) != choices.end()) return {};
  const std::vector<std::string> all(choices.begin(), choices.end());
  std::string listed;
  for (const std::string& choice : all) listed += (listed.empty() ? "" : ", ") + choice;
  return failure(what + ": \"" + value + "\" is none of " + listed + did_you_mean(value, all));
}

Result<void> take_options(const Command& command, const CLI::App& parsed, Invocation& out) {
  for (const Option& option : command.options) {
    const auto values = parsed.get_option(std::string(option.name))->results();
    if (values.size() > 1) return failure(std::string(option.name) + " is given twice");
    if (!values.empty()) {
      const std::string what = std::string(command.name) + ": " + std::string(option.name);
      if (auto good = check_choice(what, option.choices, values[0]); !good) return good;
    }
    out.options.emplace(option.name, values.empty() ? std::string(option.standard) : values[0]);
  }
  return {};
}

Result<void> take_arguments(const Command& command, std::vector<std::string> rest,
                            Invocation& out) {
  const std::string name(command.name);
  if (rest.size() < command.least_arguments) {
    return failure(name + ": needs " + std::string(command.arguments) + see_help(command, true));
  }
  if (rest.size() > command.most_arguments) {
    return failure(name + ": unexpected argument \"" + rest[command.most_arguments] + "\"");
  }
  for (const std::string& argument : rest) {
    if (argument == "-") continue;  // standard input
    if (auto good = check_choice(name, command.argument_choices, argument); !good) return good;
  }
  out.arguments = std::move(rest);
  return {};
}

// `behind` is what follows "--".
Result<Request> interpret(const Grammar& grammar, std::vector<std::string> behind) {
  const auto* named = named_command(grammar);
  Request request;
  request.command = named ? named->first : &commands().front();
  const CLI::App& parsed = named ? *named->second : grammar.app;
  if (parsed.count("--help") > 0 || grammar.app.count("--help") > 0) {
    const std::vector<std::string> unknown = grammar.app.remaining(true);
    if (!named && !unknown.empty() && !unknown[0].starts_with('-'))
      return failure(unexpected(grammar, *request.command, false, unknown[0]));
    return Request{Request::Kind::kHelp, named ? named->first : nullptr, {}};
  }
  if (grammar.version->count() > 0) return Request{Request::Kind::kVersion, nullptr, {}};

  std::vector<std::string> rest = grammar.app.remaining(true);
  const auto flag = std::ranges::find_if(
      rest, [](const std::string& text) { return text.size() > 1 && text[0] == '-'; });
  const bool takes_rest = named && named->first->most_arguments > 0;
  if (flag != rest.end() || (!takes_rest && !rest.empty())) {
    return failure(unexpected(grammar, *request.command, named != nullptr,
                              flag != rest.end() ? *flag : rest[0]));
  }
  if (named) {
    if (auto taken = take_options(*request.command, parsed, request.invocation); !taken) {
      return failure(std::move(taken).error());
    }
  }
  if (request.command->wraps) {
    request.invocation.wrapped = std::move(behind);
  } else {
    std::ranges::move(behind, std::back_inserter(rest));
  }
  if (auto taken = take_arguments(*request.command, std::move(rest), request.invocation); !taken) {
    return failure(std::move(taken).error());
  }
  for (const auto& [name, option] : grammar.settings) {
    for (const std::string& value : option->results()) {
      if (!request.command->takes_settings)
        return failure(unexpected(grammar, *request.command, true, name));
      request.invocation.given.flags.emplace_back(name, value);
    }
  }
  return request;
}

}  // namespace

Result<Request> parse(std::vector<std::string> arguments,
                      std::vector<std::pair<std::string, std::string>> variables) {
  Grammar grammar;
  // What follows "--" is no flag of ours.
  const auto end = std::ranges::find(arguments, "--");
  std::vector<std::string> behind(end == arguments.end() ? end : end + 1, arguments.end());
  arguments.erase(end, arguments.end());
  try {
    take_for_flags(arguments);
    arguments = with_empty_values(std::move(arguments));
    std::ranges::reverse(arguments);  // CLI11 takes them from the back
    grammar.app.parse(std::move(arguments));
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string text = error.what();  // "--flag: 1 required …"
    return failure(text.substr(0, text.find(':')) + " needs a value");
  } catch (const CLI::ParseError& error) {
    return failure(std::string(error.what()));
  }
  auto request = interpret(grammar, std::move(behind));
  if (request) request->invocation.given.variables = std::move(variables);
  return request;
}

}  // namespace agent::cli
