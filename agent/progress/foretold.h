// Foretold: what was last foretold of a session, for history; and, once it has ended, what the
// forecasts of each method were worth. A plain value. Seconds.
#pragma once

#include <array>
#include <cstdint>

#include "agent/clock.h"
#include "agent/progress/archive.h"
#include "agent/progress/names.h"

namespace agent::progress {

template <>
inline constexpr std::size_t kValues<EtaMethod> = kEtaMethodNames.size();

struct Foretold {
  Instant at;  // when it was foretold, in the session's time
  EtaMethod method = EtaMethod::kLinear;
  double remaining = 0, low = 0, high = 0;  // the 80 % interval
  double confidence = -1;                   // < 0: not known
  // By method: how many forecasts, and the mean of |foretold - true| / true total.
  std::array<std::uint64_t, kEtaMethodNames.size()> graded{};
  std::array<double, kEtaMethodNames.size()> error{};

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive(self.at, self.method, self.remaining, self.low, self.high, self.confidence, self.graded,
            self.error);
  }
};

}  // namespace agent::progress
