// PlainObject: reads the JSON that nearly every event is: one flat object of short keys, plain
// ASCII strings without escapes, unsigned decimals, true, false and null. Whatever is not that
// plain, or may be wrong, it leaves to the parser: it refuses nothing, and what it reads is what
// the parser would have read (a test compares them), at half of the cost, since it makes no
// tree. A view of the text; pure; used once. Every byte of nearly every event goes through it.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "agent/wire/value.h"

namespace agent::wire {

class PlainObject {
 public:
  // kPadding bytes after `json` must be readable.
  explicit PlainObject(std::string_view json) : at_(json.data()), end_(at_ + json.size()) {
    is_open_ = take('{');
  }

  // Goes to the next field; false: there is none, or it is not plain.
  bool next() {
    if (!is_open_) return false;
    if (is_first_) {
      if (take('}')) return close();
    } else if (!take(',')) {
      return take('}') ? close() : leave();
    }
    is_first_ = false;
    return take('"') && read_text(key_) && take(':') && read_value() ? true : leave();
  }
  [[nodiscard]] std::string_view key() const { return key_; }
  [[nodiscard]] const std::optional<Value>& value() const { return value_; }  // empty: null

  // Once `next` has returned false: all of the text was read, and is plain.
  [[nodiscard]] bool is_read() const { return is_read_; }

 private:
  static constexpr int kMostDigits = 15;  // so many are exact in a double

  bool close() {
    skip_space();
    is_open_ = false;
    is_read_ = at_ == end_;
    return false;
  }
  bool leave() { return is_open_ = false; }

  // Past the end there is padding, whatever it holds. No step goes far into it, the next string
  // begins before the end or not at all, and `close` sees where the object ended.
  void skip_space() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) ++at_;
  }
  bool take(char c) {
    if (*at_ != c) {
      skip_space();
      if (*at_ != c) return false;
    }
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (std::memcmp(at_, word.data(), word.size()) != 0) return false;
    at_ += word.size();
    return true;
  }

  // Which of the eight bytes a plain string does not hold as they are: quotes and backslashes,
  // control characters (DEL too), what is no ASCII. Only the first set bit is exact: a byte that is
  // found borrows from the next.
  static constexpr std::uint64_t not_plain(std::uint64_t word) {
    constexpr std::uint64_t kEach = 0x0101010101010101;
    const std::uint64_t quote = (word ^ kEach * '"') - kEach;
    const std::uint64_t backslash = (word ^ kEach * '\\') - kEach;
    const std::uint64_t control = (word - kEach * ' ') | (word + kEach);
    return (quote | backslash | control | word) & kEach * 0x80;
  }
  // After its opening quote.
  bool read_text(std::string_view& text) {
    static_assert(std::endian::native == std::endian::little);
    const char* const begin = at_;
    for (; at_ < end_; at_ += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, at_, sizeof word);
      const std::uint64_t found = not_plain(word);
      if (found == 0) continue;
      at_ += std::countr_zero(found) / 8;
      text = {begin, static_cast<std::size_t>(at_ - begin)};
      return *at_++ == '"';
    }
    return false;
  }

  bool read_value() {
    if (*at_ <= ' ') skip_space();
    if (*at_ >= '0' && *at_ <= '9') return read_number();
    if (*at_ == '"') {
      ++at_;
      std::string_view text;
      return read_text(text) && hold(text);
    }
    value_.reset();
    if (take_word("null")) return true;
    if (take_word("true")) return hold(true);
    return take_word("false") && hold(false);
  }
  template <typename T>
  bool hold(T value) {
    value_.emplace(value);
    return true;
  }

  int read_digits(std::uint64_t& number) {
    int count = 0;
    for (; count <= kMostDigits; ++count) {
      const auto digit = static_cast<unsigned>(at_[count]) - '0';
      if (digit > 9) break;
      number = number * 10 + digit;
    }
    at_ += count;
    return count;
  }
  // An integer of up to fifteen digits, and a power of ten up to that, are exact in a double: so
  // their quotient is the double nearest to the decimal (Clinger, "How to read floating point
  // numbers accurately", 1990).
  bool read_number() {
    static constexpr std::array<double, kMostDigits + 1> kPowers = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const bool is_zero = *at_ == '0';
    std::uint64_t number = 0;
    const int whole = read_digits(number);
    if (whole > kMostDigits || (is_zero && whole > 1)) return false;
    if (*at_ != '.') {
      return hold(static_cast<std::int64_t>(number));
    }
    ++at_;
    const int decimals = read_digits(number);
    if (decimals == 0 || whole + decimals > kMostDigits) return false;
    // An exponent is no comma: the next step leaves it.
    return hold(static_cast<double>(number) / kPowers[static_cast<std::size_t>(decimals)]);
  }

  const char* at_;
  const char* end_;
  bool is_open_ = false, is_first_ = true, is_read_ = false;
  std::string_view key_;
  std::optional<Value> value_;
};

}  // namespace agent::wire
