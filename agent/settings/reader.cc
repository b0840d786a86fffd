#include "agent/settings/reader.h"

#include <algorithm>
#include <map>

#include "agent/settings/cross_rules.h"
#include "agent/settings/nearest.h"

namespace agent::settings {
namespace {

using std::string_view;

std::string child_of(const std::string& pattern, string_view key) {
  return pattern.empty() ? std::string(key) : pattern + "." + std::string(key);
}

// What of `key` lies below `pattern`, or "" when it does not.
string_view below(string_view key, string_view pattern) {
  if (pattern.empty()) return key;
  if (!key.starts_with(pattern)) return {};
  key.remove_prefix(pattern.size());
  if (key.starts_with("[].")) return key.substr(3);
  return key.starts_with('.') ? key.substr(1) : string_view();
}

string_view first_component(string_view key) { return key.substr(0, key.find_first_of(".[")); }
string_view last_component(string_view key) { return key.substr(key.rfind('.') + 1); }

// The keys that may stand right below `pattern` in a file.
std::vector<string_view> keys_below(string_view pattern) {
  std::vector<string_view> out;
  for (const Row& row : rows()) {
    const string_view child = first_component(below(row.key, pattern));
    if (child.empty()) continue;
    if (out.empty() || out.back() != child) out.push_back(child);
  }
  return out;
}

const VariablePart* part_with_root(string_view root) {
  const auto part = std::ranges::find(variable_parts(), root, &VariablePart::root);
  return part == variable_parts().end() ? nullptr : &*part;
}

// What was probably meant by `key` below `pattern`: a key that may stand there, or the full name of
// one that belongs elsewhere.
std::string meant_key(const std::string& pattern, string_view key) {
  const string_view near = nearest(key, keys_below(pattern));
  if (!near.empty()) return std::string(near);
  // Perhaps it is right, but in the wrong place.
  for (const Row& row : rows()) {
    if (is_in_file(row) && same_name(last_component(row.key), key)) return std::string(row.key);
  }
  return {};
}

std::string names_of_flags(string_view flag) {
  std::vector<std::string> all;
  for (const Row& row : rows()) {
    if (has_flag(row)) all.push_back(flag_of(row));
  }
  const std::vector<string_view> views(all.begin(), all.end());
  return std::string(nearest(flag, views));
}

const Row* row_with_flag(string_view flag) {
  const auto row =
      std::ranges::find_if(rows(), [&](const Row& r) { return has_flag(r) && flag_of(r) == flag; });
  return row == rows().end() ? nullptr : &*row;
}

std::string in_quotes(string_view text) {
  constexpr std::size_t kShown = 80;
  return "\"" + std::string(text.substr(0, kShown)) + (text.size() > kShown ? "…\"" : "\"");
}

}  // namespace

std::string concrete(string_view pattern, const Place& place) {
  const auto part = std::ranges::find_if(
      variable_parts(), [&](const VariablePart& p) { return pattern.starts_with(p.pattern); });
  if (part == variable_parts().end()) return std::string(pattern);
  const string_view rest = pattern.substr(part->pattern.size());
  const std::string chosen =
      part->is_list() ? "[" + std::to_string(place.index) + "]" : "." + place.name;
  return std::string(part->root) + chosen + std::string(rest);
}

void Reader::read(const Document& document) {
  file_ = document.name();
  faults_ = document.faults();
  visit(document.root(), "", {});
}

void Reader::read_variables(std::span<const std::pair<std::string, std::string>> variables) {
  for (const auto& [variable, value] : variables) {
    const auto row = std::ranges::find_if(
        rows(), [&name = variable](const Row& r) { return has_flag(r) && variable_of(r) == name; });
    if (row == rows().end()) continue;  // unknown_variables() warns of it
    take(*row, {}, {variable, {}}, assign(*row, value, settings_));
  }
}

void Reader::read_flags(std::span<const std::pair<std::string, std::string>> flags) {
  std::map<const Row*, std::string> values;
  for (const auto& [flag, value] : flags) {
    const Row* row = row_with_flag(flag);
    if (row == nullptr) {
      faults_.push_back({{flag, {}}, "is no flag", names_of_flags(flag)});
      continue;
    }
    const auto [known, is_new] = values.emplace(row, value);
    if (!is_new && is_list(*row)) known->second += "," + value;
    if (!is_new && !is_list(*row)) faults_.push_back({{flag, {}}, "is given twice", {}});
  }
  for (const auto& [row, value] : values) {
    take(*row, {}, {flag_of(*row), {}}, assign(*row, value, settings_));
  }
}

void Reader::visit(const Node& node, const std::string& pattern, const Place& place) {
  if (node.kind == Node::Kind::kRefused) return;
  if (const Row* row = find_row(pattern)) return visit_value(node, *row, place);
  const VariablePart* part = part_with_root(pattern);
  if (node.kind == Node::Kind::kEmpty) return;  // a section whose keys are all commented out
  if (part == nullptr) return visit_section(node, pattern, place);
  if (part->is_list()) return visit_list(node, *part);
  visit_names(node, *part);
}

void Reader::visit_names(const Node& node, const VariablePart& part) {
  if (node.kind != Node::Kind::kMap) {
    return fault(node.mark, std::string(part.root) + ": takes names with values below them");
  }
  for (const Entry& entry : node.entries) {
    if (const std::string wrong = part.check(entry.key); !wrong.empty()) {
      const bool is_alert = part.check == check_alert_name;
      fault(entry.mark, std::string(part.root) + ": " + in_quotes(entry.key) + " " + wrong,
            is_alert ? std::string(nearest(entry.key, kAlertNames)) : "");
      continue;
    }
    visit(entry.value, std::string(part.pattern), {entry.key, 0});
  }
}

void Reader::visit_list(const Node& node, const VariablePart& part) {
  constexpr std::size_t kMost = 100;
  if (node.kind != Node::Kind::kList) {
    return fault(node.mark,
                 std::string(part.root) + ": takes a list: start each entry with \"- \"");
  }
  if (node.items.size() > kMost) {
    return fault(node.mark, std::string(part.root) + ": has more than 100 entries");
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    visit_section(node.items[i], std::string(part.pattern), {{}, i});
  }
}

void Reader::visit_section(const Node& node, const std::string& pattern, const Place& place) {
  if (node.kind != Node::Kind::kMap) {
    const std::string name = pattern.empty() ? "the file" : concrete(pattern, place);
    return fault(node.mark, name + ": takes keys, such as " + std::string(keys_below(pattern)[0]) +
                                ", not " + (node.kind == Node::Kind::kList ? "a list" : "a value"));
  }
  const std::vector<string_view> known = keys_below(pattern);
  for (const Entry& entry : node.entries) {
    if (entry.key.empty()) continue;  // refused already
    if (std::ranges::find(known, entry.key) == known.end()) {
      unknown_key(entry, pattern, place);
    } else {
      visit(entry.value, child_of(pattern, entry.key), place);
    }
  }
  require_keys(node, pattern, place);
}

void Reader::visit_value(const Node& node, const Row& row, const Place& place) {
  const auto refuse = [&](const char* why) {
    take(row, place, {file_, node.mark}, failure(Refusal{why, {}}));
  };
  if (!is_in_file(row)) return refuse("is given by flag or environment only");
  switch (node.kind) {
    case Node::Kind::kRefused:
      return;
    case Node::Kind::kEmpty:
      return refuse("has no value: leave the key out to get the default");
    case Node::Kind::kMap:
      return refuse("takes a value, not keys");
    case Node::Kind::kList:
      return is_list(row) ? visit_items(node, row, place) : refuse("takes one value, not a list");
    case Node::Kind::kText: {
      const string_view text = node.text;
      return take(row, place, {file_, node.mark},
                  is_list(row) ? assign_list(row, {&text, 1}, settings_, place)
                               : assign(row, text, settings_, place));
    }
  }
}

void Reader::visit_items(const Node& node, const Row& row, const Place& place) {
  Settings scratch;
  std::vector<string_view> items;
  for (const Node& item : node.items) {
    const string_view text = item.text;
    const bool is_text = item.kind == Node::Kind::kText;
    auto good = is_text ? assign_list(row, {&text, 1}, scratch, place)
                        : failure(Refusal{"takes plain values in its list", {}});
    if (good) {
      items.push_back(text);
    } else {
      take(row, place, {file_, item.mark}, std::move(good));
    }
  }
  if (items.size() == node.items.size()) {
    take(row, place, {file_, node.mark}, assign_list(row, items, settings_, place));
  }
}

void Reader::require_keys(const Node& node, const std::string& pattern, const Place& place) {
  for (const Row& row : rows()) {
    const string_view key = below(row.key, pattern);
    if (!row.is_required || key.empty() || key.find('.') != string_view::npos) continue;
    if (std::ranges::find(node.entries, key, &Entry::key) == node.entries.end()) {
      fault(node.mark, concrete(pattern, place) + ": needs the key " + in_quotes(key));
    }
  }
}

void Reader::unknown_key(const Entry& entry, const std::string& pattern, const Place& place) {
  if (faults_.size() > kMaxFaults) return;  // looking for what was meant takes time
  const std::string full = child_of(pattern, entry.key);
  if (find_row(full) == nullptr) {
    return fault(entry.mark, "unknown key " + in_quotes(concrete(full, place)),
                 meant_key(pattern, entry.key));
  }
  // Written with dots, as in the reference.
  const std::size_t dot = entry.key.rfind('.');
  fault(entry.mark, "unknown key " + in_quotes(entry.key) + ": keys are nested, write \"" +
                        entry.key.substr(0, dot) + ":\" and below it \"" +
                        entry.key.substr(dot + 1) + ":\"");
}

void Reader::take(const Row& row, const Place& place, Origin origin,
                  Result<void, Refusal> assigned) {
  const std::string key = concrete(row.key, place);
  if (assigned) {
    settings_.sources.insert_or_assign(key, std::move(origin));
    faulty_keys_.erase(key);
    return;
  }
  faulty_keys_.insert(key);
  // A flag or variable names its key itself.
  const std::string subject = origin.mark.line > 0 ? key + ": " : "";
  faults_.push_back({std::move(origin), subject + assigned.error().message,
                     std::move(assigned.error().suggestion)});
}

void Reader::fault(Mark mark, std::string message, std::string suggestion) {
  if (faults_.size() > kMaxFaults) return;
  faults_.push_back({{file_, mark}, std::move(message), std::move(suggestion)});
}

Result<Settings, Faults> Reader::finish() && {
  check_together(settings_, faulty_keys_, faults_);
  if (faults_.empty()) return std::move(settings_);
  std::ranges::stable_sort(faults_, [](const Fault& a, const Fault& b) {
    const bool both_in_file = a.origin.mark.line > 0 && b.origin.mark.line > 0;
    return both_in_file ? a.origin.mark < b.origin.mark
                        : a.origin.mark.line > 0 && b.origin.mark.line == 0;
  });
  if (faults_.size() > kMaxFaults) {
    faults_.resize(kMaxFaults);
    faults_.push_back({{file_, {}}, "has more faults: only the first 1000 are listed", {}});
  }
  return failure(std::move(faults_));
}

}  // namespace agent::settings
