// Reading and showing the value of a row, whatever its type: the one place that knows all types.
#include <algorithm>
#include <array>

#include "agent/settings/nearest.h"
#include "agent/settings/table.h"

namespace agent::settings {
namespace {

using std::string_view;

constexpr std::span<const string_view> names_of(log::Level) { return log::kLevelNames; }
constexpr std::span<const string_view> names_of(log::Format) { return log::kFormatNames; }
constexpr std::span<const string_view> names_of(PerFile) { return kPerFileNames; }
constexpr std::span<const string_view> names_of(Severity) { return kSeverityNames; }

template <typename T>
concept Choice = std::is_enum_v<T>;

template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

constexpr string_view kOff = "off";

template <typename... Parts>
std::string joined(const Parts&... parts) {
  std::string out;
  (out.append(parts), ...);
  return out;
}

std::string names_joined(std::span<const string_view> names, string_view separator) {
  std::string out;
  for (const string_view name : names)
    out += (out.empty() ? "" : std::string(separator)) + std::string(name);
  return out;
}

Read<void> hold(const Row& row, double value) {
  if (row.range.holds(value)) return {};
  return failure(Refusal{"must be " + range_of(row), {}});
}

Read<void> check_text(const Row& row, string_view text) {
  const std::string wrong = row.check == nullptr ? "" : row.check(text);
  if (wrong.empty()) return {};
  // What a secret holds is not repeated in a message, even a wrong one; nor a password in a URL.
  const bool has_password = row.check == check_url && text.find('@') != string_view::npos;
  const std::string shown =
      row.is_secret || has_password ? "the value" : joined("\"", text.substr(0, 80), "\"");
  return failure(Refusal{shown + " " + wrong, {}});
}

// What a parsed value counts as, for its range.
double magnitude(std::int64_t value) { return static_cast<double>(value); }
double magnitude(double value) { return value; }
double magnitude(Bytes value) { return static_cast<double>(value.count); }
double magnitude(Duration value) { return seconds(value); }
double magnitude(FileMode value) { return value.bits; }

template <typename T>
Read<void> store(const Row& row, Read<T> read, T& out) {
  if (!read) return tl::unexpected(std::move(read).error());
  if constexpr (requires { magnitude(*read); } && !std::is_same_v<T, bool>) {
    if (auto held = hold(row, magnitude(*read)); !held) return held;
  }
  out = *std::move(read);
  return {};
}

Read<void> parse(const Row& row, string_view text, std::string& out) {
  if (auto good = check_text(row, text); !good) return good;
  out = std::string(text);
  return {};
}
Read<void> parse(const Row& row, string_view text, bool& out) {
  return store(row, read_switch(text), out);
}
Read<void> parse(const Row& row, string_view text, std::int64_t& out) {
  return store(row, read_count(text), out);
}
Read<void> parse(const Row& row, string_view text, double& out) {
  return store(row, read_number(text), out);
}
Read<void> parse(const Row& row, string_view text, Duration& out) {
  return store(row, read_duration(text), out);
}
Read<void> parse(const Row& row, string_view text, Bytes& out) {
  return store(row, read_bytes(text), out);
}
Read<void> parse(const Row& row, string_view text, FileMode& out) {
  return store(row, read_file_mode(text), out);
}
Read<void> parse(const Row& row, string_view text, Address& out) {
  return store(row, read_address(text), out);
}
template <Choice T>
Read<void> parse(const Row&, string_view text, T& out) {
  const auto names = names_of(T{});
  const auto name = std::ranges::find(names, text);
  if (name == names.end()) {
    return failure(
        Refusal{joined("\"", text.substr(0, 40), "\" is none of ", names_joined(names, ", ")),
                std::string(nearest(text, names))});
  }
  out = static_cast<T>(name - names.begin());
  return {};
}
template <typename T>
Read<void> parse(const Row& row, string_view text, std::optional<T>& out) {
  if (text == kOff && has_flag(row)) {
    out.reset();
    return {};
  }
  T value{};
  if (auto good = parse(row, text, value); !good) return good;
  out = value;
  return {};
}
template <typename T>
Read<void> parse_items(const Row& row, std::span<const string_view> items, std::vector<T>& out) {
  std::vector<T> values;
  for (const string_view item : items) {
    if (item.empty()) return failure(Refusal{"has an empty entry", {}});
    if (auto good = parse(row, item, values.emplace_back()); !good) return good;
    if (std::ranges::count(values, values.back()) > 1) {
      return failure(Refusal{joined("\"", item, "\" is listed twice"), {}});
    }
  }
  // Of texts the range counts entries; of numbers it bounds each, which `parse` did.
  if constexpr (std::is_same_v<T, std::string>) {
    if (!row.range.holds(static_cast<double>(values.size()))) {
      return failure(
          Refusal{"has " + std::to_string(values.size()) + " entries: " + range_of(row), {}});
    }
  }
  out = std::move(values);
  return {};
}
template <typename T>
Read<void> parse(const Row& row, string_view text, std::vector<T>& out) {
  std::vector<string_view> items;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    items.push_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parse_items(row, items, out);
}

std::string written(const std::string& value) { return value; }
template <Choice T>
std::string written(T value) {
  return std::string(names_of(value)[static_cast<std::size_t>(value)]);
}
template <typename T>
requires requires(T value) { show(value); }
std::string written(const T& value) { return show(value); }
template <typename T>
std::string written(const std::optional<T>& value) {
  return value ? written(*value) : std::string(kOff);
}
template <typename T>
std::string written(const std::vector<T>& values) {
  std::string out;
  for (const T& value : values) out += (out.empty() ? "" : ",") + written(value);
  return out;
}

// The type of the slot: `visit_type(row, []<typename T>() { … })`.
template <typename Visitor>
auto visit_type(const Row& row, Visitor&& visitor) {
  return std::visit([&]<typename T>(Slot<T>) { return visitor.template operator()<T>(); },
                    row.target);
}

template <typename T>
std::string type_name() {
  if constexpr (Choice<T>) return names_joined(names_of(T{}), "|");
  if constexpr (kIsOptional<T>) return type_name<typename T::value_type>();
  if constexpr (std::is_same_v<T, bool>) return "true|false";
  if constexpr (std::is_same_v<T, std::int64_t>) return "count";
  if constexpr (std::is_same_v<T, double>) return "number";
  if constexpr (std::is_same_v<T, Duration>) return "duration";
  if constexpr (std::is_same_v<T, Bytes>) return "size";
  if constexpr (std::is_same_v<T, FileMode>) return "mode";
  if constexpr (std::is_same_v<T, Address>) return "host:port";
  if constexpr (std::is_same_v<T, std::vector<std::string>>) return "list";
  if constexpr (std::is_same_v<T, std::vector<std::int64_t>>) return "list of ids";
  return "text";
}

std::string type_of_text(Check check) {
  if (check == check_path || check == check_socket_path) return "path";
  if (check == check_url) return "URL";
  if (check == check_host) return "host";
  return "text";
}

// A bound of the range in the row's own unit.
template <typename T>
std::string bound(double value) {
  if constexpr (kIsOptional<T>) return bound<typename T::value_type>(value);
  if constexpr (std::is_same_v<T, Duration>) {
    return show(Duration(static_cast<std::int64_t>(value * 1e6)));
  }
  if constexpr (std::is_same_v<T, Bytes>) return show(Bytes{static_cast<std::int64_t>(value)});
  if constexpr (std::is_same_v<T, FileMode>)
    return show(FileMode{static_cast<std::uint32_t>(value)});
  if (value < 1e15 && value == static_cast<double>(static_cast<std::int64_t>(value))) {
    return show(static_cast<std::int64_t>(value));
  }
  return show(value);
}

}  // namespace

std::string type_of(const Row& row) {
  const std::string name = visit_type(row, []<typename T>() { return type_name<T>(); });
  return name == "text" ? type_of_text(row.check) : name;
}

bool is_switch(const Row& row) { return std::holds_alternative<Slot<bool>>(row.target); }

bool is_text(const Row& row) {
  return std::holds_alternative<Slot<std::string>>(row.target) ||
         std::holds_alternative<Slot<Address>>(row.target);
}

bool is_number(const Row& row) {
  return std::holds_alternative<Slot<std::int64_t>>(row.target) ||
         std::holds_alternative<Slot<double>>(row.target) ||
         std::holds_alternative<Slot<std::optional<double>>>(row.target);
}

bool is_list(const Row& row) {
  return std::holds_alternative<Slot<std::vector<std::string>>>(row.target) ||
         std::holds_alternative<Slot<std::vector<std::int64_t>>>(row.target);
}

std::string range_of(const Row& row) {
  if (row.range.greatest == Range{}.greatest) return {};
  return visit_type(row, [&]<typename T>() {
    if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      return bound<T>(row.range.greatest) + " at most";
    }
    return bound<T>(row.range.least) + " to " + bound<T>(row.range.greatest);
  });
}

std::string default_of(const Row& row) {
  Settings defaults;
  const std::string value = value_of(row, defaults);
  return value == kOff && !has_flag(row) ? "" : value;
}

std::string value_of(const Row& row, Settings& settings, const Place& place) {
  return std::visit([&](auto slot) { return written(slot(settings, place)); }, row.target);
}

Result<void, Refusal> assign(const Row& row, string_view text, Settings& settings,
                             const Place& place) {
  return std::visit([&](auto slot) { return parse(row, text, slot(settings, place)); }, row.target);
}

Result<void, Refusal> assign_list(const Row& row, std::span<const string_view> items,
                                  Settings& settings, const Place& place) {
  return std::visit(
      [&](auto slot) -> Result<void, Refusal> {
        auto& out = slot(settings, place);
        if constexpr (requires { parse_items(row, items, out); }) {
          return parse_items(row, items, out);
        } else {
          return failure(Refusal{"takes one value, not a list", {}});
        }
      },
      row.target);
}

void copy(const Row& row, Settings& from, Settings& to) {
  std::visit([&](auto slot) { slot(to, {}) = slot(from, {}); }, row.target);
}

}  // namespace agent::settings
