// Watch: follows every rule for one subject, a session or the agent: inactive -> pending -> firing
// -> resolved. Every change says why. Pure: time is an argument. Not thread-safe: the tracker
// guards it. Manner of the state machine: Prometheus' alerting rules (`for`, `keep_firing_for`).
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/alert/alert.h"
#include "agent/alert/policy.h"
#include "agent/clock.h"

namespace agent::alert {

class Watch {
 public:
  // Looks at the subject once; appends to `changed` what changed its state, as it is now.
  void look(const Subject& subject, const Policy& policy, Now now, std::vector<Alert>& changed);
  // All that is active ends.
  void close(Reason why, Now now, std::vector<Alert>& changed);
  // Stays quiet until its condition was over and is breached anew. Empty: none active has this id.
  std::optional<Alert> dismiss(std::string_view id);

  [[nodiscard]] bool idle() const { return active_.empty(); }
  // The `for` of some rule runs.
  [[nodiscard]] bool pending() const {
    return std::ranges::any_of(active_,
                               [](const Tracked& t) { return t.alert.state == State::kPending; });
  }
  // As of the last look or dismissal; shared, as it is the only place that keeps the findings.
  [[nodiscard]] const std::shared_ptr<const Standing>& standing() const { return standing_; }

  // For storage: everything but the findings. `load` takes what `save` gave; false: damaged.
  void save(progress::Packer& packer) const;
  [[nodiscard]] bool load(progress::Unpacker& unpacker);

  static constexpr std::size_t kResolvedKept = 10;

 private:
  struct Tracked {
    Alert alert;
    SteadyInstant breached_at;
    SteadyInstant last_breach;
  };
  struct Round {
    const Subject& subject;
    const Policy& policy;
    Now now;
    std::vector<Alert>& changed;
    std::vector<Finding>& findings;
  };

  void look(std::size_t rule, const Round& round);
  void breach(std::size_t rule, const Reading& reading, const InForce& in_force,
              const Round& round);
  [[nodiscard]] Tracked begin(std::size_t rule, const Round& round) const;
  void resolve(std::size_t rule, Reason why, Now now, std::vector<Alert>& changed);
  void count_fired(std::size_t rule, Severity severity);
  [[nodiscard]] Tracked* find(std::size_t rule);
  void stand(std::vector<Finding> findings);
  static const std::shared_ptr<const Standing>& nothing();

  std::vector<Tracked> active_;  // by rule
  std::vector<Alert> resolved_;
  std::vector<Fired> fired_;
  std::shared_ptr<const Standing> standing_ = nothing();
};

}  // namespace agent::alert
