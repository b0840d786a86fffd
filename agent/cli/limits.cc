#include "agent/cli/limits.h"

#include <algorithm>

namespace agent::cli {
namespace {

double share(std::uint64_t used, std::int64_t limit) {
  return limit > 0 ? static_cast<double>(used) / static_cast<double>(limit) : 0;
}

}  // namespace

std::vector<metrics::LimitUse> limits_used(const settings::Settings& settings,
                                           const tracker::Totals& totals) {
  return {{"sessions", share(totals.active, settings.sessions.max_active)},
          {"files", share(totals.files, settings.sessions.max_files)},
          {"series", share(totals.sessions, settings.metrics.max_sessions)}};
}

void note_fullest(const std::vector<metrics::LimitUse>& limits, alert::AgentHealth& health) {
  const auto fullest = std::ranges::max_element(limits, {}, &metrics::LimitUse::ratio);
  if (fullest == limits.end()) return;
  health.fullest = fullest->ratio;
  health.fullest_limit = fullest->limit;
}

}  // namespace agent::cli
