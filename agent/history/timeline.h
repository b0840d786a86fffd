// Timeline: how one attempt of a session went so far, as a bounded number of moments evenly spread
// over its time. Made of snapshots; read as the minutes that a database would give. Pure; not
// thread-safe.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "agent/clock.h"
#include "agent/progress/past.h"
#include "agent/progress/snapshot.h"

namespace agent::history {

// A number that may be unknown, in four bytes: sessions by the thousand keep a hundred moments
// each.
class Reading {
 public:
  Reading() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a moment is filled from what a snapshot knows.
  Reading(std::optional<double> value) {
    if (value) value_ = static_cast<float>(*value);
  }
  [[nodiscard]] std::optional<double> get() const {
    return std::isnan(value_) ? std::nullopt : std::optional<double>(value_);
  }

 private:
  float value_ = std::numeric_limits<float>::quiet_NaN();
};

struct Moment {
  Instant timestamp;  // the session's own time
  progress::SessionState state{};
  std::int64_t completed = 0, failed = 0, tokens = 0;
  double cost = 0;
  Reading progress{};    // 0..1
  Reading throughput{};  // files per minute
  Reading processing_ms{}, error_rate{}, quality{}, api_success{}, rate_limiting{};
  // The forecast, seconds: what remains, and the 80 % interval.
  Reading remaining{}, low{}, high{}, confidence{};
  progress::EtaMethod method{};  // with `remaining`
};

Moment moment_of(const progress::SessionSnapshot& session);
progress::PastMinute minute_of(const Moment& moment);

// |foretold end - end| / duration, in the mean over the moments that foretold one; empty: none did.
std::optional<double> eta_error(const std::vector<Moment>& moments, Instant start, Instant end);

class Timeline {
 public:
  static constexpr std::size_t kMost = 120;
  static constexpr Duration kFirstSpacing = std::chrono::seconds(5);

  // Keeps `moment` when it is time for the next one, or when it `is_last`. When there are too many,
  // every second one goes and the spacing doubles: amortised O(1).
  void add(const Moment& moment, bool is_last);
  [[nodiscard]] bool is_due(Instant now) const {
    return moments_.empty() || now - moments_.back().timestamp >= spacing_;
  }
  [[nodiscard]] const std::vector<Moment>& moments() const { return moments_; }

 private:
  std::vector<Moment> moments_;
  Duration spacing_ = kFirstSpacing;
};

}  // namespace agent::history
