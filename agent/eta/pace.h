// Pace: how many files had ended, and how much busy time (integral of the files in flight) had
// passed, at any earlier session time, in constant memory. Pure; not thread-safe.
#pragma once

#include <algorithm>

#include "agent/eta/family.h"
#include "agent/eta/time_series.h"

namespace agent::eta {

class Pace {
 public:
  // Brings the series to `at`; call before anything changes at `at`.
  void advance(double at) {
    if (at <= now_) return;
    if (at >= series_.due()) advance_series(at);
    busy_ += static_cast<double>(in_flight_) * (at - now_);
    now_ = at;
  }
  void in_flight(std::int64_t change) { in_flight_ += change; }
  void begun(std::int64_t files) { begun_ += static_cast<double>(files); }
  void ended(std::int64_t files) { ended_ += static_cast<double>(files); }

  [[nodiscard]] double busy_at(double now) const {
    return busy_ + static_cast<double>(in_flight_) * std::max(0.0, now - now_);
  }
  // At `time` <= now, seen from `now`.
  [[nodiscard]] double ended_by(double time, double now) const {
    return series_.between(time, kEnded, now, ended_);
  }
  [[nodiscard]] double busy_by(double time, double now) const {
    return series_.between(time, kBusy, now, busy_at(now));
  }
  [[nodiscard]] double begun_by(double time, double now) const {
    return series_.between(time, kBegun, now, begun_);
  }
  // Shares of the whole, when the session ended at `end`.
  [[nodiscard]] Curve files_curve(double end) const { return curve(end, kEnded, ended_); }
  [[nodiscard]] Curve busy_curve(double end) const { return curve(end, kBusy, busy_at(end)); }

  // For storage: what it did not have yet, and how it comes back.
  void save(progress::Packer& packer) {
    packer(now_, busy_, ended_, begun_, in_flight_);
    series_.save(packer);
  }
  void load(progress::Unpacker& unpacker) {
    unpacker(now_, busy_, ended_, begun_, in_flight_);
    series_.load(unpacker);
  }
  void forget_saved() { series_.forget_saved(); }

 private:
  enum Column : std::size_t { kEnded, kBusy, kBegun };

  // Rows due before `at` hold what was true at their own time.
  void advance_series(double at) {
    while (series_.due() <= at) {
      const double t = series_.due();
      series_.fill(t, {static_cast<float>(ended_), static_cast<float>(busy_at(t)),
                       static_cast<float>(begun_)});
    }
  }
  [[nodiscard]] Curve curve(double end, std::size_t column, double whole) const {
    Curve c{};
    for (std::size_t i = 0; i < kCurvePoints; ++i) {
      const double t = end * static_cast<double>(i) / (kCurvePoints - 1);
      c[i] = whole > 0 ? static_cast<float>(series_.between(t, column, end, whole) / whole) : 0.0F;
    }
    return c;
  }

  TimeSeries<3, 128> series_;
  double now_ = 0, busy_ = 0, ended_ = 0, begun_ = 0;
  std::int64_t in_flight_ = 0;
};

}  // namespace agent::eta
