// View: every session and every active alert at one instant. Outputs read it and hold no lock.
// Immutable once made; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "agent/alert/alert.h"
#include "agent/clock.h"
#include "agent/progress/snapshot.h"

namespace agent {

struct View {
  Now at;
  std::vector<progress::SnapshotPtr> sessions;        // in the order first seen
  std::shared_ptr<const alert::Standing> own_alerts;  // of the agent itself; null: never looked at
  std::uint64_t generation = 0;                       // rises whenever anything in it changed
};

}  // namespace agent
