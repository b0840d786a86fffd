// AlertsApi: what is said about alerts over HTTP, and the call that dismisses one. Each function is
// the answer of one route (api.cc). Event loop only.
#pragma once

#include "agent/clock.h"
#include "agent/tracker/tracker.h"
#include "agent/web/reply.h"
#include "agent/web/request.h"

namespace agent::web {

class AlertsApi {
 public:
  AlertsApi(tracker::Tracker& tracker, const Clock& clock) : tracker_(tracker), clock_(clock) {}

  // The active ones: the agent's own, then each session's.
  [[nodiscard]] Reply list(const Request& request) const;
  // All of one session: active, dismissed, and the latest that were resolved.
  [[nodiscard]] Reply of_session(const Request& request) const;
  [[nodiscard]] Reply dismiss(const Request& request) const;

 private:
  tracker::Tracker& tracker_;
  const Clock& clock_;
};

}  // namespace agent::web
