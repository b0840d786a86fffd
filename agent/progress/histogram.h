// Histogram: fixed bucket counts of non-negative values, as Prometheus counts them (`le`: a value
// equal to a bound belongs to that bucket). Pure; not thread-safe. Bounds are a list with static
// lifetime, or one that the settings own for the life of the agent.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace agent::progress {

// Seconds: 10 ms to 24 h, about three a decade.
inline constexpr std::array<double, 14> kFileDurationBounds = {
    0.01, 0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400};
// Bytes: 1 KiB to 64 GiB.
inline constexpr std::array<double, 10> kFileSizeBounds = {
    1024.0,     16384.0,     131072.0,     1048576.0,    8388608.0,
    67108864.0, 268435456.0, 1073741824.0, 8589934592.0, 68719476736.0};

class Histogram {
 public:
  static constexpr std::size_t kMaxBounds = 24;
  static constexpr std::uint64_t kMost = std::uint64_t{1} << 63U;

  explicit Histogram(std::span<const double> bounds)
      : bounds_(bounds.first(std::min(bounds.size(), kMaxBounds))) {}

  // Counts stop at kMost rather than begin again.
  void observe(double value, std::uint64_t times = 1) {
    times = std::min(times, kMost - count_);
    const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
    counts_[static_cast<std::size_t>(at)] += times;
    count_ += times;
    sum_ += value * static_cast<double>(times);
  }

  // Adds another's values. False: the bounds differ, and nothing was added.
  bool merge(const Histogram& other);

  [[nodiscard]] std::span<const double> bounds() const { return bounds_; }
  // Values in bucket i alone (not cumulative); i == bounds().size() is the one above the last
  // bound.
  [[nodiscard]] std::uint64_t bucket(std::size_t i) const { return counts_[i]; }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] double sum() const { return sum_; }

  // The q-quantile by linear interpolation within its bucket (as Prometheus' histogram_quantile);
  // empty without values.
  [[nodiscard]] std::optional<double> quantile(double q) const;

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive(self.counts_, self.count_, self.sum_);
  }

 private:
  std::span<const double> bounds_;
  std::array<std::uint64_t, kMaxBounds + 1> counts_{};
  std::uint64_t count_ = 0;
  double sum_ = 0;
};

}  // namespace agent::progress
