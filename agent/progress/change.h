// FileChange: what one event changed in one file, for those who follow files as they move (the
// ETA's estimators). Emitted when a file is first seen, changes state or stage, or learns its size;
// not for mere progress within a stage. A view: valid only until the next event is applied.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/clock.h"
#include "agent/progress/label_set.h"
#include "agent/progress/names.h"

namespace agent::progress {

struct FileChange {
  std::string_view id;
  std::uint64_t id_hash = 0;  // stable_hash(id): the same in every run
  FileStatus from = FileStatus::kPending, to = FileStatus::kPending;
  bool is_new = false;                   // first seen: `from` has no meaning
  bool new_try = false;                  // reopened: its work starts again
  bool restored = false;                 // done by an earlier attempt: progress, but not speed
  LabelId stage_from = 0, stage_to = 0;  // numbers in the session's stage names
  Instant at;                            // the event's time
  std::optional<Instant> started;        // first `processing` of the present try
  std::optional<Instant> stage_since;
  std::optional<std::int64_t> bytes_from, bytes_to;
  std::optional<double> units_from, units_to;
  double progress_from = 0, progress_to = 0;  // 0..100
};

}  // namespace agent::progress
