#include "agent/web/window.h"

#include <charconv>
#include <string>

namespace agent::web {
namespace {

constexpr std::size_t kDefaultLimit = 100, kMaxLimit = 1000;

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

}  // namespace

Result<progress::SnapshotPtr, Reply> find_session(tracker::Tracker& tracker, const Request& request,
                                                  Now now) {
  const std::string& id = request.target.segments[2];
  progress::SnapshotPtr session = tracker.session(id, now);
  if (!session) {
    return failure(error_reply(404, "unknown_session", "no session '" + id + "' is known"));
  }
  return session;
}

Reply bad_parameter(std::string_view name, std::string_view must_be) {
  return error_reply(400, "invalid_parameter",
                     std::string(name) + " must be " + std::string(must_be));
}

Reply not_enabled(const progress::SessionSnapshot& session, std::string_view what,
                  progress::Mode needed) {
  return error_reply(404, "not_enabled",
                     std::string(what) + " is computed in mode " + std::string(name_of(needed)) +
                         "; this session runs in mode " +
                         std::string(name_of(session.identity->config.mode)));
}

Result<std::size_t, Reply> limit_of(const Request& request) {
  constexpr std::string_view kRange = "a whole number from 1 to 1000";
  const auto limit = number_parameter(request, "limit", kDefaultLimit, kRange);
  if (!limit) return failure(limit.error());
  if (*limit < 1 || *limit > kMaxLimit) return failure(bad_parameter("limit", kRange));
  return static_cast<std::size_t>(*limit);
}

Result<Window, Reply> window_of(const Request& request) {
  const auto cursor = number_parameter(request, "cursor", 0, "the nextCursor of an earlier answer");
  const auto limit = limit_of(request);
  if (!cursor) return failure(cursor.error());
  if (!limit) return failure(limit.error());
  return Window{*cursor, *limit};
}

}  // namespace agent::web
