#include "agent/web/sessions_api.h"

#include <algorithm>
#include <optional>
#include <string>

#include "agent/progress/insight.h"
#include "agent/progress/validation.h"
#include "agent/web/claims.h"
#include "agent/web/json.h"
#include "agent/web/listing.h"

namespace agent::web {
namespace {

using progress::Mode;
using progress::SessionSnapshot;
using progress::SnapshotPtr;

bool is_over(const SessionSnapshot& session) {
  return is_ended(session.state) || session.state == progress::SessionState::kStale ||
         !session.is_tracking;
}

}  // namespace

Result<SnapshotPtr, Reply> SessionsApi::find(const Request& request) const {
  const std::string& id = request.target.segments[2];
  SnapshotPtr session = tracker_.session(id, clock_.now());
  if (!session) {
    return failure(error_reply(404, "unknown_session", "no session '" + id + "' is known"));
  }
  return session;
}

Reply SessionsApi::list(const Request& request) const {
  const auto state = request.target.parameter("state"), family = request.target.parameter("family");
  if (state && *state != "active" && *state != "ended")
    return bad_parameter("state", "active or ended");
  const auto window = window_of(request);
  if (!window) return window.error();
  std::vector<SnapshotPtr> page;
  for (const SnapshotPtr& session : tracker_.view(clock_.now()).sessions) {
    if (session->serial < window->cursor) continue;
    if (state && is_over(*session) != (*state == "ended")) continue;
    if (family && session->identity->family != *family) continue;
    page.push_back(session);
    if (page.size() > window->limit) break;
  }
  std::optional<std::uint64_t> next;
  if (page.size() > window->limit) {
    next = page.back()->serial;
    page.pop_back();
  }
  return list_reply(page, next,
                    [](JsonWriter& json, const SnapshotPtr& s) { write_session(json, *s); });
}

Reply SessionsApi::session(const Request& request) const {
  const auto session = find(request);
  if (!session) return session.error();
  return json_reply_of([&](JsonWriter& json) { write_session(json, **session); });
}

Reply SessionsApi::metrics(const Request& request) const {
  const auto session = find(request);
  if (!session) return session.error();
  return json_reply_of([&](JsonWriter& json) { write_metrics(json, **session); });
}

Reply SessionsApi::eta(const Request& request) const {
  const auto session = find(request);
  if (!session) return session.error();
  if (!(*session)->identity->config.computes_rates())
    return not_enabled(**session, "the ETA", Mode::kBasic);
  if (!(*session)->eta) {
    return error_reply(404, "not_known",
                       is_over(**session)
                           ? "the session is over"
                           : "nothing can be said yet: no total is known, or no work is done");
  }
  return json_reply_of([&](JsonWriter& json) { write_eta(json, **session); });
}

Reply SessionsApi::files(const Request& request) const {
  std::optional<progress::FileStatus> status;
  if (const auto name = request.target.parameter("status")) {
    status = progress::from_name<progress::FileStatus>(*name, progress::kFileStatusNames);
    if (!status) {
      return bad_parameter("status",
                           "pending, processing, completed, failed, skipped or cancelled");
    }
  }
  const auto window = window_of(request);
  if (!window) return window.error();
  const auto session = find(request);
  if (!session) return session.error();
  const auto page = tracker_.files((*session)->id(), status, window->cursor, window->limit);
  if (!page) return list_reply(std::vector<progress::FileSnapshot>(), std::nullopt, write_file);
  return list_reply(page->files, page->next, write_file);
}

Reply SessionsApi::file(const Request& request) const {
  const auto session = find(request);
  if (!session) return session.error();
  const std::string& name = request.target.segments[4];
  const auto file = tracker_.file((*session)->id(), name);
  if (!file) {
    return error_reply(404, "unknown_file", "the session has no file '" + name + "'");
  }
  return json_reply_of([&](JsonWriter& json) { write_file(json, *file); });
}

Reply SessionsApi::insights(const Request& request) const {
  const auto session = find(request);
  if (!session) return session.error();
  if ((*session)->identity->config.mode < Mode::kComprehensive) {
    return not_enabled(**session, "what is worth knowing", Mode::kComprehensive);
  }
  const auto found = progress::insights(**session);
  return json_reply_of([&](JsonWriter& json) {
    json.begin_object();
    write_insights(json.key("items"), found);
    json.end_object();
  });
}

Reply SessionsApi::validation(const Request& request) const {
  const auto session = find(request);
  if (!session) return session.error();
  return json_reply_of(
      [&](JsonWriter& json) { write_validation(json, progress::claim_of((*session)->metrics)); });
}

Reply SessionsApi::stop(const Request& request) const {
  const std::string& id = request.target.segments[2];
  if (!tracker_.stop(id, clock_.now())) {
    return error_reply(404, "unknown_session", "no session '" + id + "' is known");
  }
  Reply done;
  done.status = 204;
  return done;
}

Reply SessionsApi::clean_up(const Request& request) const {
  const auto max_age = read_count(request.body, "maxAgeMs");
  if (!max_age) return max_age.error();
  const std::size_t removed = tracker_.clean_up(std::chrono::milliseconds(*max_age), clock_.now());
  return json_reply_of([&](JsonWriter& json) {
    json.begin_object();
    json.member("removed", removed).end_object();
  });
}

}  // namespace agent::web
