#include "agent/metrics/reference.h"

#include <string_view>

#include "agent/metrics/families.h"
#include "agent/metrics/registry.h"
#include "agent/metrics/serializer.h"

namespace agent::metrics {
namespace {

constexpr std::string_view kHead =
    "| name | type | unit | labels | meaning |\n"
    "|---|---|---|---|---|\n";

std::string quoted(std::string_view text) {
  return text.empty() ? std::string() : '`' + std::string(text) + '`';
}

// `provider`, `outcome` (success, failure)
std::string labels_of(const LabelNames& names, std::span<const std::string_view> values) {
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + quoted(name);
  std::string list;
  for (const std::string_view value : values)
    list += (list.empty() ? "" : ", ") + std::string(value);
  return list.empty() ? text : text + " (" + list + ')';
}

std::string row(std::string_view name, Type type, std::string_view unit, const std::string& labels,
                std::string_view help) {
  return "| " + quoted(name) + " | " + std::string(name_of(type)) + " | " + std::string(unit) +
         " | " + labels + " | " + std::string(help) + " |\n";
}

}  // namespace

std::string reference() {
  std::string text =
      "### Sessions\n\n"
      "Every series has the label `session` too, unless it is about all sessions of a family.\n\n";
  text += kHead;
  for (const Family& family : families()) {
    text += row(family.name, family.type, family.unit, labels_of(family.labels, family.values),
                family.help);
  }
  text += "\n### The agent and its process\n\n";
  text += kHead;
  for (const AgentFamily& family : agent_families()) {
    text += row(family.name, family.type, unit_of(family.name), labels_of(family.labels, {}),
                family.help);
  }
  return text;
}

}  // namespace agent::metrics
