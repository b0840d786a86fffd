// bcrypt: whether a text is a hash of this kind, and whether a password is the one behind it. Costs
// what its author meant it to cost, a tenth of a second and more: never on the event loop. Pure;
// any thread.
#pragma once

#include <string_view>

#include "agent/result.h"

namespace agent::access {

// As promtool judges hashes: "$2y$10$" and 53 characters.
Result<void> check_bcrypt(std::string_view hash);

// `hash` has passed check_bcrypt(). A password with a NUL byte is nobody's: bcrypt in C would stop
// reading there and take what is before it.
[[nodiscard]] bool matches_bcrypt(std::string_view hash, std::string_view password);

}  // namespace agent::access
