#include "agent/settings/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace agent::settings {
namespace {

tl::unexpected<Refusal> refusal(std::string message, std::string suggestion = {}) {
  return failure(Refusal{std::move(message), std::move(suggestion)});
}

std::string quoted(std::string_view text) {
  // A value may be long or hostile; a message shows its beginning only.
  constexpr std::size_t kShown = 60;
  std::string out = "\"";
  for (const char c : text.substr(0, kShown)) out += (c < ' ' && c >= 0) || c == 0x7F ? '?' : c;
  return out + (text.size() > kShown ? "…\"" : "\"");
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Decimal digits without sign or leading zero.
std::optional<std::int64_t> digits_to_int(std::string_view text) {
  if (!is_digits(text) || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

struct Unit {
  std::string_view name;
  std::int64_t size;
};
// Largest first. Durations in microseconds, sizes in bytes.
constexpr std::array kDurationUnits = {Unit{"w", 604'800'000'000}, Unit{"d", 86'400'000'000},
                                       Unit{"h", 3'600'000'000},   Unit{"m", 60'000'000},
                                       Unit{"s", 1'000'000},       Unit{"ms", 1'000}};
constexpr std::array kSizeUnits = {Unit{"GiB", 1 << 30}, Unit{"MiB", 1 << 20}, Unit{"KiB", 1 << 10},
                                   Unit{"B", 1}};

constexpr std::int64_t kLongest = std::int64_t{100} * 365 * 86'400'000'000;  // a hundred years

// Splits "30s…" into 30, "s" and the rest.
struct Part {
  std::string_view digits, unit, rest;
};
Part first_part(std::string_view text) {
  const auto unit = std::ranges::find_if(text, [](char c) { return c < '0' || c > '9'; });
  const auto rest = std::find_if(unit, text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return {{text.begin(), unit}, {unit, rest}, {rest, text.end()}};
}

constexpr std::string_view kDurationForm = "is no duration: write a number and ms, s, m, h, d or w";

}  // namespace

Read<Duration> read_duration(std::string_view text) {
  if (text == "0") return Duration::zero();
  if (is_digits(text)) {
    return refusal(quoted(text) + " has no unit", std::string(text) + "s");
  }
  std::int64_t sum = 0;
  auto unit = kDurationUnits.begin();
  for (std::string_view rest = text; !rest.empty() || rest.data() == text.data();) {
    const Part part = first_part(rest);
    const auto count = digits_to_int(part.digits);
    unit = std::find_if(unit, kDurationUnits.end(), [&](Unit u) { return u.name == part.unit; });
    if (!count || unit == kDurationUnits.end()) {
      return refusal(quoted(text) + " " + std::string(kDurationForm) + ", such as 500ms or 1h30m");
    }
    if (*count > (kLongest - sum) / unit->size) return refusal(quoted(text) + " is too long");
    sum += *count * (unit++)->size;
    rest = part.rest;
  }
  return Duration(sum);
}

Read<Bytes> read_bytes(std::string_view text) {
  const Part part = first_part(text);
  const auto count = digits_to_int(part.digits);
  if (count && part.unit.empty()) return Bytes{*count};
  const auto unit = std::ranges::find(kSizeUnits, part.unit, &Unit::name);
  if (!count || !part.rest.empty() || unit == kSizeUnits.end()) {
    const bool has_prefix = count && part.rest.empty() && !part.unit.empty() &&
                            std::string_view("kKmMgG").find(part.unit[0]) != std::string_view::npos;
    const char prefix = has_prefix ? static_cast<char>(std::toupper(part.unit[0])) : ' ';
    return refusal(quoted(text) + " is no size: write bytes, or a number and KiB, MiB or GiB",
                   has_prefix ? std::string(part.digits) + prefix + "iB" : "");
  }
  if (*count > (std::int64_t{1} << 50) / unit->size) return refusal(quoted(text) + " is too large");
  return Bytes{*count * unit->size};
}

Read<std::int64_t> read_count(std::string_view text) {
  if (const auto value = digits_to_int(text)) return *value;
  if (is_digits(text) && text.front() == '0') {
    const std::size_t first = std::min(text.find_first_not_of('0'), text.size() - 1);
    return refusal(quoted(text) + " has a leading zero", std::string(text.substr(first)));
  }
  return refusal(quoted(text) + " is no whole number");
}

Read<double> read_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool complete = error == std::errc() && end == text.data() + text.size();
  if (!complete || !std::isfinite(value)) return refusal(quoted(text) + " is no number");
  if (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') {
    return refusal(quoted(text) + " has a leading zero");
  }
  return value;
}

Read<bool> read_switch(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  std::string lower(text.substr(0, 8));
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, lower) != names.end();
  };
  const char* meant = is_one_of({"yes", "on", "1", "y", "true"})    ? "true"
                      : is_one_of({"no", "off", "0", "n", "false"}) ? "false"
                                                                    : "";
  return refusal(quoted(text) + " is neither true nor false", meant);
}

Read<FileMode> read_file_mode(std::string_view text) {
  const bool is_octal =
      !text.empty() && text.find_first_not_of("01234567") == std::string_view::npos;
  if (is_octal && text.size() == 3 && text[0] != '0') {
    return refusal(quoted(text) + " needs a leading zero", "0" + std::string(text));
  }
  if (!is_octal || text.size() != 4 || text[0] != '0') {
    return refusal(quoted(text) + " is no file mode: write four octal digits, such as 0660");
  }
  std::uint32_t bits = 0;
  std::from_chars(text.data(), text.data() + text.size(), bits, 8);
  return FileMode{bits};
}

std::string show(Duration value) {
  std::int64_t rest = value.count();
  if (rest == 0) return "0s";
  std::string out;
  for (const Unit unit : kDurationUnits) {
    // Weeks only when they are exact: "30d" reads better than "4w2d".
    if (unit.name == "w" && rest % unit.size != 0) continue;
    if (rest >= unit.size) out += std::to_string(rest / unit.size) + std::string(unit.name);
    rest %= unit.size;
  }
  return out;
}

std::string show(Bytes value) {
  for (const Unit unit : kSizeUnits) {
    if (unit.size > 1 && value.count >= unit.size && value.count % unit.size == 0) {
      return std::to_string(value.count / unit.size) + std::string(unit.name);
    }
  }
  return std::to_string(value.count);
}

std::string show(std::int64_t value) { return std::to_string(value); }

std::string show(double value) {
  std::array<char, 32> buffer;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), end};
}

std::string show(bool value) { return value ? "true" : "false"; }

std::string show(FileMode value) {
  std::string out = "0000";
  for (std::size_t i = 0; i < 4; ++i) {
    out[3 - i] = static_cast<char>('0' + ((value.bits >> (3 * i)) & 7));
  }
  return out;
}

}  // namespace agent::settings
