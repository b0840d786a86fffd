#include "agent/wire/text.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <vector>

#include "agent/progress/text.h"

namespace agent::wire {
namespace {

constexpr std::uint64_t kEach = 0x0101010101010101;  // times b: b in every byte
constexpr std::uint64_t kHigh = 0x8080808080808080;  // the top bit of every byte

std::uint64_t load(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Whether one of the eight bytes may be part of a control character: below 0x20, or 0x7f and above.
// Exact for ASCII; every byte of a longer sequence counts as suspect.
constexpr bool is_suspect(std::uint64_t word) {
  const std::uint64_t below = (word - kEach * 0x20) & ~word;
  const std::uint64_t above = (word + kEach) | word;
  return ((below | above) & kHigh) != 0;
}

bool is_plain(std::string_view text) {
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= sizeof(std::uint64_t); at += 8, left -= 8) {
    if (is_suspect(load(at))) return false;
  }
  return std::all_of(at, at + left, [](char c) { return c >= 0x20 && c < 0x7f; });
}

// Whether JSON shows the text as it is: printable ASCII without quotes and backslashes.
bool is_quotable(std::string_view text) {
  const auto zeros = [](std::uint64_t word) { return (word - kEach) & ~word & kHigh; };
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= sizeof(std::uint64_t); at += 8, left -= 8) {
    const std::uint64_t word = load(at);
    if (is_suspect(word) || zeros(word ^ kEach * '"') != 0 || zeros(word ^ kEach * '\\') != 0)
      return false;
  }
  return std::all_of(at, at + left,
                     [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

// How many bytes the sequence that begins with `lead` has; 0: it begins none.
std::size_t sequence_length(char lead) {
  const auto ones = static_cast<std::size_t>(std::countl_one(static_cast<unsigned char>(lead)));
  if (ones == 0) return 1;
  return ones >= 2 && ones <= 4 ? ones : 0;
}

void append_escaped(std::string& out, char c) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  out += "\\u00";
  out += kHex[static_cast<unsigned char>(c) >> 4];
  out += kHex[static_cast<unsigned char>(c) & 15];
}

// Edits (insert, delete, replace) that make one word of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({replaced, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row.back();
}

}  // namespace

std::optional<std::size_t> find_control(std::string_view text) {
  if (is_plain(text)) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f) return i;
    // C1, U+0080 to U+009F, is C2 80 to C2 9F.
    if (c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0)
      return i;
  }
  return std::nullopt;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

void append_quoted(std::string& out, std::string_view text) {
  static constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  out += '"';
  if (is_quotable(text)) {
    out += text;
    out += '"';
    return;
  }
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const std::size_t length = std::min(sequence_length(c), text.size() - i);
    if (length > 1 && simdjson::validate_utf8(text.data() + i, length)) {
      out += text.substr(i, length);
      i += length;
      continue;
    }
    if (length != 1 || static_cast<unsigned char>(c) >= 0x80) {
      out += kReplacement;
    } else if (c == '"' || c == '\\' || c < 0x20 || c == 0x7f) {
      append_escaped(out, c);
    } else {
      out += c;
    }
    ++i;
  }
  out += '"';
}

std::string shown(std::string_view text) {
  constexpr std::size_t kShown = 60;  // bytes
  const std::string_view start = progress::cut_utf8(text, kShown);
  return concat({"\"", start, start.size() < text.size() ? "…\"" : "\""});
}

std::string shown(double value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

std::string concat(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) out += part;
  return out;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> names) {
  constexpr std::size_t kFarthest = 2;
  constexpr std::size_t kLongest = 64;  // longer words were meant to be none of ours
  if (word.size() > kLongest) return {};
  std::size_t best = kFarthest + 1;
  std::string_view found;
  for (const std::string_view name : names) {
    const std::size_t edits = distance(word, name);
    if (edits < best && edits < name.size()) {
      best = edits;
      found = name;
    }
  }
  return found;
}

}  // namespace agent::wire
