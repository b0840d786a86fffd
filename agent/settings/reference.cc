#include "agent/settings/reference.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "agent/settings/prose.h"
#include "agent/settings/table.h"

namespace agent::settings {
namespace {

using std::string_view;

constexpr std::size_t kColumns = 96;

std::vector<string_view> components(string_view key) {
  std::vector<string_view> out;
  for (std::size_t start = 0; start <= key.size();) {
    const std::size_t dot = std::min(key.find('.', start), key.size());
    out.push_back(key.substr(start, dot - start));
    start = dot + 1;
  }
  return out;
}

// A value as YAML needs it: texts in quotes, everything else as it is.
std::string yaml_value(const Row& row, string_view value) {
  if (is_list(row)) return "[" + std::string(value) + "]";
  return is_text(row) ? "\"" + std::string(value) + "\"" : std::string(value);
}

// What a value may be, in words; "" when there is nothing to say. A bound that only keeps out
// nonsense is no help.
std::string limits_of(const Row& row) {
  constexpr double kNonsense = 1e9;
  std::string type = type_of(row);
  if (!is_switch(row) && type.find('|') != std::string::npos) return type;
  return row.range.greatest >= kNonsense && type != "size" ? "" : range_of(row);
}

std::string help_with_limits(const Row& row) {
  const std::string limits = limits_of(row);
  return std::string(row.help) + (limits.empty() ? "" : " (" + limits + ")");
}

// Lines of YAML, each at its depth.
class Lines {
 public:
  explicit Lines(std::string prefix) : prefix_(std::move(prefix)) {}

  void blank() { out_ += "\n"; }
  void add(std::size_t depth, const std::string& text) {
    out_ += prefix_ + std::string(2 * depth, ' ') + text + "\n";
  }
  void comment(std::size_t depth, string_view prose) {
    for (const std::string& text : wrap(prose, kColumns - 2 * depth)) add(depth, "# " + text);
  }
  // Opens the sections of a key that are not open yet, and returns how deep its value is.
  std::size_t enter(const std::vector<string_view>& path, std::size_t base) {
    std::size_t same = 0;
    while (same < open_.size() && same + 1 < path.size() && open_[same] == path[same]) ++same;
    open_.resize(same);
    for (; same + 1 < path.size(); ++same) {
      if (base + same == 0) blank();
      comment(base + same, section_help(join(path, same + 1)));
      add(base + same, std::string(path[same]) + ":");
      open_.push_back(path[same]);
    }
    return base + path.size() - 1;
  }
  std::string take() { return std::move(out_); }

 private:
  static std::string join(const std::vector<string_view>& path, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) (out += i == 0 ? "" : ".") += path[i];
    return out;
  }

  std::string prefix_, out_;
  std::vector<string_view> open_;
};

// One entry of a variable part, commented out: what a user would write below its root.
std::string part_example(const VariablePart& part, std::size_t depth) {
  Lines lines(std::string(2 * depth, ' ') + "# ");
  // A label's value stands right after its name.
  const bool has_keys =
      std::ranges::none_of(rows(), [&](const Row& r) { return r.key == part.pattern; });
  if (has_keys) lines.add(0, part.is_list() ? "-" : std::string(part.example) + ":");
  for (const Row& row : rows()) {
    if (variable_part_of(row) != &part) continue;
    const string_view value = row.example;
    if (!has_keys) {
      lines.add(0, std::string(part.example) + ": " + yaml_value(row, value));
      continue;
    }
    const auto path = components(row.key.substr(part.pattern.size() + 1));
    const std::size_t at = lines.enter(path, 1);
    lines.comment(at, help_with_limits(row));
    lines.add(at, std::string(path.back()) + ": " +
                      yaml_value(row, value.empty() ? default_of(row) : value));
  }
  return lines.take();
}

void add_setting(Lines& lines, const Row& row) {
  const auto path = components(row.key);
  const std::size_t depth = lines.enter(path, 0);
  if (depth == 0) lines.blank();
  lines.comment(depth, help_with_limits(row));
  std::string text = std::string(path.back()) + ": " + yaml_value(row, default_of(row));
  if (!row.example.empty()) text += "  # such as " + yaml_value(row, row.example);
  lines.add(depth, text);
}

// The root of a part, and an example of what may stand below it.
std::string add_part(Lines& lines, const VariablePart& part) {
  const auto path = components(part.root);
  const std::size_t depth = lines.enter(path, 0);
  if (depth == 0) lines.blank();
  lines.comment(depth, part.help);
  lines.add(depth, std::string(path.back()) + ":");
  return part_example(part, depth + 1);
}

// For a cell of a Markdown table.
std::string cell(string_view text) {
  std::string out;
  for (const char c : text) (out += c == '|' ? "\\" : "") += c;
  return out;
}
std::string code(string_view text) { return text.empty() ? "" : "`" + cell(text) + "`"; }

std::string default_cell(const Row& row) {
  if (row.is_required) return "required";
  const std::string value = default_of(row);
  if (value.empty() && is_list(row)) return "`[]`";
  if (value.empty() && is_text(row)) return "`\"\"`";
  return code(value);
}

}  // namespace

std::string example_file() {
  Lines lines("");
  lines.comment(
      0,
      "Every setting of progress-agent with its default: loading this file changes nothing. "
      "Written by `progress-agent docs config`; README.md beside it says how settings work. "
      "Check yours with `progress-agent check-config FILE`.");
  std::string out;
  const VariablePart* last_part = nullptr;
  for (const Row& row : rows()) {
    if (!is_in_file(row)) continue;
    const VariablePart* part = variable_part_of(row);
    if (part == nullptr) {
      add_setting(lines, row);
    } else if (part != last_part) {
      const std::string example = add_part(lines, *part);
      out += lines.take() + example;
    }
    last_part = part;
  }
  return out + lines.take();
}

std::string key_reference() {
  std::string out;
  string_view section;
  for (const Row& row : rows()) {
    if (!is_in_file(row)) continue;
    const string_view own = row.key.substr(0, row.key.find_first_of(".["));
    if (own != section) {
      section = own;
      out += "\n### " + std::string(section) + "\n\n" + std::string(section_help(section)) +
             "\n\n| key | takes | default | meaning |\n|---|---|---|---|\n";
    }
    const bool waits = row.reload == Reload::kAtRestart;
    const std::string type = type_of(row), limits = limits_of(row);
    out += "| " + code(row.key) + (waits ? " ↻" : "") + " | " + cell(type) +
           (limits.empty() || limits == type ? "" : ", " + limits) + " | " + default_cell(row) +
           " | " + cell(row.help) + " |\n";
  }
  return out;
}

std::string flag_reference() {
  std::string out = "| flag | variable | default | meaning |\n|---|---|---|---|\n";
  for (const Row& row : rows()) {
    if (!has_flag(row)) continue;
    out += "| " + code(flag_of(row)) + " | " + code(variable_of(row)) + " | " + default_cell(row) +
           " | " + cell(row.help) + " |\n";
  }
  return out;
}

}  // namespace agent::settings
