// `docs TOPIC`: reference text, generated from the tables of the code.
#include <algorithm>
#include <array>

#include "agent/cli/command.h"
#include "agent/cli/completion.h"
#include "agent/cli/manual.h"
#include "agent/cli/output.h"
#include "agent/cli/rules.h"
#include "agent/metrics/reference.h"
#include "agent/settings/reference.h"

namespace agent::cli {
namespace {

// Text in a cell of a table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

// The settings' flags, then those that a command has besides.
std::string flag_reference() {
  std::string out = settings::flag_reference();
  for (const Command& command : commands()) {
    if (command.options.empty()) continue;
    out += "\n| flag of " + std::string(command.name) +
           " | takes | default | meaning |\n|---|---|---|---|\n";
    for (const Option& option : command.options) {
      const std::string standard(option.standard);
      out += "| `" + std::string(option.name) + "` | " + cell(option.value) + " | " +
             (standard.empty() ? "" : "`" + standard + "`") + " | " + cell(option.help) + " |\n";
    }
  }
  return out;
}

struct Topic {
  std::string_view name;
  std::string (*text)();
};

// Needs the settings in force.
constexpr std::string_view kRules = "rules";

constexpr std::array kTopics = {
    Topic{"metrics", metrics::reference},    Topic{"flags", flag_reference},
    Topic{"config", settings::example_file}, Topic{"man", manual},
    Topic{"completion", bash_completion},
};

int print_rules(const Invocation& invocation, const std::string& format) {
  if (format != "yaml" && format != "kubernetes") {
    complain("docs rules: --format is yaml or kubernetes, not \"" + format + "\"");
    return kUsage;
  }
  const auto settings = settings::load(invocation.given);
  if (!settings) return complain_of(settings.error());
  return print(format == "yaml" ? prometheus_rules(*settings) : prometheus_rule_object(*settings));
}

}  // namespace

int docs(const Invocation& invocation) {
  const std::string& name = invocation.arguments[0];
  const std::string& format = invocation.option("--format");
  if (name == kRules) return print_rules(invocation, format);
  if (format != "yaml" && format != "markdown") {
    complain("docs: --format is yaml or markdown, not \"" + format + "\"");
    return kUsage;
  }
  const auto topic = std::ranges::find(kTopics, name, &Topic::name);
  const bool is_page = name == "config" && format == "markdown";
  return print(is_page ? settings::key_reference() : topic->text());
}

}  // namespace agent::cli
