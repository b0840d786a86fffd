#include "agent/access/bcrypt.h"

#include <crypt.h>
#include <openssl/crypto.h>

#include <memory>
#include <string>

namespace agent::access {
namespace {

constexpr std::size_t kShortest = 59, kSaltAndHash = 53;
constexpr int kLeastCost = 4, kGreatestCost = 31;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Where the cost stands: behind "$2$" or "$2y$".
std::size_t cost_at(std::string_view hash) { return hash[2] == '$' ? 3 : 4; }

}  // namespace

Result<void> check_bcrypt(std::string_view hash) {
  if (hash.size() < kShortest) return failure(std::string("it is too short"));
  const std::size_t at = cost_at(hash);
  if (!hash.starts_with("$2") || hash[at - 1] != '$') {
    return failure(std::string("it does not begin with $2y$, $2a$ or $2b$"));
  }
  if (!is_digit(hash[at]) || !is_digit(hash[at + 1]) || hash[at + 2] != '$') {
    return failure(std::string("its cost is no number of two digits"));
  }
  const int cost = 10 * (hash[at] - '0') + (hash[at + 1] - '0');
  if (cost < kLeastCost || cost > kGreatestCost)
    return failure(std::string("its cost is not between 04 and 31"));
  return {};
}

bool matches_bcrypt(std::string_view hash, std::string_view password) {
  if (password.find('\0') != std::string_view::npos) return false;
  // The letter behind the 2 names the program that made it; all mean the same to those who are not
  // $2x$'s bug.
  const std::string setting = "$2b$" + std::string(hash.substr(cost_at(hash)));
  const std::string phrase(password);
  const auto scratch = std::make_unique<crypt_data>();
  // Not crypt_r(), which AddressSanitizer replaces and, in a program linked with the archive,
  // cannot find.
  const char* made = crypt_rn(phrase.c_str(), setting.c_str(), scratch.get(), sizeof *scratch);
  if (made == nullptr) return false;
  const std::string_view is(made);
  const bool matches = is.size() == setting.size() && is.size() == 7 + kSaltAndHash &&
                       CRYPTO_memcmp(is.data(), setting.data(), is.size()) == 0;
  OPENSSL_cleanse(scratch.get(), sizeof *scratch);
  return matches;
}

}  // namespace agent::access
