// What this binary is. Constant; any thread.
#pragma once

#include <string>
#include <string_view>

#include "agent/metrics/registry.h"

namespace agent::cli {

std::string_view version();   // "0.1.0"
std::string_view revision();  // of the source it was built from
std::string_view compiler();  // "GCC 12.2.0"

metrics::Build build();  // all three, for /metrics

// `--version`: the three, and the libraries it was built with.
std::string version_text();

}  // namespace agent::cli
