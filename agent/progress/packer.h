// Packer: values as few bytes, for what storage keeps. Integers take as many bytes as they need,
// instants are differences to the one before, arrays leave out their zeros. See archive.h. Pure;
// not thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "agent/clock.h"
#include "agent/progress/fields.h"

namespace agent::progress {

class Packer {
 public:
  // `now` relates steady to wall time: a steady instant is packed as the wall time it was at.
  explicit Packer(Now now = {}) : now_(now) {}

  template <typename... T>
  void operator()(const T&... values) {
    (put(values), ...);
  }
  void text(std::string_view bytes) {
    number(bytes.size());
    raw(bytes);
  }
  void raw(std::string_view bytes) {
    if (bytes.empty()) return;  // its `data` may be null
    make_room(bytes.size());
    std::memcpy(bytes_.get() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void number(std::uint64_t v) {
    make_room(10);
    auto* at = bytes_.get() + size_;
    while (v >= 0x80) {
      *at++ = static_cast<char>(v | 0x80U);
      v >>= 7U;
    }
    *at++ = static_cast<char>(v);
    size_ = static_cast<std::size_t>(at - bytes_.get());
  }

  // A part whose length is written before it: `close` takes what `open` gave.
  [[nodiscard]] std::size_t open() {
    make_room(sizeof(std::uint32_t));
    size_ += sizeof(std::uint32_t);
    last_ = {};
    return size_;
  }
  void close(std::size_t mark) {
    const auto length = static_cast<std::uint32_t>(size_ - mark);
    std::memcpy(bytes_.get() + mark - sizeof length, &length, sizeof length);
    last_ = {};
  }

  [[nodiscard]] std::string_view bytes() const { return {bytes_.get(), size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  void clear(Now now) {
    size_ = 0;
    now_ = now;
    last_ = {};
  }
  // Gives back the memory of an unusually large use.
  void shrink(std::size_t keep) {
    if (capacity_ <= keep || size_ > 0) return;
    bytes_.reset();
    capacity_ = 0;
  }
  [[nodiscard]] Now now() const { return now_; }

 private:
  void make_room(std::size_t more) {
    if (capacity_ - size_ < more) grow(more);
  }
  void grow(std::size_t more) {
    const std::size_t capacity = std::max<std::size_t>(256, (size_ + more) * 2);
    auto grown = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ > 0) std::memcpy(grown.get(), bytes_.get(), size_);
    bytes_ = std::move(grown);
    capacity_ = capacity;
  }

  template <typename T>
  void put(const T& v) {
    if constexpr (ListsFields<const T, Packer>) {
      T::fields(*this, v);
    } else if constexpr (std::is_same_v<T, bool>) {
      number(v ? 1 : 0);
    } else if constexpr (std::is_enum_v<T>) {
      static_assert(kValues<T> > 0);
      number(static_cast<std::uint64_t>(v));
    } else if constexpr (std::is_unsigned_v<T>) {
      number(v);
    } else if constexpr (std::is_integral_v<T>) {
      zigzag(v);
    } else {
      fields(*this, v);
    }
  }
  void zigzag(std::int64_t v) {
    number((static_cast<std::uint64_t>(v) << 1U) ^ static_cast<std::uint64_t>(v >> 63));
  }
  // Whole numbers, which most are, as an odd number; others as a zero and eight bytes.
  void put(double v) {
    constexpr double kWhole = 1LL << 52;
    if (v > -kWhole && v < kWhole) {
      const auto whole = static_cast<std::int64_t>(v);
      if (std::bit_cast<std::uint64_t>(static_cast<double>(whole)) ==
          std::bit_cast<std::uint64_t>(v)) {
        number(
            (((static_cast<std::uint64_t>(whole) << 1U) ^ static_cast<std::uint64_t>(whole >> 63))
             << 1U) |
            1U);
        return;
      }
    }
    number(0);
    raw({reinterpret_cast<const char*>(&v), sizeof v});
  }
  void put(float v) { raw({reinterpret_cast<const char*>(&v), sizeof v}); }
  // 0: never. Else the difference to the last one, plus one.
  void put(Instant v) {
    if (v == Instant::min()) return number(0);
    const auto difference =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(v.time_since_epoch().count()) - last_);
    last_ = static_cast<std::uint64_t>(v.time_since_epoch().count());
    number(((static_cast<std::uint64_t>(difference) << 1U) ^
            static_cast<std::uint64_t>(difference >> 63)) +
           1);
  }
  void put(SteadyInstant v) { put(now_.wall + (v - now_.steady)); }
  void put(Duration v) { zigzag(v.count()); }
  void put(const std::string& v) { text(v); }
  template <typename T>
  void put(const std::optional<T>& v) {
    number(v.has_value() ? 1 : 0);
    if (v) put(*v);
  }
  template <typename A, typename B>
  void put(const std::pair<A, B>& v) {
    put(v.first);
    put(v.second);
  }
  template <typename T>
  void put(const std::vector<T>& v) {
    number(v.size());
    for (const T& each : v) put(each);
  }
  template <typename T, std::size_t N>
  void put(const std::array<T, N>& v) {
    if constexpr (std::is_arithmetic_v<T>) {
      static_assert(N < 64);
      std::uint64_t present = 0;
      for (std::size_t i = 0; i < N; ++i) {
        if (v[i] != T{}) present |= std::uint64_t{1} << i;
      }
      number(present);
      for (std::size_t i = 0; i < N; ++i) {
        if (v[i] != T{}) put(v[i]);
      }
    } else {
      for (const T& each : v) put(each);
    }
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0, capacity_ = 0;
  std::uint64_t last_ = 0;  // the last instant packed
  Now now_;
};

}  // namespace agent::progress
