// SessionsApi: what GET /v1/sessions… answers, and the two calls that change sessions. Each
// function is the answer of one route (api.cc). Event loop only.
#pragma once

#include <string_view>

#include "agent/clock.h"
#include "agent/progress/snapshot.h"
#include "agent/result.h"
#include "agent/tracker/tracker.h"
#include "agent/web/reply.h"
#include "agent/web/request.h"

namespace agent::web {

class SessionsApi {
 public:
  SessionsApi(tracker::Tracker& tracker, const Clock& clock) : tracker_(tracker), clock_(clock) {}

  [[nodiscard]] Reply list(const Request& request) const;
  [[nodiscard]] Reply session(const Request& request) const;
  [[nodiscard]] Reply metrics(const Request& request) const;
  [[nodiscard]] Reply eta(const Request& request) const;
  [[nodiscard]] Reply explain(const Request& request) const;
  [[nodiscard]] Reply files(const Request& request) const;
  [[nodiscard]] Reply file(const Request& request) const;
  [[nodiscard]] Reply insights(const Request& request) const;
  [[nodiscard]] Reply validation(const Request& request) const;
  [[nodiscard]] Reply stop(const Request& request) const;
  [[nodiscard]] Reply clean_up(const Request& request) const;

 private:
  // The session that the request's path names; 404 for one not known.
  [[nodiscard]] Result<progress::SnapshotPtr, Reply> find(const Request& request) const;

  tracker::Tracker& tracker_;
  const Clock& clock_;
};

}  // namespace agent::web
