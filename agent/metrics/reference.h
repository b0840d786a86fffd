// Reference: the tables of all metrics in Markdown, from the tables in the code: what `docs
// metrics` prints and README.md holds. Pure; any thread.
#pragma once

#include <string>

namespace agent::metrics {

[[nodiscard]] std::string reference();

}  // namespace agent::metrics
