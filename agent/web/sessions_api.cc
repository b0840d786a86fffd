#include "agent/web/sessions_api.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "agent/progress/insight.h"
#include "agent/progress/validation.h"
#include "agent/web/claims.h"
#include "agent/web/explain.h"
#include "agent/web/json.h"

namespace agent::web {
namespace {

using progress::Mode;
using progress::SessionSnapshot;
using progress::SnapshotPtr;

constexpr std::size_t kDefaultLimit = 100, kMaxLimit = 1000;

Reply bad_parameter(std::string_view name, std::string_view must_be) {
  return error_reply(400, "invalid_parameter",
                     std::string(name) + " must be " + std::string(must_be));
}

Reply not_enabled(const SessionSnapshot& session, std::string_view what, Mode needed) {
  return error_reply(404, "not_enabled",
                     std::string(what) + " is computed in mode " + std::string(name_of(needed)) +
                         "; this session runs in mode " +
                         std::string(name_of(session.identity->config.mode)));
}

// A whole number of the query; `fallback` when it is absent.
Result<std::uint64_t, Reply> number_parameter(const Request& request, std::string_view name,
                                              std::uint64_t fallback, std::string_view must_be) {
  const auto text = request.target.parameter(name);
  if (!text) return fallback;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (text->empty() || error != std::errc() || end != text->data() + text->size()) {
    return failure(bad_parameter(name, must_be));
  }
  return value;
}

// Which part of a list the query asks for.
struct Window {
  std::uint64_t cursor;
  std::size_t limit;
};
Result<Window, Reply> window_of(const Request& request) {
  constexpr std::string_view kRange = "a whole number from 1 to 1000";
  const auto cursor = number_parameter(request, "cursor", 0, "the nextCursor of an earlier answer");
  const auto limit = number_parameter(request, "limit", kDefaultLimit, kRange);
  if (!cursor) return failure(cursor.error());
  if (!limit) return failure(limit.error());
  if (*limit < 1 || *limit > kMaxLimit) return failure(bad_parameter("limit", kRange));
  return Window{*cursor, static_cast<std::size_t>(*limit)};
}

// {"items":[…],"nextCursor"?}
template <typename Items, typename Write>
Reply list_reply(const Items& items, std::optional<std::uint64_t> next, Write write) {
  return json_reply_of([&](JsonWriter& json) {
    json.begin_object().key("items").begin_array();
    for (const auto& item : items) write(json, item);
    json.end_array();
    if (next) json.member("nextCursor", std::to_string(*next));
    json.end_object();
  });
}

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

Reply SessionsApi::explain(const Request& request) const {
  const std::string& id = request.target.segments[2];
  const Now now = clock_.now();
  const auto explained = tracker_.explain(id, now);
  if (!explained) {
    return error_reply(404, "unknown_session", "no session '" + id + "' is known");
  }
  return json_reply_of([&](JsonWriter& json) { write_explanation(json, *explained, now); });
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
