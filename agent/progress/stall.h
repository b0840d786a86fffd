// Stall: from how long a silence on nothing happens any more in a session. What has finished tells
// how long files like those in flight may take. The contract, section 4, `state`. Pure; used by the
// session.
#pragma once

#include <optional>
#include <span>

#include "agent/clock.h"
#include "agent/progress/files.h"
#include "agent/progress/histogram.h"
#include "agent/progress/snapshot.h"

namespace agent::progress {

// A shorter silence is no stall.
inline constexpr Duration kStalledAfter = std::chrono::seconds(60);

// How long the completed files took.
struct FileDurations {
  const Histogram& seconds;
  Duration longest;
  std::span<const StageTally> by_stage;  // by stage number - 1
};

// 5 x the p95 file duration: of all files or of a stage that a file is in, whichever is larger; and
// at least twice what one file has taken already. Empty: nothing tells how long those in flight may
// take, as none has finished, or a stage holds more files than have left it. O(files in flight).
std::optional<Duration> longest_silence(const FileDurations& took, const Files& files);
// The same where all that is known is how long a file takes on average.
Duration longest_silence(Duration average);

}  // namespace agent::progress
