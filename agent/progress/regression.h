// Regressions: whether a family's runs have become worse, and since which one. Pure; any thread.
// Used by the web API.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "agent/progress/past.h"

namespace agent::progress {

// A step in a series of values.
struct Shift {
  std::size_t since = 0;         // the first value after it
  double before = 0, after = 0;  // means
  double significance = 0;       // difference of the means in standard errors
};

struct ShiftRule {
  double least = 0;         // difference of the means worth telling of
  double least_spread = 0;  // of the values; what they scatter at least, however few they are
  double significance = 3;
};

// The clearest rise, if there is one: the split into earlier (three at least) and later values
// whose means differ by most standard errors (two-sample t with pooled variance; Page, "Continuous
// inspection schemes", 1954, looks for the same step). Empty: none that the rule takes seriously.
[[nodiscard]] std::optional<Shift> find_rise(std::span<const double> values, const ShiftRule& rule);

struct Regression {
  std::string_view code;         // of static lifetime: "slowdown", "cost_increase", "more_failures"
  std::size_t since = 0;         // place of the first run that is worse
  double before = 0, after = 0;  // seconds a file, cost a file, error rate
  double change_percent = 0;     // points for the error rate
};

// Of the completed runs, the oldest first.
[[nodiscard]] std::vector<Regression> find_regressions(std::span<const PastRun> runs);

}  // namespace agent::progress
