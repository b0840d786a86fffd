// Notifier: tells everybody who is configured of alerts: one courier each. With nobody configured
// it does nothing and has no thread. Event loop only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/clock.h"
#include "agent/notify/courier.h"
#include "agent/notify/target.h"
#include "agent/view.h"

namespace agent::notify {

struct TargetStatus {
  std::string target;  // as shown: nothing secret
  Delivery delivery;
};

class Notifier {
 public:
  // `clock` outlives it.
  explicit Notifier(const Clock& clock) : clock_(clock) {}

  // From now on these; whoever was told before is told no more.
  void configure(std::vector<Target> targets);
  // Once a second.
  void tell(const View& view);
  // Gives what waits a moment to be delivered.
  void stop();

  [[nodiscard]] bool has_targets() const { return !couriers_.empty(); }
  [[nodiscard]] std::vector<TargetStatus> status() const;
  [[nodiscard]] bool is_failing() const;  // some target's last call failed

 private:
  static constexpr Duration kGrace = std::chrono::seconds(2);

  const Clock& clock_;
  std::vector<std::unique_ptr<Courier>> couriers_;
  std::vector<std::string> names_;
};

}  // namespace agent::notify
