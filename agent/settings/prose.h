// Prose broken into lines, for comments, help and reference pages. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace agent::settings {

// Lines of at most `width` characters, broken between words; a longer word stands alone.
std::vector<std::string> wrap(std::string_view prose, std::size_t width);

}  // namespace agent::settings
