// KeyOrder: the order in which the fields of events come, as learned from those before. The events
// of a stream have the same few fields in the same order, so that one comparison finds most of
// them, and their names are neither read nor looked up. What is recognised was read as a name
// before, byte for byte: no guess changes a meaning. Not thread-safe; allocates nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "agent/wire/keys.h"

namespace agent::wire {

template <typename Key>
class KeyOrder {
 public:
  // Before an object's first field.
  void begin() { field_ = kBegin; }
  // The value that comes after what is at `at`, when that is what it was the last time, such as
  // `,"status":`; null when not. Bytes behind `end` may be looked at: kMost of them.
  const char* follow(const char* at, const char* end) {
    const Between& known = after_[field_];
    if (end - at < known.length || known.differs(at)) return nullptr;
    field_ = known.field;
    return at + known.length;
  }
  // `between`, which holds `name`, came after the field that was last.
  void learn(std::string_view between, std::string_view name) {
    Between& known = after_[field_];
    field_ = kKeyTable<Key>.find(name);
    if (between.size() <= kMost) known = Between(between, field_);
  }
  // Whose value is next: an index of Key, or key_count() for a name that nobody knows.
  [[nodiscard]] std::size_t field() const { return field_; }

  static constexpr std::size_t kMost = 16;  // bytes compared; what is longer is always read

 private:
  using Words = std::array<std::uint64_t, kMost / sizeof(std::uint64_t)>;
  static constexpr std::size_t kBegin = key_count<Key>() + 1;

  // The bytes from the end of a value to the next, and to which field they led.
  struct Between {
    Between() = default;
    Between(std::string_view text, std::size_t to)
        : length(static_cast<std::ptrdiff_t>(text.size())), field(to) {
      std::array<unsigned char, kMost> mask{};
      std::fill_n(mask.begin(), text.size(), 0xff);
      std::memcpy(masks.data(), mask.data(), kMost);
      std::memcpy(words.data(), text.data(), text.size());
    }
    [[nodiscard]] bool differs(const char* at) const {
      Words these;
      std::memcpy(these.data(), at, kMost);
      return (((these[0] ^ words[0]) & masks[0]) | ((these[1] ^ words[1]) & masks[1])) != 0;
    }

    Words words{}, masks{};
    std::ptrdiff_t length = std::numeric_limits<std::ptrdiff_t>::max();
    std::size_t field = 0;
  };

  std::array<Between, key_count<Key>() + 2> after_;  // each field, one nobody knows, the beginning
  std::size_t field_ = kBegin;
};

}  // namespace agent::wire
