// Refusals: whom a listener turned away, and why: counted for the agent's own metrics, and logged
// once a minute for each reason, however often it happens. One for each listener; event loop only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agent/clock.h"
#include "agent/log/log.h"

namespace agent::access {

enum class Refusal : std::uint8_t {
  kHost,               // names another machine: 421
  kOrigin,             // a page from elsewhere: 403
  kCredentials,        // none, or wrong ones: 401
  kClientCertificate,  // none, or not to be trusted
  kTlsHandshake,       // it failed for another reason, or took too long
  kPlainHttp,          // on a TLS port
  kRateLimit,          // 429
  kOverload,           // more passwords wait to be checked than may
};
inline constexpr std::array<std::string_view, 8> kRefusalNames = {
    "host",          "origin",     "credentials", "client_certificate",
    "tls_handshake", "plain_http", "rate_limit",  "overload"};

class Refusals {
 public:
  // A name with static lifetime: "web", "ingest".
  explicit Refusals(std::string_view listener) : listener_(listener) {}

  // `peer` and `why` are for the log, never secrets.
  void add(Refusal reason, SteadyInstant now, std::string_view peer, std::string_view why = {});
  [[nodiscard]] const std::array<std::uint64_t, kRefusalNames.size()>& counts() const {
    return counts_;
  }

 private:
  struct Quiet : log::Throttle {
    Quiet() : Throttle(std::chrono::minutes(1)) {}
  };

  const std::string_view listener_;
  std::array<std::uint64_t, kRefusalNames.size()> counts_{};
  std::array<Quiet, kRefusalNames.size()> throttles_;
};

}  // namespace agent::access
