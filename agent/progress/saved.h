// SavedState: all that storage has, for the tracker to begin with after a restart. Views into
// memory that lives as long as it does.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "agent/clock.h"
#include "agent/progress/changes.h"

namespace agent::progress {

struct SavedSession {
  std::uint64_t serial = 0;
  std::string_view kept;
  std::vector<std::string_view> states;     // to load one after the other
  std::vector<std::string_view> forecasts;  // likewise
  std::vector<std::string_view> files;      // lists of records; the last one of each counts
};
struct SavedState {
  std::vector<SavedSession> sessions;     // in the order first seen
  std::vector<ProducerChange> producers;  // the longest silent first
  std::vector<std::string_view> stopped;  // the earliest first
  std::vector<FamilyChange> families;     // the longest unchanged first
  std::uint64_t next_serial = 1;
  std::uint64_t revision = 0;
  Instant committed_at;  // when the last of it was gathered; the agent was not listening since
};

// How far whoever was given it is with it.
enum class Restoring : std::uint8_t {
  kGoesOn,
  kDone,
  kDamaged,  // some of it could not be read, and is not there
};

}  // namespace agent::progress
