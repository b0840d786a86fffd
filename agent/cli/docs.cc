// `docs TOPIC`: reference text, generated from the tables of the code.
#include <algorithm>
#include <array>

#include "agent/cli/command.h"
#include "agent/cli/output.h"
#include "agent/metrics/reference.h"
#include "agent/settings/reference.h"

namespace agent::cli {
namespace {

struct Topic {
  std::string_view name;
  std::string (*text)();
};

constexpr std::array kTopics = {
    Topic{"metrics", metrics::reference},
    Topic{"flags", settings::flag_reference},
    Topic{"config", settings::example_file},
};

}  // namespace

int docs(const Invocation& invocation) {
  const std::string& name = invocation.arguments[0];
  const std::string& format = invocation.option("--format");
  if (format != "yaml" && format != "markdown") {
    complain("docs: --format is yaml or markdown, not \"" + format + "\"");
    return kUsage;
  }
  const auto topic = std::ranges::find(kTopics, name, &Topic::name);
  if (topic == kTopics.end()) {
    complain("docs: there is no topic \"" + name + "\": choose metrics, flags or config");
    return kUsage;
  }
  const bool is_page = name == "config" && format == "markdown";
  return print(is_page ? settings::key_reference() : topic->text());
}

}  // namespace agent::cli
