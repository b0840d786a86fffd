// Which method speaks for the session: the one whose own past forecasts did best, in the family's
// earlier sessions and in all sessions of this agent; adaptive, which needs no training, while
// there are too few of them. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "agent/eta/family.h"
#include "agent/progress/names.h"

namespace agent::eta {

// How the methods did over sessions: exponentially aging means of |foretold - true| / true total.
struct MethodRecord {
  std::array<double, kMethods> error{};
  std::array<double, kMethods> sessions{};  // how many it stands for, aged

  void add(const std::array<float, kMethods>& errors);  // NaN: the method had no answer
  static MethodRecord of(std::span<const FamilyRun> runs);

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive(self.error, self.sessions);
  }
};

enum class ChoiceReason : std::uint8_t {
  kOnlyLinear,     // `enableETAOptimization` is off
  kFamilyRecord,   // it did best in the family
  kOverallRecord,  // it did best in this agent's sessions; the family has none yet
  kNeverSeen,      // the default: there is no record yet
};
inline constexpr std::array<std::string_view, 4> kChoiceReasonNames = {
    "only_linear", "family_record", "overall_record", "never_seen"};

struct Choice {
  progress::EtaMethod method = progress::EtaMethod::kAdaptive;
  ChoiceReason why = ChoiceReason::kNeverSeen;
  std::array<double, kMethods> expected_error{};  // |foretold - true| / true total
  // How much of the learned correction ml_based takes: all of it while it is expected to do no
  // worse than adaptive, none from 10 % worse on.
  double correction = 0;
};

// Expected errors are means of the family's record, of the overall one (counting at most four
// sessions), and of the `validation` (counting two): of the model, or of the built-in methods when
// there is none (`has_model` false). A method other than adaptive speaks only with a record in the
// family, or with one of four sessions overall.
[[nodiscard]] Choice choose(const MethodRecord& family, const MethodRecord& overall,
                            const std::array<double, kMethods>& validation, bool has_model);

// Where the built-in methods were validated (config/README.md): linear, exponential, adaptive,
// ml_based.
inline constexpr std::array<double, kMethods> kBuiltInValidation = {0.49, 0.51, 0.25, 0.25};

}  // namespace agent::eta
