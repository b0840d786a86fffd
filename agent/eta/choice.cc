#include "agent/eta/choice.h"

#include <algorithm>
#include <cmath>

namespace agent::eta {
namespace {

constexpr double kAging = 0.9;             // what a session counts for each newer one
constexpr double kValidationSessions = 2;  // what the validation counts
constexpr double kMostOverall = 4;  // at most, what all sessions together count; and how many
                                    // of them let a method speak for a new family
constexpr double kHopeless = 0.1;   // worse than adaptive by this share: no correction

double at(const std::array<double, kMethods>& values, progress::EtaMethod m) {
  return values[static_cast<std::size_t>(m)];
}

}  // namespace

void MethodRecord::add(const std::array<float, kMethods>& errors) {
  for (std::size_t m = 0; m < kMethods; ++m) {
    if (std::isnan(errors[m])) continue;
    const double n = sessions[m] * kAging;
    error[m] = (error[m] * n + static_cast<double>(errors[m])) / (n + 1);
    sessions[m] = n + 1;
  }
}

MethodRecord MethodRecord::of(std::span<const FamilyRun> runs) {
  MethodRecord r;
  for (const FamilyRun& run : runs) r.add(run.method_error);
  return r;
}

Choice choose(const MethodRecord& family, const MethodRecord& overall,
              const std::array<double, kMethods>& validation, bool has_model) {
  using progress::EtaMethod;
  Choice c;
  for (std::size_t m = 0; m < kMethods; ++m) {
    const double n = std::min(overall.sessions[m], kMostOverall), k = family.sessions[m];
    c.expected_error[m] =
        (kValidationSessions * validation[m] + n * overall.error[m] + k * family.error[m]) /
        (kValidationSessions + n + k);
  }
  const double adaptive = at(c.expected_error, EtaMethod::kAdaptive);
  const double learned = at(c.expected_error, EtaMethod::kMlBased);
  if (has_model) {
    c.correction = std::clamp(1 - (learned / std::max(1e-6, adaptive) - 1) / kHopeless, 0.0, 1.0);
  }
  for (const EtaMethod m : {EtaMethod::kMlBased, EtaMethod::kLinear, EtaMethod::kExponential}) {
    if (m == EtaMethod::kMlBased && !has_model) continue;
    const bool proven = at(family.sessions, m) > 0 || at(overall.sessions, m) >= kMostOverall;
    if (proven && at(c.expected_error, m) < at(c.expected_error, c.method)) c.method = m;
  }
  c.why = at(family.sessions, c.method) > 0                ? ChoiceReason::kFamilyRecord
          : at(overall.sessions, c.method) >= kMostOverall ? ChoiceReason::kOverallRecord
                                                           : ChoiceReason::kNeverSeen;
  return c;
}

}  // namespace agent::eta
