// Self-grading: every forecast a session made, against the truth once it is known. Pure.
#pragma once

#include <array>
#include <vector>

#include "agent/eta/family.h"
#include "agent/eta/trail.h"

namespace agent::eta {

// |foretold - true| / true total of each method's forecasts, spread evenly over the session's time;
// at most about 128 of each, at most 3 each (one early blow-up must not decide a mean).
struct SelfGrade {
  std::array<std::vector<float>, kMethods> errors;
};

// Grades the trail of a session that took `total` seconds, and writes the means into the run's
// record.
SelfGrade grade_of(const Trail& trail, double total, FamilyRun& run);

}  // namespace agent::eta
