// Evidence: what a session knows of itself at one instant, as the estimator needs it. The tracker
// fills it from the session for every estimate; nothing here is kept. Pure values; weights are
// those of the contract, section 4 (bytes, else units, else 1).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "agent/clock.h"
#include "agent/eta/stage_work.h"
#include "agent/progress/change.h"
#include "agent/progress/names.h"

namespace agent::eta {

// A file being processed now.
struct RunningFile {
  std::uint64_t id_hash = 0;
  progress::LabelId stage = 0;
  Instant started;      // of the present try
  double progress = 0;  // 0..1; 0 when it reports none
  FileSize size;
};

// Work in the contract's weights.
struct WorkTally {
  double total = 0;
  double done = 0;    // finished, left out, or done so far of what is being processed
  double earned = 0;  // done in this attempt by working: without skipped, cancelled, restored
};

struct Evidence {
  Instant now;
  Instant start;
  Duration paused{};             // of the time since start
  std::int64_t total_files = 0;  // the larger of announced and seen
  std::int64_t restored = 0;     // of the completed files, those an earlier attempt did
  std::array<std::int64_t, progress::kFileStatusNames.size()> files{};  // by FileStatus
  WorkTally work;
  std::optional<Instant> deadline;
  std::int64_t running_count = 0;        // files in flight;
  std::span<const RunningFile> running;  // all of them, or a fair sample of some 100
  bool only_linear = false;              // `enableETAOptimization: false`

  [[nodiscard]] std::int64_t count(progress::FileStatus s) const {
    return files[static_cast<std::size_t>(s)];
  }
};

}  // namespace agent::eta
