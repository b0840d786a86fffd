// A GET of the API of a running agent, for the commands that show it: over TLS and with credentials
// where its web listener wants them. Main thread.
#pragma once

#include <string>
#include <string_view>

#include "agent/notify/target.h"
#include "agent/result.h"

namespace agent::cli {

// Where an agent's web listener is: "http://HOST:PORT", or https. A password has no place in it:
// everybody may see the arguments of a process.
Result<notify::Endpoint> site_from(std::string_view url);

// The body of a 200. Waits a few seconds at most; the error says what failed, and what to do.
Result<std::string> fetch(const notify::Endpoint& site, const std::string& target);

}  // namespace agent::cli
