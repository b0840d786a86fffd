// AnalyticsApi: what GET answers about the past: a session's snapshots and analytics, and its
// family's runs. Each function is the answer of one route (api.cc). Event loop only.
#pragma once

#include "agent/clock.h"
#include "agent/progress/past.h"
#include "agent/tracker/tracker.h"
#include "agent/web/reply.h"
#include "agent/web/request.h"

namespace agent::web {

class AnalyticsApi {
 public:
  // `past` outlives it.
  AnalyticsApi(tracker::Tracker& tracker, const Clock& clock, const progress::PastSource& past)
      : tracker_(tracker), clock_(clock), past_(past) {}

  [[nodiscard]] Reply snapshots(const Request& request) const;
  [[nodiscard]] Reply analytics(const Request& request) const;
  [[nodiscard]] Reply families(const Request& request) const;
  [[nodiscard]] Reply family(const Request& request) const;

 private:
  tracker::Tracker& tracker_;
  const Clock& clock_;
  const progress::PastSource& past_;
};

}  // namespace agent::web
