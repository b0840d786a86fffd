#include "agent/cli/completion.h"

#include <algorithm>
#include <string_view>

#include "agent/cli/command.h"
#include "agent/settings/table.h"

namespace agent::cli {
namespace {

using std::string_view;

// What the functions of the tables answer where the choice is any file.
constexpr string_view kAnyFile = "@file";

constexpr string_view kIntroduction =
    R"(# Completion of progress-agent for bash; `progress-agent docs completion` writes it. Source it, or
# save it as progress-agent in /usr/share/bash-completion/completions.

)";

// The part that knows no command: it asks the functions above it.
constexpr string_view kLogic = R"(
# Whether the flag $2 of the command $1 takes a value.
_progress_agent_takes_value() {
  [[ " $(_progress_agent_flags "$1") " == *" $2= "* ]]
}

# Sets `command` and, behind "--", `wrapped`: how many words of another command there are.
_progress_agent_look_back() {
  local i word last=''
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $word == -- ]]; then
      wrapped=$((COMP_CWORD - i))
      return
    elif [[ -z $command && $last != '=' ]] && ! _progress_agent_takes_value '' "$last" &&
      [[ " $(_progress_agent_arguments '') " == *" $word "* ]]; then
      command=$word
    fi
    last=$word
  done
}

_progress_agent() {
  local current=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' flag='' stem='' words wrapped=0
  _progress_agent_look_back
  # Bash takes "--flag=value" for three words, unless it was told otherwise.
  if [[ $current == '=' ]]; then
    flag=$last current=''
  elif [[ $last == '=' ]]; then
    flag=${COMP_WORDS[COMP_CWORD - 2]}
  elif [[ $current == --*=* ]]; then
    flag=${current%%=*} stem=$flag= current=${current#*=}
  elif _progress_agent_takes_value "$command" "$last"; then
    flag=$last
  fi
  if ((wrapped == 1)); then
    words=@command
  elif ((wrapped > 1)); then
    words=@file
  elif [[ -n $flag ]]; then
    words=$(_progress_agent_values "$command" "$flag")
  elif [[ $current == -* ]]; then
    words=$(_progress_agent_flags "$command")
  else
    words=$(_progress_agent_arguments "$command")
  fi
  case $words in
    @file)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -P "$stem" -f -- "$current")
      ;;
    @command) mapfile -t COMPREPLY < <(compgen -c -- "$current") ;;
    *) mapfile -t COMPREPLY < <(compgen -P "$stem" -W "$words" -- "$current") ;;
  esac
  if [[ ${COMPREPLY[0]-} == *= ]]; then compopt -o nospace 2>/dev/null; fi
}

complete -F _progress_agent progress-agent
)";

void add_word(std::string& out, string_view word, string_view behind = "") {
  if (!out.empty()) out += ' ';
  out.append(word).append(behind);
}

std::string words_of(std::span<const string_view> choices) {
  std::string out;
  for (const string_view choice : choices) add_word(out, choice);
  return out;
}

// A line of a `case`: what is answered to `pattern`. Nothing, when there is nothing to answer.
std::string answer(string_view pattern, string_view words) {
  if (words.empty()) return {};
  return "    " + std::string(pattern) + ") echo '" + std::string(words) + "' ;;\n";
}

std::string function(string_view name, string_view asked, const std::string& answers) {
  return "\n_progress_agent_" + std::string(name) + "() {\n  case " + std::string(asked) + " in\n" +
         answers + "  esac\n}\n";
}

std::string flags_of_settings() {
  std::string out;
  for (const settings::Row& row : settings::rows()) {
    if (settings::has_flag(row))
      add_word(out, settings::flag_of(row), settings::is_switch(row) ? "" : "=");
  }
  return out;
}

// The command line without a command is that of the first.
std::string pattern_of(const Command& command) {
  return std::string(&command == &commands().front() ? "''|" : "") + std::string(command.name);
}

std::string flags() {
  std::string answers;
  for (const Command& command : commands()) {
    std::string words = "--help";
    if (&command == &commands().front()) add_word(words, "--version");
    for (const Option& option : command.options)
      add_word(words, option.name, option.value.empty() ? "" : "=");
    // The settings are quoted out of the answer's own quotes.
    if (command.takes_settings) add_word(words, "'\"$_progress_agent_settings\"'");
    answers += answer(pattern_of(command), words);
  }
  return "_progress_agent_settings='" + flags_of_settings() + "'\n" +
         function("flags", "$1", answers);
}

// Of "debug|info|warn|error" the words; of another type none.
std::string alternatives(std::string type) {
  if (type.find('|') == std::string::npos) return {};
  std::ranges::replace(type, '|', ' ');
  return type;
}

std::string values_of(const settings::Row& row) {
  const std::string type = settings::type_of(row);
  return type == "path" ? std::string(kAnyFile) : alternatives(type);
}

std::string values_of(const Option& option) {
  if (option.value == kFileValue) return std::string(kAnyFile);
  return option.choices.empty() ? alternatives(std::string(option.value))
                                : words_of(option.choices);
}

std::string values() {
  std::string answers;
  for (const Command& command : commands()) {
    for (const Option& option : command.options) {
      const std::string asked = std::string(command.name) + " " + std::string(option.name);
      answers += answer("'" + asked + "'", values_of(option));
    }
  }
  for (const settings::Row& row : settings::rows()) {
    if (settings::has_flag(row))
      answers += answer("*' " + settings::flag_of(row) + "'", values_of(row));
  }
  return function("values", "\"$1 $2\"", answers);
}

std::string arguments() {
  std::string names;
  for (const Command& command : commands()) add_word(names, command.name);
  std::string answers = answer("''", names + " help version") + answer("help", names);
  for (const Command& command : commands()) {
    const bool is_file = command.arguments.starts_with(kFileValue);
    answers +=
        answer(command.name, is_file ? std::string(kAnyFile) : words_of(command.argument_choices));
  }
  return function("arguments", "$1", answers);
}

}  // namespace

std::string bash_completion() {
  return std::string(kIntroduction) + flags() + values() + arguments() + std::string(kLogic);
}

}  // namespace agent::cli
