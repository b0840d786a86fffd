// View: every session and every active alert at one instant. Outputs read it and hold no lock.
// Immutable once made; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/clock.h"
#include "agent/progress/snapshot.h"

namespace agent {

struct View {
  Now at;
  std::vector<progress::SnapshotPtr> sessions;  // in the order first seen
  std::uint64_t generation = 0;                 // rises whenever anything in it changed
};

}  // namespace agent
