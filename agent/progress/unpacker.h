// Unpacker: what a Packer wrote, as values again. Bytes that make no sense (a damaged file) never
// crash: `ok()` says so once at the end. See archive.h. Pure; not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "agent/clock.h"
#include "agent/progress/fields.h"

namespace agent::progress {

class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes, Now now = {}) : rest_(bytes), now_(now) {}

  template <typename... T>
  void operator()(T&... values) {
    (get(values), ...);
  }
  // What Packer::text wrote; a view into the bytes.
  [[nodiscard]] std::string_view text() { return take(number()); }
  // What Packer::raw wrote; a view into the bytes.
  [[nodiscard]] std::string_view bytes(std::uint64_t length) { return take(length); }
  // What lies between Packer::open and close; a view into the bytes.
  [[nodiscard]] std::string_view part() {
    std::uint32_t length = 0;
    const std::string_view bytes = take(sizeof length);
    if (ok_) std::memcpy(&length, bytes.data(), sizeof length);
    last_ = {};
    return take(length);
  }
  [[nodiscard]] std::uint64_t number() {
    if (rest_.empty() || (static_cast<unsigned char>(rest_.front()) & 0x80U) != 0)
      return long_number();
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }

  void fail() {
    ok_ = false;
    rest_ = {};
  }
  // False: the bytes were not what was expected, and the values are not to be used.
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] Now now() const { return now_; }

 private:
  // One of several bytes, as few are.
  std::uint64_t long_number() {
    std::uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      v |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if ((byte & 0x80U) == 0) return v;
    }
    fail();
    return 0;
  }

  std::string_view take(std::uint64_t length) {
    if (length > rest_.size()) {
      fail();
      return {};
    }
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
  }
  static std::int64_t unzigzag(std::uint64_t v) {
    return static_cast<std::int64_t>((v >> 1U) ^ (~(v & 1U) + 1));
  }

  template <typename T>
  void get(T& v) {
    if constexpr (ListsFields<T, Unpacker>) {
      T::fields(*this, v);
    } else if constexpr (std::is_same_v<T, bool>) {
      v = number() != 0;
    } else if constexpr (std::is_enum_v<T>) {
      const std::uint64_t n = number();
      if (n >= kValues<T>) return fail();
      v = static_cast<T>(n);
    } else if constexpr (std::is_unsigned_v<T>) {
      v = static_cast<T>(number());
    } else if constexpr (std::is_integral_v<T>) {
      v = static_cast<T>(unzigzag(number()));
    } else {
      fields(*this, v);
    }
  }
  void get(double& v) {
    const std::uint64_t n = number();
    if ((n & 1U) != 0) {
      v = static_cast<double>(unzigzag(n >> 1U));
      return;
    }
    if (const std::string_view bytes = take(sizeof v); ok_) std::memcpy(&v, bytes.data(), sizeof v);
  }
  void get(float& v) {
    if (const std::string_view bytes = take(sizeof v); ok_) std::memcpy(&v, bytes.data(), sizeof v);
  }
  void get(Instant& v) {
    const std::uint64_t n = number();
    if (n == 0) {
      v = Instant::min();
      return;
    }
    last_ += static_cast<std::uint64_t>(unzigzag(n - 1));
    v = Instant(Duration(static_cast<std::int64_t>(last_)));
    if (!is_plausible(v) && v != Instant::max()) fail();
  }
  void get(SteadyInstant& v) {
    Instant wall;
    get(wall);
    if (!is_plausible(wall)) return fail();  // never, too
    v = now_.steady + (wall - now_.wall);
  }
  // Within 36,000 years of 1970, so that no difference overflows; anything else is damage.
  static bool is_plausible(Instant v) {
    constexpr Duration kFurthest{std::int64_t{1} << 60U};
    return v.time_since_epoch() >= -kFurthest && v.time_since_epoch() <= kFurthest;
  }
  void get(Duration& v) { v = Duration(unzigzag(number())); }
  void get(std::string& v) { v = text(); }
  template <typename T>
  void get(std::optional<T>& v) {
    v.reset();
    if (number() == 0) return;
    v = T{};  // not emplace(): Clang 14 refuses it for a nested T with default values
    get(*v);
  }
  template <typename A, typename B>
  void get(std::pair<A, B>& v) {
    get(v.first);
    get(v.second);
  }
  template <typename T>
  void get(std::vector<T>& v) {
    const std::uint64_t size = number();
    if (size > rest_.size()) return fail();  // each takes a byte at least
    v.clear();
    v.reserve(size);
    for (std::uint64_t i = 0; i < size && ok_; ++i) get(v.emplace_back());
  }
  template <typename T, std::size_t N>
  void get(std::array<T, N>& v) {
    if constexpr (std::is_arithmetic_v<T>) {
      const std::uint64_t present = number();
      for (std::size_t i = 0; i < N; ++i) {
        v[i] = T{};
        if ((present >> i & 1U) != 0) get(v[i]);
      }
    } else {
      for (T& each : v) get(each);
    }
  }

  std::string_view rest_;
  bool ok_ = true;
  std::uint64_t last_ = 0;
  Now now_;
};

}  // namespace agent::progress
