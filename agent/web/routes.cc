#include "agent/web/routes.h"

#include <algorithm>

namespace agent::web {
namespace {

std::vector<std::string_view> split(std::string_view pattern) {
  std::vector<std::string_view> segments;
  pattern.remove_prefix(1);
  while (!pattern.empty()) {
    segments.push_back(pattern.substr(0, pattern.find('/')));
    pattern.remove_prefix(std::min(pattern.size(), segments.back().size() + 1));
  }
  return segments;
}

bool matches(const std::vector<std::string_view>& pattern, const std::vector<std::string>& path) {
  return std::equal(pattern.begin(), pattern.end(), path.begin(), path.end(),
                    [](std::string_view wanted, std::string_view is) {
                      return wanted.front() == '{' ? !is.empty() : wanted == is;
                    });
}

std::string_view name_of(Method method) {
  const auto name = boost::beast::http::to_string(method);
  return {name.data(), name.size()};
}

// HEAD is GET without its body.
Method effective(Method method) { return method == Method::head ? Method::get : method; }

void allow(std::string& list, Method method) {
  if (!list.empty()) list += ", ";
  list += name_of(method);
  if (method == Method::get) list += ", HEAD";
}

std::string_view where(Side side) {
  switch (side) {
    case Side::kWeb:
      return "the web listener (--web.listen-address, by default port 19900)";
    case Side::kIngest:
      return "the ingest listener (--ingest.listen-address, by default 127.0.0.1:19901)";
  }
  return {};
}

}  // namespace

Routes::Routes(std::vector<Route> table, bool admin_api) : admin_api_(admin_api) {
  table_.reserve(table.size());
  for (Route& route : table) {
    const auto segments = split(route.pattern);
    table_.push_back({std::move(route), segments});
  }
}

bool Routes::is_served(Access access, Side side) const {
  switch (access) {
    case Access::kRead:
      return side == Side::kWeb;
    case Access::kChange:
      return side == Side::kIngest || admin_api_;
    case Access::kIngest:
      return side == Side::kIngest;
    case Access::kBoth:
      return true;
  }
  return false;
}

Result<const Route*, Reply> Routes::find(const Request& request, Side side) const {
  const Method method = effective(request.method);
  for (const auto& [route, segments] : table_) {
    if (route.method == method && is_served(route.access, side) &&
        matches(segments, request.target.segments)) {
      return &route;
    }
  }
  return failure(refusal(request, side));
}

Reply Routes::refusal(const Request& request, Side side) const {
  std::string allowed;
  bool on_other_side = false;
  for (const auto& [route, segments] : table_) {
    if (!matches(segments, request.target.segments)) continue;
    if (is_served(route.access, side)) {
      allow(allowed, route.method);
    } else {
      on_other_side |= allowed.empty() || route.method == effective(request.method);
    }
  }
  const std::string what = std::string(name_of(request.method)) + ' ' + request.target.path;
  const Side other = side == Side::kWeb ? Side::kIngest : Side::kWeb;
  const std::string hint =
      on_other_side ? " is served by " + std::string(where(other)) : std::string();
  if (allowed.empty()) {
    return error_reply(404, "not_found",
                       what + (hint.empty() ? " is not served by this agent" : hint));
  }
  Reply reply = error_reply(405, "method_not_allowed",
                            what + (hint.empty() ? " is not allowed; allowed: " + allowed : hint));
  reply.fields.emplace_back("Allow", allowed);
  return reply;
}

}  // namespace agent::web
