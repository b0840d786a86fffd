#include "agent/wire/elements.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "agent/wire/plain.h"

namespace agent::wire {
namespace {

constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Whether one of the eight bytes at `at` may end a string or escape what follows.
bool may_end(const char* at) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  const auto zeros = [](std::uint64_t w) { return (w - kEach) & ~w & kEach * 0x80; };
  return (zeros(word ^ kEach * '"') | zeros(word ^ kEach * '\\')) != 0;
}

// How far a string that begins at `text` goes, its quotes included; an open one goes to the end.
std::size_t string_length(std::string_view text) {
  std::size_t at = 1;
  for (;;) {
    while (at + 8 <= text.size() && !may_end(text.data() + at)) at += 8;
    while (at < text.size() && text[at] != '"' && text[at] != '\\') ++at;
    if (at >= text.size()) return text.size();
    if (text[at] == '"') return at + 1;
    at += 2;
  }
}

}  // namespace

Elements::Elements(std::string_view document) : rest_(document) {
  skip_space();
  is_over_ = rest_.empty();
  is_array_ = skip('[');
  skip_space();
  if (is_array_ && skip(']')) end(false);
}

void Elements::skip_space() {
  std::size_t space = 0;
  while (space < rest_.size() && is_space(rest_[space])) ++space;
  rest_.remove_prefix(space);
}

bool Elements::skip(char c) {
  const bool is_next = rest_.starts_with(c);
  if (is_next) rest_.remove_prefix(1);
  return is_next;
}

// Ends the elements here: nothing but white space may follow.
std::optional<std::string_view> Elements::end(bool broken) {
  skip_space();
  is_over_ = true;
  is_broken_ = broken || !rest_.empty();
  return std::nullopt;
}

std::optional<std::string_view> Elements::next() {
  if (is_over_) return std::nullopt;
  if (number_ > 0) {
    skip_space();
    if (!is_array_) return end(false);
    if (skip(']')) return end(false);
    if (!skip(',')) return end(true);
    skip_space();
  }
  ++number_;
  std::size_t length = plain_length(rest_, order_);
  is_plain_ = length > 0;
  if (is_plain_) {
    depth_ = is_array_ ? 2 : 1;
  } else {
    length = scan();
  }
  if (length == 0) return end(true);
  const std::string_view element = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return element;
}

// How long the value is that the rest begins with; 0 when none is there, or when it is not closed.
std::size_t Elements::scan() {
  std::size_t open = 0;
  std::size_t at = 0;
  depth_ = 0;
  while (at < rest_.size()) {
    const char c = rest_[at];
    const bool opens = c == '{' || c == '[';
    const bool closes = c == '}' || c == ']';
    if (open == 0 && (closes || c == ',' || (is_space(c) && at > 0))) break;
    at += c == '"' ? string_length(rest_.substr(at)) : 1;
    if (opens) depth_ = std::max(depth_, ++open);
    if (closes && --open == 0) break;
  }
  if (is_array_) ++depth_;
  return open == 0 ? at : 0;
}

}  // namespace agent::wire
