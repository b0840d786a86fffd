// Selection: which sessions and files have a place on the page when there are too many. Pure; any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "agent/progress/snapshot.h"
#include "agent/view.h"

namespace agent::metrics {

// The view with at most `max_sessions` sessions: those still running first, the ones seen first
// before later ones, then those that ended last. They stay in the view's order.
[[nodiscard]] View within_bound(View view, std::size_t max_sessions);

// The files being processed that have a series: for each session of the view, oldest first.
struct FileSelection {
  std::vector<std::vector<progress::FileProgress>> by_session;
  std::uint64_t left_out = 0;
};

// The `max_files` that have been in flight longest, over all sessions. Files whose labels would be
// equal once cut share the series of the slowest.
[[nodiscard]] FileSelection slowest_files(const View& view, std::size_t max_files);

}  // namespace agent::metrics
