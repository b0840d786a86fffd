#include "agent/access/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace agent::access {

// The C library's randomness, which never fails, not OpenSSL's, which would be initialised by it.
DigestKey::DigestKey() { ::arc4random_buf(key_.data(), key_.size()); }

Digest DigestKey::of(std::initializer_list<std::string_view> parts) const {
  std::string all;
  for (const std::string_view part : parts) {
    const std::uint64_t size = part.size();
    all.append(reinterpret_cast<const char*>(&size), sizeof size).append(part);
  }
  Digest digest{};
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const unsigned char*>(all.data()), all.size(), digest.data(), nullptr);
  OPENSSL_cleanse(all.data(), all.size());
  return digest;
}

bool are_equal(const Digest& a, const Digest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace agent::access
