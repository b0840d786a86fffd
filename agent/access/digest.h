// Digest: what stands for a secret in memory and in comparisons, a hash (HMAC-SHA256) under a key
// that this process made at random: nobody can choose two secrets that meet, and what is compared
// says nothing about them. Any thread.
#pragma once

#include <array>
#include <initializer_list>
#include <string_view>

namespace agent::access {

using Digest = std::array<unsigned char, 32>;

class DigestKey {
 public:
  DigestKey();
  // Of all parts; the boundaries between them count.
  [[nodiscard]] Digest of(std::initializer_list<std::string_view> parts) const;

 private:
  std::array<unsigned char, 32> key_{};
};

// Takes equally long wherever they differ.
[[nodiscard]] bool are_equal(const Digest& a, const Digest& b);

}  // namespace agent::access
