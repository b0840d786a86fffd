#include "agent/notify/target.h"

#include <algorithm>

namespace agent::notify {

Endpoint endpoint_of(std::string_view url) {
  Endpoint out;
  out.is_tls = url.starts_with("https://");
  url.remove_prefix(std::min(url.size(), url.find("://") + 3));
  const std::size_t slash = std::min(url.find_first_of("/?"), url.size());
  out.path = url.substr(slash);
  std::string_view authority = url.substr(0, slash);
  if (const std::size_t at = authority.rfind('@'); at != authority.npos) {
    const std::string_view user = authority.substr(0, at);
    const std::size_t colon = std::min(user.find(':'), user.size());
    out.username = user.substr(0, colon);
    out.password = user.substr(std::min(user.size(), colon + 1));
    authority.remove_prefix(at + 1);
  }
  const bool is_v6 = authority.starts_with('[');
  const std::size_t host_end =
      is_v6 ? authority.find(']') : std::min(authority.find(':'), authority.size());
  out.host = is_v6 ? authority.substr(1, host_end - 1) : authority.substr(0, host_end);
  const std::size_t colon = authority.find(':', host_end);
  out.port = colon == authority.npos ? (out.is_tls ? "443" : "80") : authority.substr(colon + 1);
  return out;
}

}  // namespace agent::notify
