// Decay: the exponential method's rate. Work counts by when it was finished, with weight (when /
// now): what was finished at half the session's time counts half, so the half-life is half of the
// time so far. The weights depend on the times of the work alone: the same answer whether events
// come one by one or in batches, often or seldom asked. Pure; not thread-safe.
//   rate(now) = sum of work_i x (t_i / now) / integral of (s / now) ds from 0 to now
//             = 2 / now^2 x sum of work_i x t_i
#pragma once

#include <array>

#include "agent/eta/stage_work.h"

namespace agent::eta {

class Decay {
 public:
  // `size`: by SizeBasis; `files`: how many ended.
  void add(double at, const FileSize& size, double files) {
    for (std::size_t b = 0; b < kSizeBases; ++b) sums_[b] += at * size.of[b];
    sums_[kSizeBases] += at * files;
  }
  // Work per second in the measure `basis` (files, for kNone); `so_far`: done of the files in
  // flight.
  [[nodiscard]] double rate(double now, SizeBasis basis, double so_far) const {
    if (now <= 0) return 0;
    return 2 * (sums_[static_cast<std::size_t>(basis)] / now + so_far) / now;
  }

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive(self.sums_);
  }

 private:
  std::array<double, kSizeBases + 1> sums_{};
};

}  // namespace agent::eta
