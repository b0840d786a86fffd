// A GET of the agent's API, for the commands that show it. Main thread.
#pragma once

#include <string>
#include <string_view>

#include "agent/result.h"

namespace agent::cli {

// Where an agent's web listener is: "http://HOST:PORT".
struct Site {
  std::string host, port;
};
Result<Site> site_from(std::string_view url);

// The body of a 200. Waits a few seconds at most; the error says what failed.
Result<std::string> fetch(const Site& site, const std::string& target);

}  // namespace agent::cli
