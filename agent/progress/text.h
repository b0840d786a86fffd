// Text from outside, made safe to keep: cutting at code points, and hashing. Pure; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace agent::progress {

// The longest prefix of at most `limit` bytes that ends between two code points. `text` is valid
// UTF-8.
constexpr std::string_view cut_utf8(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U) --limit;
  return text.substr(0, limit);
}

// XXH3 with a seed drawn once per process, so that nobody outside can choose keys that collide.
std::uint64_t seeded_hash(std::string_view text);
// XXH3 without a seed: the same in every run, for what is kept (family history).
std::uint64_t stable_hash(std::string_view text);

// For hash maps keyed by text, looked up by view.
struct TextHash {
  using is_transparent = void;
  using is_avalanching = void;
  std::size_t operator()(std::string_view text) const { return seeded_hash(text); }
};
using TextEqual = std::equal_to<>;

}  // namespace agent::progress
