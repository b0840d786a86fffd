#include "agent/access/credentials.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace agent::access {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

int sextet(char c) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t at = kDigits.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// Base64 in its one spelling: whole groups, padded, nothing between.
std::optional<std::string> decode(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string out;
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_padding = i + padding >= text.size();
    const int value = is_padding ? 0 : sextet(text[i]);
    if (value < 0) return std::nullopt;
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    if (i % 4 != 3) continue;
    for (const unsigned shift : {16U, 8U, 0U}) out += static_cast<char>(bits >> shift & 0xffU);
    bits = 0;
  }
  out.resize(out.size() - padding);
  return out;
}

bool is_scheme(std::string_view given, std::string_view scheme) {
  return std::ranges::equal(given, scheme, {}, lower, lower);
}

}  // namespace

Credentials read_credentials(std::string_view authorization) {
  const std::size_t space = authorization.find(' ');
  if (space == std::string_view::npos) return {};
  std::string_view rest = authorization.substr(space);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const std::string_view scheme = authorization.substr(0, space);
  if (is_scheme(scheme, "bearer") && !rest.empty()) return Bearer{std::string(rest)};
  if (!is_scheme(scheme, "basic")) return {};
  const auto text = decode(rest);
  if (!text) return {};
  const std::size_t colon = text->find(':');
  if (colon == std::string::npos) return {};
  return Basic{text->substr(0, colon), text->substr(colon + 1)};
}

}  // namespace agent::access
