#include "agent/progress/long_times.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace agent::progress {

void LongTimes::observe(double seconds, std::uint64_t times) {
  if (!(seconds > kShort)) return;
  const double steps = std::ceil(std::log(seconds / kShort) / std::log(kRatio));
  const auto place =
      static_cast<std::size_t>(std::clamp(steps - 1, 0.0, static_cast<double>(kBuckets - 1)));
  if (counts_.size() <= place) counts_.resize(place + 1);
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  counts_[place] =
      static_cast<std::uint32_t>(counts_[place] + std::min(times, kMost - counts_[place]));
}

void LongTimes::take(const Histogram& of) {
  counts_.clear();
  for (std::size_t i = 0; i <= of.bounds().size(); ++i) {
    if (of.bucket(i) > 0) observe(of.bounds()[std::min(i, of.bounds().size() - 1)], of.bucket(i));
  }
}

double LongTimes::percentile(std::uint64_t percent, std::uint64_t all) const {
  const std::uint64_t beyond = all - (all * percent + 99) / 100;  // so many may be longer
  std::uint64_t longer = 0;
  for (std::size_t i = counts_.size(); i > 0; --i) {
    longer += counts_[i - 1];
    if (longer > beyond) return kShort * std::pow(kRatio, static_cast<double>(i));
  }
  return kShort;
}

}  // namespace agent::progress
