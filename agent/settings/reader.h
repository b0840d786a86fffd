// Reader: holds what was written against the table, and collects values and faults on the way. Used
// by load.h only. Not thread-safe; lives for one load.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "agent/settings/document.h"
#include "agent/settings/fault.h"
#include "agent/settings/settings.h"
#include "agent/settings/table.h"

namespace agent::settings {

class Reader {
 public:
  // In the order of precedence, the weakest first: a later value replaces an earlier one.
  void read(const Document& document);
  void read_variables(std::span<const std::pair<std::string, std::string>> variables);
  void read_flags(std::span<const std::pair<std::string, std::string>> flags);

  // All faults found, those of the file in its order.
  Result<Settings, Faults> finish() &&;

 private:
  // `pattern` is the node's place in the table: "notify.webhooks[].url".
  void visit(const Node& node, const std::string& pattern, const Place& place);
  void visit_names(const Node& node, const VariablePart& part);
  void visit_list(const Node& node, const VariablePart& part);
  void visit_section(const Node& node, const std::string& pattern, const Place& place);
  void visit_value(const Node& node, const Row& row, const Place& place);
  void visit_items(const Node& node, const Row& row, const Place& place);
  void require_keys(const Node& node, const std::string& pattern, const Place& place);
  void unknown_key(const Entry& entry, const std::string& pattern, const Place& place);
  void take(const Row& row, const Place& place, Origin origin, Result<void, Refusal> assigned);
  void fault(Mark mark, std::string message, std::string suggestion = {});

  Settings settings_;
  Faults faults_;
  std::set<std::string, std::less<>> faulty_keys_;  // their values say nothing
  std::string file_;                                // the document's name, while it is read
};

// A key of the table with its variable part filled in: "pricing.gpt-4o.input_per_million".
std::string concrete(std::string_view pattern, const Place& place);

}  // namespace agent::settings
