#include "agent/progress/text.h"

#include <random>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace agent::progress {
namespace {

std::uint64_t draw_seed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32U) | device();
}
const std::uint64_t kSeed = draw_seed();

}  // namespace

std::uint64_t seeded_hash(std::string_view text) {
  return XXH3_64bits_withSeed(text.data(), text.size(), kSeed);
}

std::uint64_t stable_hash(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

}  // namespace agent::progress
