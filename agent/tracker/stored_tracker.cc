// How the tracker and storage work together: see tracker.h.
#include <algorithm>
#include <utility>

#include "agent/tracker/tracker.h"

namespace agent::tracker {
namespace {

// More than there can be on average; what keeps numbers rising from one run to the next.
constexpr std::uint64_t kRevisionsASecond = 1U << 20U;
constexpr std::uint64_t kSessionsASecond = 1U << 6U;

}  // namespace

void Tracker::keep_changes(std::function<void()> wake, Now at) {
  const MutexLock lock(mutex_);
  wake_ = std::move(wake);
  stores_ = true;
  const auto second = static_cast<std::uint64_t>(std::max(0.0, unix_seconds(at.wall)));
  applied_ = gathered_ = committed_ = second * kRevisionsASecond;
  sessions_.keep_changes(second * kSessionsASecond);
}

bool Tracker::restore(const std::shared_ptr<const progress::SavedState>& state, Now at) {
  const MutexLock lock(mutex_);
  if (!sessions_.restore(state, at)) return false;
  for (const progress::ProducerChange& saved : state->producers) {
    Producer& producer = producers_.touch(saved.name);
    producer.last_seq = std::max(producer.last_seq, saved.last_seq);
  }
  const bool is_first = applied_ == committed_;
  applied_ = std::max(applied_, state->revision);
  if (is_first) gathered_ = committed_ = applied_;
  committed_generation_ = sessions_.generation();
  return true;
}

progress::Restoring Tracker::restore_more() {
  const MutexLock lock(mutex_);
  sessions_.bring_back_some();
  if (sessions_.take_damage()) return progress::Restoring::kDamaged;
  return sessions_.absent() == 0 ? progress::Restoring::kDone : progress::Restoring::kGoesOn;
}

bool Tracker::waiting() const {
  return applied_ > committed_ || sessions_.any_changed() || producers_.any_changed();
}

bool Tracker::take_wake() { return wake_wanted_ && std::exchange(wake_wanted_, false); }

std::optional<Revision> Tracker::checkpoint(progress::Packer& into, Now at) {
  const MutexLock lock(mutex_);
  if (!waiting()) {
    wake_wanted_ = true;
    return std::nullopt;
  }
  // A change that came without a batch of events is a revision of its own.
  if (applied_ == committed_) ++applied_;
  gathered_ = applied_;
  gathered_generation_ = sessions_.generation();
  into.clear(at);
  progress::put_head(into, {gathered_, at.wall, sessions_.next_serial()});
  sessions_.save_changes(into, at, gathered_sessions_);
  producers_.take_changed([&](const Producer& producer) {
    using progress::put;
    put(into, progress::ProducerChange{producer.name, producer.last_seq});
  });
  return gathered_;
}

void Tracker::committed() {
  const MutexLock lock(mutex_);
  committed_ = gathered_;
  committed_generation_ = gathered_generation_;
  sessions_.committed(gathered_sessions_);
  gathered_sessions_.clear();
}

void Tracker::storage_fails(bool failing) {
  const MutexLock lock(mutex_);
  failing_ = failing;
}

void Tracker::forget_saved() {
  const MutexLock lock(mutex_);
  sessions_.forget_saved();
  producers_.mark_all_changed();
}

progress::SnapshotPtr Tracker::shown(Tracked& tracked, Now at) {
  if (!stores_ || failing_ || tracked.all_committed()) return tracked.snapshot(at);
  return tracked.published();
}

}  // namespace agent::tracker
