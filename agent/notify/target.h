// Target: somebody to tell of alerts, as configured. A value; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/clock.h"

namespace agent::notify {

enum class Kind : std::uint8_t { kAlertmanager, kWebhook };

// What HTTP needs to know of a server.
struct Endpoint {
  bool is_tls = false;
  std::string host, port;
  std::string path;                             // from the first slash
  Duration timeout = std::chrono::seconds(10);  // for a whole call
  std::string username, password, password_file, bearer_token_file;
  std::string ca_file, cert_file, key_file, server_name;

  // Without what may be secret: scheme, host and port.
  [[nodiscard]] std::string shown() const {
    const bool is_v6 = host.find(':') != std::string::npos;
    return std::string(is_tls ? "https://" : "http://") + (is_v6 ? "[" + host + "]" : host) + ":" +
           port;
  }
};

using Labels = std::vector<std::pair<std::string, std::string>>;

struct Target {
  Kind kind = Kind::kAlertmanager;
  Endpoint endpoint;
  bool send_resolved = true;
  Labels external_labels;  // added to every alert
  std::string own_url;  // where the agent itself serves; what its links without a host begin with
};

// "https://host:port/path"; the settings have made sure that it is one.
Endpoint endpoint_of(std::string_view url);

}  // namespace agent::notify
