// What the routes of the API share: parameters of the query, lists in pages, and the refusal of
// what a session's mode leaves out. Pure; event loop only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/progress/snapshot.h"
#include "agent/result.h"
#include "agent/web/reply.h"
#include "agent/web/request.h"

namespace agent::web {

Reply bad_parameter(std::string_view name, std::string_view must_be);
// 404: `what` is computed in mode `needed` and up.
Reply not_enabled(const progress::SessionSnapshot& session, std::string_view what,
                  progress::Mode needed);

// Which part of a list the query asks for.
struct Window {
  std::uint64_t cursor;
  std::size_t limit;
};
Result<Window, Reply> window_of(const Request& request);

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
