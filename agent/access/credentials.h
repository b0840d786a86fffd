// Credentials: what a request's Authorization field says (RFC 7617, RFC 6750). Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace agent::access {

struct Basic {
  std::string name, password;
};
struct Bearer {
  std::string token;
};
// Nothing: there are none that can be read.
using Credentials = std::variant<std::monostate, Basic, Bearer>;

Credentials read_credentials(std::string_view authorization);

}  // namespace agent::access
