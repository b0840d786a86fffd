// commit: what the writer does with what changed in a tracker since the last one, without its
// thread.
#pragma once

#include <gtest/gtest.h>

#include "agent/history/store.h"
#include "tests/fakes/one_tracker.h"

namespace agent::fakes {

inline void commit(OneTracker& tracker, history::Store& store, double at) {
  progress::Packer packer;
  const auto revision = tracker.tracker().checkpoint(packer, now_at(at));
  ASSERT_TRUE(revision);
  ASSERT_TRUE(store.append(*revision, packer.bytes()));
  tracker.tracker().committed();
}

}  // namespace agent::fakes
