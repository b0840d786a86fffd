// Arena: memory for bytes that come all at once and go all at once, as at a restart. It has its
// pages made a block at a time: one after the other, as they are touched, takes longer than to fill
// them; and larger ones take very long where the machine has none at hand. Not thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace agent::history {

class Arena {
 public:
  Arena() = default;
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Lives as long as the arena.
  [[nodiscard]] char* allocate(std::size_t bytes) {
    if (bytes > left_) grow(bytes);
    left_ -= bytes;
    return std::exchange(next_, next_ + bytes);
  }
  [[nodiscard]] std::string_view keep(std::string_view bytes);

 private:
  void grow(std::size_t bytes);

  char* next_ = nullptr;
  std::size_t left_ = 0;  // from there to the end of the last block
  std::vector<std::span<char>> blocks_;
};

}  // namespace agent::history
