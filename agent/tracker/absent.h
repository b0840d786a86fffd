// Absent: the sessions that storage has and that nobody has needed since the restart. To bring them
// all back takes far longer than a sender should wait for its first acknowledgement, so each comes
// back when it is first asked for, and the others one after the other. Not thread-safe: the tracker
// guards it.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/clock.h"
#include "agent/progress/saved.h"
#include "agent/progress/text.h"

namespace agent::tracker {

// What must be known of one meanwhile. Views into what storage gave.
struct AbsentSession {
  const progress::SavedSession* saved = nullptr;
  std::string_view id;
  std::size_t files = 0;  // that it tracks
};

class Absent {
 public:
  Absent() = default;
  // What storage gave, taken over at `at`.
  Absent(std::shared_ptr<const progress::SavedState> state, Now at)
      : state_(std::move(state)), restored_at_(at) {}

  // False: one with this id is there already.
  bool add(const AbsentSession& session) {
    if (!places_.emplace(session.id, sessions_.size()).second) return false;
    sessions_.push_back(session);
    files_ += session.files;
    return true;
  }
  [[nodiscard]] bool empty() const { return places_.empty(); }
  [[nodiscard]] std::size_t size() const { return places_.size(); }
  [[nodiscard]] std::size_t files() const { return files_; }  // of all of them

  // From now on it is not absent. Empty: it is not.
  std::optional<AbsentSession> take(std::string_view id) {
    if (places_.empty()) return std::nullopt;
    const auto found = places_.find(id);
    if (found == places_.end()) return std::nullopt;
    const AbsentSession taken = std::exchange(sessions_[found->second], {});
    places_.erase(found);
    files_ -= taken.files;
    return taken;
  }
  // The first of them; there must be one.
  AbsentSession take_first() {
    while (sessions_[next_].saved == nullptr) ++next_;
    return *take(sessions_[next_].id);
  }

  [[nodiscard]] Now restored_at() const { return restored_at_; }
  // In which nobody listened.
  [[nodiscard]] Duration gap() const { return restored_at_.wall - state_->committed_at; }

 private:
  std::shared_ptr<const progress::SavedState> state_;
  Now restored_at_;
  std::vector<AbsentSession> sessions_;  // in the order first seen; those taken are empty
  std::size_t next_ = 0;                 // all before it are taken
  std::size_t files_ = 0;
  boost::unordered_flat_map<std::string_view, std::size_t, progress::TextHash, progress::TextEqual>
      places_;
};

}  // namespace agent::tracker
