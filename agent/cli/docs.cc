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

struct Topic {
  std::string_view name;
  std::string (*text)();
};

// Needs the settings in force.
constexpr std::string_view kRules = "rules";

constexpr std::array kTopics = {
    Topic{"metrics", metrics::reference},    Topic{"flags", settings::flag_reference},
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
  if (topic == kTopics.end()) {
    complain("docs: there is no topic \"" + name +
             "\": choose metrics, flags, config, rules, man or completion");
    return kUsage;
  }
  const bool is_page = name == "config" && format == "markdown";
  return print(is_page ? settings::key_reference() : topic->text());
}

}  // namespace agent::cli
