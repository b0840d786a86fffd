#include "agent/metrics/text.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <new>

namespace agent::metrics {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::size_t kFirstCapacity = 16'384;
constexpr std::size_t kHugePage = 2'097'152;

// The length of the code point that `text` begins with; 0: it begins with no valid UTF-8 (RFC 3629:
// no overlong forms, no surrogates, nothing above U+10FFFF).
std::size_t code_point_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!continues(1) || !continues(2)) return 0;
    const bool overlong = lead == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = lead == 0xED && byte(1) > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    const bool overlong = lead == 0xF0 && byte(1) < 0x90;
    const bool beyond = lead == 0xF4 && byte(1) > 0x8F;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}

// Calls `take` with each piece of the value as it will be shown: valid code points, or U+FFFD for a
// byte that belongs to none; as many as fit in kMaxLabelValue bytes.
template <typename Take>
void for_each_code_point(std::string_view value, Take take) {
  std::size_t shown = 0;
  while (!value.empty()) {
    const std::size_t length = code_point_length(value);
    const std::string_view piece = length == 0 ? kReplacement : value.substr(0, length);
    if (shown + piece.size() > kMaxLabelValue) return;
    shown += piece.size();
    take(piece);
    value.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

constexpr bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

// Whether all of the eight bytes are: each line of a page has one label value, or more.
bool is_plain_word(const char* at) {
  constexpr std::uint64_t kEach = 0x0101010101010101, kHigh = 0x8080808080808080;
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  const std::uint64_t quote = (word ^ kEach * '"') - kEach;
  const std::uint64_t backslash = (word ^ kEach * '\\') - kEach;
  return ((quote | backslash | (word - kEach * ' ') | word) & kHigh) == 0;
}

bool is_plain(std::string_view value) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  if (value.size() < kWord) return std::ranges::all_of(value, [](char c) { return is_plain(c); });
  for (std::size_t i = 0; i + kWord < value.size(); i += kWord) {
    if (!is_plain_word(value.data() + i)) return false;
  }
  return is_plain_word(value.data() + value.size() - kWord);
}

char* put_escaped(char* at, std::string_view piece) {
  const char c = piece.front();
  if (c != '\n' && c != '"' && c != '\\') return put(at, piece);
  *at++ = '\\';
  *at++ = c == '\n' ? 'n' : c;
  return at;
}

// The decimal exponent of a number written as "1.25e+06".
int exponent_of(std::string_view scientific) {
  std::string_view exponent = scientific.substr(scientific.find('e') + 1);
  if (exponent.front() == '+') exponent.remove_prefix(1);
  int value = 0;
  std::from_chars(exponent.data(), exponent.data() + exponent.size(), value);
  return value;
}

std::string spell(double value, std::chars_format format) {
  std::array<char, 64> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, format).ptr;
  return {digits.data(), end};
}

}  // namespace

// Room of a huge page or more lies in huge pages, where the kernel has them: at a scrape all of it
// is written and read, and none of its pages is in a table of the processor's any more.
void Text::grow(std::size_t n) {
  const std::size_t capacity = std::max({std::bit_ceil(size_ + n), 2 * capacity_, kFirstCapacity});
  const bool is_huge = capacity >= kHugePage;
  std::unique_ptr<char[], Free> larger(static_cast<char*>(
      is_huge ? std::aligned_alloc(kHugePage, capacity) : std::malloc(capacity)));
  if (!larger) throw std::bad_alloc();
  if (is_huge) static_cast<void>(madvise(larger.get(), capacity, MADV_HUGEPAGE));
  if (size_ > 0) std::memcpy(larger.get(), begin_.get(), size_);
  begin_ = std::move(larger);
  capacity_ = capacity;
}

char* put_label_value(char* at, std::string_view value) {
  if (value.size() <= kMaxLabelValue && is_plain(value)) return put(at, value);
  for_each_code_point(value, [&](std::string_view piece) { at = put_escaped(at, piece); });
  return at;
}

void append_label(Text& out, std::string_view name, std::string_view value) {
  const bool is_first = out.view().ends_with('{');
  char* at = out.room(name.size() + kLabelValueRoom + 4);
  if (!is_first) *at++ = ',';
  at = put(at, name);
  at = put(at, "=\"");
  at = put_label_value(at, value);
  *at++ = '"';
  out.commit(at);
}

std::string label_value(std::string_view value) {
  std::string shown;
  for_each_code_point(value, [&](std::string_view piece) { shown += piece; });
  return shown;
}

bool is_label_value(std::string_view value) {
  if (value.size() > kMaxLabelValue) return false;
  if (is_plain(value)) return true;
  return label_value(value) == value;
}

std::string bound_text(double bound) {
  std::string scientific = spell(bound, std::chars_format::scientific);
  const int exponent = exponent_of(scientific);
  if (exponent < -4 || exponent >= 6) return scientific;
  std::string fixed = spell(bound, std::chars_format::fixed);
  return fixed.find('.') == std::string::npos ? fixed + ".0" : fixed;
}

}  // namespace agent::metrics
