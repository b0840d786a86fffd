// Target: a request target, decoded: the segments of its path and its query parameters. Decoding is
// strict: one reading of each target or none. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/result.h"

namespace agent::web {

struct Target {
  std::string path;                   // as sent, without the query
  std::vector<std::string> segments;  // percent-decoded; "/" has none
  std::vector<std::pair<std::string, std::string>> parameters;

  // Fails on a broken percent sequence; the error is for the client.
  static Result<Target> from(std::string_view raw);

  // The first parameter of that name.
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
};

// `text` with its percent sequences (and in a query, `+`) resolved; empty for a broken one.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

// `text` as one path segment: everything but unreserved characters percent-encoded.
std::string percent_encode(std::string_view text);

}  // namespace agent::web
