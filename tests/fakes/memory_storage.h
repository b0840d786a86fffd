// MemoryStorage: a storage in memory: what was committed, and what a restart would begin with.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "agent/history/image.h"
#include "agent/progress/changes.h"
#include "agent/progress/saved.h"
#include "agent/tracker/tracker.h"

namespace agent::fakes {

class MemoryStorage {
 public:
  MemoryStorage() = default;
  MemoryStorage(const MemoryStorage& other) : commits(other.commits) {}

  void commit(tracker::Tracker& tracker, Now at) {
    if (!tracker.checkpoint(packer_, at)) return;
    commits.emplace_back(packer_.bytes());
    tracker.committed();
  }

  // What was committed, together with the bytes it refers to. Null: damaged.
  [[nodiscard]] std::shared_ptr<progress::SavedState> load() const {
    struct Loaded {
      std::deque<std::string> changes;
      history::Image image;
      progress::SavedState state;
    };
    auto loaded = std::make_shared<Loaded>();
    loaded->changes = commits;
    history::Image& image = loaded->image;
    for (const std::string& changes : loaded->changes) {
      if (!image.add_changes(changes)) return nullptr;
    }
    image.settle();
    progress::SavedState& state = loaded->state;
    for (const auto& [serial, session] : image.sessions()) {
      if (session.gone) continue;
      state.sessions.push_back(
          {serial, session.kept, session.states, session.forecasts, session.files});
    }
    state.producers = image.producers();
    for (const auto& change : image.stopped()) {
      std::erase(state.stopped, change.session);
      if (change.stopped) state.stopped.push_back(change.session);
    }
    state.families = image.families();
    state.next_serial = image.head().next_serial;
    state.revision = image.head().revision;
    state.committed_at = image.head().at;
    return {loaded, &loaded->state};
  }
  [[nodiscard]] bool restore_into(tracker::Tracker& tracker, Now at) const {
    auto state = load();
    return state && tracker.restore(std::move(state), at);
  }
  std::deque<std::string> commits;  // the earliest first

 private:
  progress::Packer packer_;
};

}  // namespace agent::fakes
