// read_plain: reads the JSON that nearly every event is: one flat object of printable ASCII strings
// without escapes, unsigned decimals, true, false and null. Whatever is not that plain, or may be
// wrong, it leaves to the parser: it refuses nothing, and what it reads is what the parser would
// have read (a test compares them), at less than half of the cost, since it makes no tree. Pure.
// Nearly every byte of every event goes through it; its place in the text stays in a register.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "agent/wire/key_order.h"
#include "agent/wire/value.h"

namespace agent::wire {

// Each takes the place to read at, and gives the place after what it read; null: it is not plain.
// Past `end` there is padding, whatever it holds. No step goes far into it, a string begins before
// the end or not at all, and where the object ended is looked at last.
namespace plain {

constexpr int kMostDigits = 15;  // so many are exact in a double

inline const char* skip_space(const char* at, const char* end) {
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) ++at;
  return at;
}

inline const char* take(char c, const char* at, const char* end) {
  if (*at != c) at = skip_space(at, end);
  return *at == c ? at + 1 : nullptr;
}

// Which of the eight bytes a plain string does not hold as they are: quotes and backslashes,
// control characters (DEL too), what is no ASCII. Only the first set bit is exact: a byte that is
// found borrows from the next.
constexpr std::uint64_t odd_bytes(std::uint64_t word) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  const std::uint64_t quote = (word ^ kEach * '"') - kEach;
  const std::uint64_t backslash = (word ^ kEach * '\\') - kEach;
  const std::uint64_t control = (word - kEach * ' ') | (word + kEach);
  return (quote | backslash | control | word) & kEach * 0x80;
}

// After its opening quote.
inline const char* read_string(const char* at, const char* end, std::string_view& text) {
  static_assert(std::endian::native == std::endian::little);
  const char* const begin = at;
  for (; at < end; at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    const std::uint64_t odd = odd_bytes(word);
    if (odd == 0) continue;
    at += std::countr_zero(odd) / 8;
    text = {begin, static_cast<std::size_t>(at - begin)};
    return *at == '"' ? at + 1 : nullptr;
  }
  return nullptr;
}

// One digit too many is read and tells that there are.
inline const char* read_digits(const char* at, const char* most, std::uint64_t& number) {
  for (; at <= most; ++at) {
    const auto digit = static_cast<unsigned>(*at) - '0';
    if (digit > 9) break;
    number = number * 10 + digit;
  }
  return at;
}

// An integer of up to fifteen digits, and a power of ten up to that, are exact in a double: so
// their quotient is the double nearest to the decimal (Clinger, "How to read floating point numbers
// accurately", 1990). An exponent is no comma: whoever goes on from here leaves it.
inline const char* read_number(const char* at, Value& value) {
  static constexpr std::array<double, kMostDigits + 1> kPowers = {
      1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  const char* const begin = at;
  std::uint64_t number = 0;
  at = read_digits(at, begin + kMostDigits, number);
  const bool has_zero_before = *begin == '0' && at - begin > 1;
  if (at == begin || at - begin > kMostDigits || has_zero_before) return nullptr;
  if (*at != '.') {
    value = Value(static_cast<std::int64_t>(number));
    return at;
  }
  const char* const point = at;
  at = read_digits(point + 1, begin + kMostDigits + 1, number);
  const auto decimals = static_cast<std::size_t>(at - point - 1);
  if (decimals == 0 || at - begin > kMostDigits + 1) return nullptr;
  value = Value(static_cast<double>(number) / kPowers[decimals]);
  return at;
}

inline const char* read_word(const char* at, Value& value) {
  const auto is = [at](std::string_view word) {
    return std::memcmp(at, word.data(), word.size()) == 0;
  };
  if (is("null")) return value = Value(nullptr), at + 4;
  if (is("true")) return value = Value(true), at + 4;
  if (is("false")) return value = Value(false), at + 5;
  return nullptr;
}

inline const char* read_value(const char* at, const char* end, Value& value) {
  if (*at <= ' ') at = skip_space(at, end);
  if (*at >= '0' && *at <= '9') return read_number(at, value);
  if (*at != '"') return read_word(at, value);
  std::string_view text;
  at = read_string(at + 1, end, text);
  value = Value(text);
  return at;
}

// A field's name at `name`, and its colon; what is between it and the value before begins at `at`.
template <typename Key>
const char* read_name(const char* at, const char* name, const char* end, KeyOrder<Key>& order) {
  std::string_view key;
  if ((name = take('"', name, end)) == nullptr) return nullptr;
  if ((name = read_string(name, end, key)) == nullptr) return nullptr;
  if ((name = take(':', name, end)) == nullptr) return nullptr;
  order.learn({at, static_cast<std::size_t>(name - at)}, key);
  return name;
}

// After an object that begins at `at`; null: it is not plain altogether.
template <typename Key, typename Place>
[[nodiscard]] const char* read_object(const char* at, const char* end, KeyOrder<Key>& order,
                                      Place place) {
  order.begin();
  const char* value = order.follow(at, end);
  if (value == nullptr) {
    const char* first = take('{', at, end);
    if (first == nullptr) return nullptr;
    if (const char* none = take('}', first, end)) return none;
    value = read_name(at, first, end, order);
  }
  while (value != nullptr) {
    at = read_value(value, end, place(order.field()));
    if (at == nullptr) break;
    value = order.follow(at, end);
    if (value != nullptr) continue;
    const char* next = take(',', at, end);
    if (next == nullptr) return take('}', at, end);
    value = read_name(at, next, end, order);
  }
  return nullptr;
}

}  // namespace plain

// Asks `place(field)`, an index as KeyOrder's, where each field's value is to be written: not
// copied there, which would wait for what was just written in parts. False: `json` is not plain
// altogether, and what was read means nothing. kPadding bytes after it must be readable.
template <typename Key, typename Place>
[[nodiscard]] bool read_plain(std::string_view json, KeyOrder<Key>& order, Place place) {
  const char* const end = json.data() + json.size();
  const char* const at = plain::read_object(json.data(), end, order, place);
  return at != nullptr && plain::skip_space(at, end) == end;
}

// How long the plain object is that `json` begins with, which more may follow; 0: it begins with
// none. kPadding bytes after it must be readable.
template <typename Key>
[[nodiscard]] std::size_t plain_length(std::string_view json, KeyOrder<Key>& order) {
  Value value;
  const char* const end = json.data() + json.size();
  const char* const at =
      plain::read_object(json.data(), end, order, [&](std::size_t) -> Value& { return value; });
  return at == nullptr || at > end ? 0 : static_cast<std::size_t>(at - json.data());
}

}  // namespace agent::wire
