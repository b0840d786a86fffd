// Result<T>: a value, or an Error that says what was being attempted. Used everywhere; throws
// nothing.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace agent {

struct Error {
  std::string message;  // what was attempted, on what, and why it failed; for a person to read
};

template <typename T, typename E = Error>
using Result = tl::expected<T, E>;

template <typename E>
tl::unexpected<std::decay_t<E>> failure(E&& error) {
  return tl::unexpected<std::decay_t<E>>(std::forward<E>(error));
}
inline tl::unexpected<Error> failure(std::string message) {
  return tl::unexpected<Error>(Error{std::move(message)});
}

}  // namespace agent
