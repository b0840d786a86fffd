// How sessions' alerts are followed: see sessions.h.
#include <algorithm>
#include <utility>

#include "agent/tracker/sessions.h"

namespace agent::tracker {

namespace {

constexpr int kRestShare = 16;
constexpr Duration kLongestUnseen = std::chrono::seconds(15);  // as often as Prometheus would look
constexpr int kLooksAtOnce = 32;  // up to 0.2 ms each, when forecasts are due

}  // namespace

bool Tracked::is_look_due(Now at) const {
  if (!looked_at_ || looked_version_ != session_.version() || watch_.pending()) return true;
  if (!session_.live()) return !watch_.idle();  // a later run of the family may supersede it
  const Duration rest = std::chrono::duration_cast<Duration>(at.steady - session_.last_received());
  return at.steady - *looked_at_ >= std::min(rest / kRestShare, kLongestUnseen) ||
         session_.state(at) != looked_state_;
}

bool Tracked::look(Now at, const alert::Policy& policy, bool superseded, bool publishes,
                   std::vector<alert::Alert>& changed) {
  const std::size_t before = changed.size();
  const bool was_on = standing_ != nullptr;
  const std::int64_t attempt = session_.identity()->attempt;
  if (superseded) superseded_attempt_ = attempt;
  if (session_.config().performance_alerts) {
    const progress::SnapshotPtr now = publishes ? snapshot(at) : make_answer(at, false);
    watch_.look({.session = now.get(), .superseded = superseded_attempt_ == attempt}, policy, at,
                changed);
    standing_ = watch_.standing();
    if (!was_on && publishes) published_.reset();  // the next one shows them
  } else {
    watch_.close(alert::Reason::kSwitchedOff, at, changed);
    standing_ = nullptr;
  }
  looked_at_ = at.steady;
  looked_state_ = session_.state(at);
  const bool matters = changed.size() > before || (was_on && !standing_);
  if (matters) session_.note_alerts_changed();
  looked_version_ = session_.version();
  return matters;
}

std::optional<alert::Alert> Tracked::dismiss(std::string_view alert) {
  auto dismissed = watch_.dismiss(alert);
  if (!dismissed) return dismissed;
  standing_ = watch_.standing();
  session_.note_alerts_changed();
  return dismissed;
}

// What came into being of a family last, so that what its earlier runs complain of can end.
void Sessions::follow_family(const Tracked& tracked) {
  const std::string& family = tracked.session().identity()->family;
  if (family.empty()) return;
  Run& latest = latest_run_[family];
  latest = std::max(latest, Run{tracked.session().start(), tracked.serial()});
}

// Runs of one family may overlap; only one that began after this one's end takes its place.
bool Sessions::is_superseded(const Tracked& tracked) const {
  const progress::Session& session = tracked.session();
  if (!session.ended() || session.identity()->family.empty()) return false;
  const auto latest = latest_run_.find(session.identity()->family);
  return latest != latest_run_.end() && latest->second.serial != tracked.serial() &&
         latest->second.start >= *session.end_time();
}

void Sessions::look_at(Tracked& tracked, Now at) {
  const std::size_t before = alert_changes_.size();
  if (!tracked.look(at, policy_, is_superseded(tracked), !keeps_changes_, alert_changes_)) return;
  keep_alerts(tracked, before);
  ++generation_;
  touch(tracked);
}

void Sessions::begin_looks() {
  latest_run_.clear();
  for (const auto& [serial, tracked] : all()) follow_family(*tracked);
  next_look_ = 0;
}

bool Sessions::look_on(Now at) {
  if (!next_look_) return false;
  auto next = by_serial_.lower_bound(*next_look_);
  for (int left = kLooksAtOnce; left > 0 && next != by_serial_.end(); ++next) {
    if (!next->second->is_look_due(at)) continue;
    look_at(*next->second, at);
    --left;
  }
  next_look_.reset();
  if (next != by_serial_.end()) next_look_ = next->first;
  if (alert_changes_.size() > kMostAlertChanges)
    alert_changes_.erase(alert_changes_.begin(), alert_changes_.end() - kMostAlertChanges);
  return next_look_.has_value();
}

std::optional<alert::Alert> Sessions::dismiss(std::string_view alert) {
  for (const auto& [serial, tracked] : all()) {
    auto dismissed = tracked->dismiss(alert);
    if (!dismissed) continue;
    keep_alert(*tracked, *dismissed);
    ++generation_;
    touch(*tracked);
    return dismissed;
  }
  return std::nullopt;
}

}  // namespace agent::tracker
