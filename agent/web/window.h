// What several routes of sessions share: the session that the path names, the part of a list that
// the query asks for, and the answers when there is none. Event loop only.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/progress/snapshot.h"
#include "agent/result.h"
#include "agent/tracker/tracker.h"
#include "agent/web/reply.h"
#include "agent/web/request.h"

namespace agent::web {

// 404 for one not known.
Result<progress::SnapshotPtr, Reply> find_session(tracker::Tracker& tracker, const Request& request,
                                                  Now now);
Reply bad_parameter(std::string_view name, std::string_view must_be);
Reply not_enabled(const progress::SessionSnapshot& session, std::string_view what,
                  progress::Mode needed);

struct Window {
  std::uint64_t cursor;
  std::size_t limit;
};
Result<Window, Reply> window_of(const Request& request);
Result<std::size_t, Reply> limit_of(const Request& request);

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

}  // namespace agent::web
