#include "agent/alert/policy.h"

namespace agent::alert {

std::optional<InForce> Policy::in_force(std::size_t rule, const Subject& subject) const {
  const Rule& r = rules()[rule];
  const Override& o = overrides_[rule];
  if (!o.enabled) return std::nullopt;
  std::optional<double> threshold;
  if (r.own_threshold != nullptr && subject.session != nullptr)
    threshold = r.own_threshold(*subject.session);
  if (!threshold) threshold = o.threshold ? o.threshold : r.threshold;
  if (!threshold) return std::nullopt;
  return InForce{*threshold, hold(rule), r.keep, severity(rule)};
}

void Policy::fall_back(std::string_view rule, std::optional<double> threshold) {
  const auto number = find_rule(rule);
  if (!number) return;
  Override& o = overrides_[*number];
  if (!o.threshold) o.threshold = threshold;
}

std::optional<InForce> Policy::in_force(std::size_t rule) const {
  return in_force(rule, Subject{});
}

}  // namespace agent::alert
