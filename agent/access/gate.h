// Gate: who may come in at one listener. Holds the rules in force and looks, at most once a second
// and only when somebody comes, whether their files have changed; what cannot be read is refused
// and logged, and the rules in force stay. Used by `web`; event loop only.
#pragma once

#include <memory>
#include <string>

#include "agent/access/rules.h"
#include "agent/clock.h"
#include "agent/log/log.h"

namespace agent::access {

struct GateSettings {
  std::string path;
  Schema schema = Schema::kWeb;
  bool must_authenticate = false;  // others than this Pod reach the listener
};

class Gate {
 public:
  // Reads the files; `key` must outlive the gate.
  static Result<std::shared_ptr<Gate>, settings::Faults> open(GateSettings settings,
                                                              const DigestKey& key);

  [[nodiscard]] const std::shared_ptr<const Rules>& rules(SteadyInstant now);
  // Reads the files now, changed or not.
  Result<void, settings::Faults> reload();
  // False while the files hold something that could not be put in force.
  [[nodiscard]] bool is_current() const { return is_current_; }

  // Whether the limit of requests, if there is one, lets another one in.
  [[nodiscard]] bool admit(SteadyInstant now);

 private:
  Gate(GateSettings settings, const DigestKey& key);

  const GateSettings settings_;
  const DigestKey& key_;
  std::shared_ptr<const Rules> rules_;
  Watch watch_;
  SteadyInstant looked_{};
  bool is_current_ = true;
  double allowance_ = 0;  // requests that may come at once; fills up with time
  SteadyInstant filled_{};
};

}  // namespace agent::access
