// Packer and Unpacker: values as few bytes, and back. A type lists its fields once, in a static
// `fields(archive, self)` or a free one, and both directions follow that list:
//
//   template <class Archive, class Self>
//   static void fields(Archive& archive, Self& self) { archive(self.count_, self.sum_); }
//
// Used for what storage keeps and restores. Integers take as many bytes as they need, instants are
// differences to the one before, arrays leave out their zeros. Bytes that make no sense (a damaged
// file) never crash: `ok()` says so once at the end. Pure; not thread-safe.
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
#include "agent/progress/names.h"

namespace agent::progress {

// How many values an enum has: the bound that unpacking checks.
template <typename Enum>
inline constexpr std::size_t kValues = 0;
template <>
inline constexpr std::size_t kValues<FileStatus> = kFileStatusNames.size();
template <>
inline constexpr std::size_t kValues<EndStatus> = kEndStatusNames.size();
template <>
inline constexpr std::size_t kValues<Mode> = kModeNames.size();

template <typename T, typename Archive>
concept ListsFields = requires(Archive& a, T& v) {
  std::remove_const_t<T>::fields(a, v);
};

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
    const std::size_t capacity = std::max<std::size_t>(4'096, (size_ + more) * 2);
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

class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes, Now now = {}) : rest_(bytes), now_(now) {}

  template <typename... T>
  void operator()(T&... values) {
    (get(values), ...);
  }
  // What Packer::text wrote; a view into the bytes.
  [[nodiscard]] std::string_view text() { return take(number()); }
  // What lies between Packer::open and close; a view into the bytes.
  [[nodiscard]] std::string_view part() {
    std::uint32_t length = 0;
    const std::string_view bytes = take(sizeof length);
    if (ok_) std::memcpy(&length, bytes.data(), sizeof length);
    last_ = {};
    return take(length);
  }
  [[nodiscard]] std::uint64_t number() {
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
