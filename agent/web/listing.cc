#include "agent/web/listing.h"

#include <charconv>

namespace agent::web {

using progress::Mode;
using progress::SessionSnapshot;

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

Result<Window, Reply> window_of(const Request& request) {
  constexpr std::string_view kRange = "a whole number from 1 to 1000";
  const auto cursor = number_parameter(request, "cursor", 0, "the nextCursor of an earlier answer");
  const auto limit = number_parameter(request, "limit", kDefaultLimit, kRange);
  if (!cursor) return failure(cursor.error());
  if (!limit) return failure(limit.error());
  if (*limit < 1 || *limit > kMaxLimit) return failure(bad_parameter("limit", kRange));
  return Window{*cursor, static_cast<std::size_t>(*limit)};
}

}  // namespace agent::web
