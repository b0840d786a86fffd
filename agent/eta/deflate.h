// Deflate: bytes made fewer, where they wait long to be read: by zlib, fast rather than small.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace agent::eta {

// Empty: there is no memory for it.
std::optional<std::string> deflate(std::string_view plain);
// What `deflate` was given, `size` bytes of it. Empty: damaged.
std::optional<std::string> inflate(std::string_view deflated, std::size_t size);

}  // namespace agent::eta
