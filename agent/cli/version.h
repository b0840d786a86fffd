// What this binary is. Constant; any thread.
#pragma once

#include <string>
#include <string_view>

namespace agent::cli {

std::string_view version();   // "0.1.0"
std::string_view revision();  // of the source it was built from
std::string_view compiler();  // "GCC 12.2.0"

// `--version`: all of these, and the libraries it was built with.
std::string version_text();

}  // namespace agent::cli
