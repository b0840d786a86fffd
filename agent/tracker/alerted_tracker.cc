// How the tracker follows alerts: see tracker.h.
#include <iterator>
#include <utility>

#include "agent/tracker/tracker.h"

namespace agent::tracker {

void Tracker::look_at_itself(Now at, alert::AgentHealth health) {
  health.storage_failing = health.storage_failing || failing_;
  own_watch_.look({.agent = &health}, policy_, at, own_changes_);
  own_standing_ = own_watch_.standing();
}

std::shared_ptr<const alert::Standing> Tracker::look(std::string_view session, Now at) {
  const MutexLock lock(mutex_);
  Tracked* tracked = sessions_.find(session);
  if (tracked == nullptr) return nullptr;
  sessions_.look_at(*tracked, at);
  return tracked->standing();
}

std::optional<alert::Alert> Tracker::dismiss(std::string_view alert) {
  const MutexLock lock(mutex_);
  if (auto own = own_watch_.dismiss(alert)) {
    own_standing_ = own_watch_.standing();
    return own;
  }
  return sessions_.dismiss(alert);
}

std::vector<alert::Alert> Tracker::take_alert_changes() {
  const MutexLock lock(mutex_);
  std::vector<alert::Alert> changes = sessions_.take_alert_changes();
  std::ranges::move(std::exchange(own_changes_, {}), std::back_inserter(changes));
  return changes;
}

}  // namespace agent::tracker
