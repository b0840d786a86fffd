// Number: one sample's value on its way to the page: an integer, a real, a time, or nothing. What
// is unknown is absent: never 0, NaN or infinity. Pure; any thread.
#pragma once

#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <optional>

#include "agent/clock.h"

namespace agent::metrics {

class Number {
 public:
  // The longest that `put` writes.
  static constexpr std::size_t kRoom = 32;

  // Implicit, so that a row of the table is the field it shows and nothing else.
  // NOLINTBEGIN(google-explicit-constructor)
  constexpr Number(std::integral auto value)
      : kind_(Kind::kInteger), integer_(static_cast<std::int64_t>(value)) {}
  constexpr Number(double value)
      : kind_(Kind::kReal), integer_(std::bit_cast<std::int64_t>(value)) {}
  constexpr Number(Duration value) : kind_(Kind::kMicroseconds), integer_(value.count()) {}
  // Estimates, as the API shows them: nobody knows one to less than a microsecond.
  constexpr Number(Span value) : Number(std::chrono::round<Duration>(value)) {}
  constexpr Number(Instant value) : Number(value.time_since_epoch()) {}
  constexpr Number(std::nullopt_t /*unknown*/) {}
  template <typename T>
  constexpr Number(const std::optional<T>& value) {
    if (value) *this = Number(*value);
  }
  // NOLINTEND(google-explicit-constructor)

  [[nodiscard]] bool is_known() const {
    return kind_ != Kind::kAbsent && (kind_ != Kind::kReal || std::isfinite(real()));
  }
  [[nodiscard]] bool is_negative() const {
    return kind_ == Kind::kReal ? real() < 0 : integer_ < 0;
  }

  // A known number for prometheus-cpp's model, which has nothing but doubles.
  [[nodiscard]] double as_double() const {
    if (kind_ == Kind::kReal) return real();
    if (kind_ == Kind::kMicroseconds) return seconds(Duration(integer_));
    return static_cast<double>(integer_);
  }
  // Writes a known number: as few digits as read back to the same value. Returns the end.
  char* put(char* at) const {
    if (kind_ == Kind::kInteger) return std::to_chars(at, at + kRoom, integer_).ptr;
    if (kind_ == Kind::kMicroseconds) return put_seconds(at, integer_);
    return put_real(at, real());
  }

 private:
  enum class Kind : std::uint8_t { kAbsent, kInteger, kMicroseconds, kReal };

  [[nodiscard]] double real() const { return std::bit_cast<double>(integer_); }
  static char* put_seconds(char* at, std::int64_t microseconds);
  static char* put_real(char* at, double value);

  Kind kind_ = Kind::kAbsent;
  std::int64_t integer_ = 0;  // a real is kept as its bits, so that a Number fits two registers
};

}  // namespace agent::metrics
