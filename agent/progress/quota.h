// Quota: what an API says of its limit over time, and when it ends at the present burn. Pure; not
// thread-safe; a value. Times are the session's own.
#pragma once

#include <optional>

#include "agent/clock.h"

namespace agent::progress {

// Units are the provider's (requests, tokens).
struct QuotaReport {
  std::optional<double> limit, remaining;
  std::optional<Instant> reset_at;
};

struct QuotaOutlook {
  double burn_per_second = 0;         // net of refills, over the last minute or so
  Instant exhausted_at;               // at that burn
  double sustainable_per_second = 0;  // what lasts exactly until the reset
};

class Quota {
 public:
  void report(const QuotaReport& r, Instant at);

  [[nodiscard]] std::optional<double> limit() const { return limit_; }
  [[nodiscard]] std::optional<double> remaining() const { return remaining_; }
  [[nodiscard]] std::optional<Instant> reset_at() const { return reset_at_; }
  [[nodiscard]] std::optional<double> remaining_ratio() const;
  // Only when the quota ends before it resets: at the burn between the first and the last report of
  // about the last minute. Empty while that is unknown.
  [[nodiscard]] std::optional<QuotaOutlook> exhaustion_ahead(Instant now) const;

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive(self.limit_, self.remaining_, self.reset_at_, self.first_, self.middle_, self.last_);
  }

 private:
  struct Sample {
    Instant at;
    double remaining = 0;

    template <typename Archive, typename Self>
    static void fields(Archive& archive, Self& self) {
      archive(self.at, self.remaining);
    }
  };
  void sample(Instant at, double remaining);

  std::optional<double> limit_, remaining_;
  std::optional<Instant> reset_at_;
  std::optional<Sample> first_, middle_, last_;  // of this quota window
};

}  // namespace agent::progress
