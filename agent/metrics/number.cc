#include "agent/metrics/number.h"

#include <array>

namespace agent::metrics {
namespace {

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53

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
  return std::to_chars(at, at + kRoom, value).ptr;
}

}  // namespace agent::metrics
