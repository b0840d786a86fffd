// Watched: one subject under watch in virtual time. A test sets the snapshot's fields, lets seconds
// pass, and looks at what the watch says. Not thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/alert/watch.h"
#include "tests/fakes/manual_clock.h"

namespace agent::alert {

class Watched {
 public:
  Watched() {
    identity.id = "nightly-1";
    identity.family = "nightly";
    identity.labels = {{"team", "search"}, {"tier", "gold"}};
    session.state = progress::SessionState::kWorking;
    session.metrics.start_time = session.metrics.current_time = session.last_event_time =
        fakes::kEpoch;
  }

  // Looks at `t` seconds; what changed its state.
  std::vector<Alert> look(double t) {
    now_ = t;
    session.identity = std::make_shared<const progress::SessionIdentity>(identity);
    std::vector<Alert> changed;
    watch.look({.session = &session, .superseded = superseded}, policy, fakes::now_at(t), changed);
    return changed;
  }
  // Each second up to and including `t`.
  void look_until(double t) {
    for (double at = now_ + 1; at <= t; ++at) look(at);
  }
  std::vector<Alert> look_at_agent(double t, const AgentHealth& health) {
    std::vector<Alert> changed;
    watch.look({.agent = &health}, policy, fakes::now_at(t), changed);
    return changed;
  }

  // "pending", "firing", or "" for the rule of this name.
  [[nodiscard]] std::string state(std::string_view rule) const {
    const auto alert = find(rule);
    return alert ? std::string(name_of(alert->state)) : "";
  }
  [[nodiscard]] std::optional<Alert> find(std::string_view rule) const {
    const auto standing = watch.standing();
    for (const Alert& alert : standing->current) {
      if (alert.name() == rule) return alert;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<Alert> last_resolved() const {
    const auto standing = watch.standing();
    if (standing->resolved.empty()) return std::nullopt;
    return standing->resolved.back();
  }

  void finish(std::int64_t completed, std::int64_t failed) {
    auto& files = session.metrics.files;
    files[static_cast<std::size_t>(progress::FileStatus::kCompleted)] = completed;
    files[static_cast<std::size_t>(progress::FileStatus::kFailed)] = failed;
    if (completed + failed > 0)
      session.metrics.error_rate =
          static_cast<double>(failed) / static_cast<double>(completed + failed);
  }
  void end(double t, progress::SessionState state) {
    session.state = state;
    session.end_time = fakes::moment(t);
  }

  progress::SessionIdentity identity;
  progress::SessionSnapshot session;
  bool superseded = false;
  Policy policy;
  Watch watch;

 private:
  double now_ = 0;
};

inline std::size_t rule_of(std::string_view name) { return *find_rule(name); }

}  // namespace agent::alert
