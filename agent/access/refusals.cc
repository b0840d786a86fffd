#include "agent/access/refusals.h"

namespace agent::access {

void Refusals::add(Refusal reason, SteadyInstant now, std::string_view peer, std::string_view why) {
  const auto i = static_cast<std::size_t>(reason);
  ++counts_[i];
  log::warn(throttles_[i], now, "access refused",
            {{"listener", listener_}, {"reason", kRefusalNames[i]}, {"peer", peer}, {"why", why}});
}

}  // namespace agent::access
