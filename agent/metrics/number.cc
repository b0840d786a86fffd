#include "agent/metrics/number.h"

#include <array>

namespace agent::metrics {
namespace {

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
constexpr double kMillion = 1e6;
// Decimals of at most 15 digits are each another double, so the one found is the shortest.
constexpr double kExactMillionths = 1e15;
constexpr double kLeastFixed = 1e-3;  // below it the shortest has an exponent

// Six digits after the point, without the zeros at the end.
char* put_millionths(char* at, std::uint32_t millionths) {
  std::array<char, 6> digits;
  for (std::size_t i = digits.size(); i-- > 0; millionths /= 10) {
    digits[i] = static_cast<char>('0' + millionths % 10);
  }
  std::size_t length = digits.size();
  while (digits[length - 1] == '0') --length;
  for (std::size_t i = 0; i < length; ++i) *at++ = digits[i];
  return at;
}

}  // namespace

char* Number::put_seconds(char* at, std::int64_t microseconds) {
  constexpr std::uint64_t kPerSecond = 1'000'000;
  auto size = static_cast<std::uint64_t>(microseconds);
  if (microseconds < 0) {
    *at++ = '-';
    size = -size;
  }
  at = std::to_chars(at, at + kRoom, size / kPerSecond).ptr;
  if (size % kPerSecond == 0) return at;
  *at++ = '.';
  return put_millionths(at, static_cast<std::uint32_t>(size % kPerSecond));
}

char* Number::put_real(char* at, double value) {
  if (std::abs(value) < kExactIntegers && std::trunc(value) == value) {
    return std::to_chars(at, at + kRoom, static_cast<std::int64_t>(value)).ptr;
  }
  // What a person configured, and sums of that, have few decimals: no search for the shortest.
  const double size = std::abs(value), millionths = size * kMillion;
  if (size >= kLeastFixed && millionths < kExactMillionths) {
    const auto rounded = static_cast<std::int64_t>(millionths + 0.5);
    if (static_cast<double>(rounded) / kMillion == size) {
      return put_seconds(at, value < 0 ? -rounded : rounded);
    }
  }
  return std::to_chars(at, at + kRoom, value).ptr;
}

}  // namespace agent::metrics
