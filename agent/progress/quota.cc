#include "agent/progress/quota.h"

#include <algorithm>

namespace agent::progress {
namespace {

constexpr Duration kSpan =
    std::chrono::seconds(60);    // the burn is measured over this, or up to twice
constexpr double kRefill = 0.1;  // a rise by that share of the limit begins a new quota window

}  // namespace

void Quota::report(const QuotaReport& r, Instant at) {
  if (r.limit) limit_ = r.limit;
  if (r.reset_at) reset_at_ = r.reset_at;
  if (!r.remaining) return;
  remaining_ = r.remaining;
  sample(at, *r.remaining);
}

void Quota::sample(Instant at, double remaining) {
  if (last_ && at < last_->at) return;
  const bool refilled =
      last_ && remaining - last_->remaining > kRefill * limit_.value_or(remaining);
  if (!first_ || refilled) {
    first_ = middle_ = last_ = Sample{at, remaining};
    return;
  }
  last_ = Sample{at, remaining};
  if (at - middle_->at < kSpan) return;
  first_ = middle_;
  middle_ = last_;
}

std::optional<double> Quota::remaining_ratio() const {
  if (!limit_ || !remaining_ || *limit_ <= 0) return std::nullopt;
  return std::clamp(*remaining_ / *limit_, 0.0, 1.0);
}

std::optional<QuotaOutlook> Quota::exhaustion_ahead(Instant now) const {
  if (!first_ || !reset_at_ || last_->at <= first_->at || now >= *reset_at_) return std::nullopt;
  const double burn = (first_->remaining - last_->remaining) / seconds(last_->at - first_->at);
  const double until_reset = seconds(*reset_at_ - last_->at);
  if (burn <= 0 || last_->remaining / burn >= until_reset) return std::nullopt;
  const auto lasts =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(last_->remaining / burn));
  return QuotaOutlook{burn, last_->at + lasts, last_->remaining / until_reset};
}

}  // namespace agent::progress
