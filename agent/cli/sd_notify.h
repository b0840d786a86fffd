// What systemd is told of this service, as sd_notify(3) has it: that it is ready, reads its
// configuration again, stops, and is alive. A datagram each; libsystemd would cost the start more
// than all of them. Where the agent was started by something else, nothing is said. Of the event
// loop's thread.
#pragma once

#include <string>
#include <string_view>

#include "agent/clock.h"
#include "agent/wire/socket_file.h"

namespace agent::cli {

class SdNotify {
 public:
  // As systemd says in $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID.
  static SdNotify from_environment();
  // `address`: the path of a socket, or "@name" of an abstract one; empty: nobody listens.
  // `watchdog`: the time without a sign of life after which systemd ends us; 0: it does not.
  SdNotify(std::string address, Duration watchdog);

  // A status is a line for people; `systemctl status` shows it.
  void ready(std::string_view status);
  void reloading(SteadyInstant now);  // `ready` says when that is over
  void stopping(std::string_view status);
  // Thrice in the time of the watchdog, so that one may come late.
  [[nodiscard]] bool is_sign_of_life_due(SteadyInstant now) const;
  void sign_of_life(SteadyInstant now, std::string_view status);

 private:
  void say(const std::string& state);

  const std::string address_;
  const Duration watchdog_;
  wire::Descriptor socket_;  // from the first message on
  SteadyInstant last_sign_;
};

}  // namespace agent::cli
