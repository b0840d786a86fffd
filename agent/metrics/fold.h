// Fold: keeps lists that grow with what events hold within the bounds of the page. Values that
// would be the same label value are merged, and those beyond the bound become "other": counts are
// added up, and of a gauge the last known value stands. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "agent/metrics/agent_counts.h"
#include "agent/progress/snapshot.h"

namespace agent::metrics {

inline constexpr std::string_view kOther = "other";

// How a list lies in its bound: at most `max_values` labels beside "other", and nothing in them to
// cut.
enum class Fit : std::uint8_t {
  kWhole,
  kFolded,  // it fits, because the session itself folded what had no place into its "other"
  kNot,     // to be folded
};
[[nodiscard]] Fit fit(std::span<const progress::ProviderTally> providers, std::size_t max_values);
[[nodiscard]] Fit fit(std::span<const progress::StageTally> stages, std::size_t max_values);
[[nodiscard]] Fit fit(std::span<const EtaErrorSeries> errors, std::size_t max_values);

template <typename T>
struct Folded {
  std::vector<T> list;
  std::uint64_t folded = 0;  // elements that became "other"
};

// The first `max_values` distinct labels stay themselves: the lists are in the order first seen, so
// that what is "other" once stays so, and no counter goes down.
[[nodiscard]] Folded<progress::ProviderTally> fold(
    std::span<const progress::ProviderTally> providers, std::size_t max_values);
[[nodiscard]] Folded<progress::StageTally> fold(std::span<const progress::StageTally> stages,
                                                std::size_t max_values);
[[nodiscard]] Folded<EtaErrorSeries> fold(std::span<const EtaErrorSeries> errors,
                                          std::size_t max_values);

}  // namespace agent::metrics
