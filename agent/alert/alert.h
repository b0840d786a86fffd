// Alert: one breach of one rule, and where it stands; Standing: everything about the alerts of one
// subject at one instant. Plain values, as all outputs read them; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/alert/rule.h"
#include "agent/clock.h"
#include "agent/progress/archive.h"

namespace agent::alert {

enum class State : std::uint8_t { kPending, kFiring, kResolved };
inline constexpr std::array<std::string_view, 3> kStateNames = {"pending", "firing", "resolved"};
constexpr std::string_view name_of(State s) { return progress::name_of(s, kStateNames); }

// Why an alert changed its state.
enum class Reason : std::uint8_t {
  kBreached,     // the condition holds
  kHeld,         // and has held for its `for`
  kRecovered,    // it no longer does
  kEnded,        // the session ended, and the rule has nothing to say after that
  kSuperseded,   // a later run of the family began
  kStale,        // the session fell silent for good
  kGone,         // the session is tracked no more
  kSwitchedOff,  // by configuration
  kDismissed,    // by a person
};
inline constexpr std::array<std::string_view, 9> kReasonNames = {
    "breached", "held", "recovered",    "ended",    "superseded",
    "stale",    "gone", "switched off", "dismissed"};
constexpr std::string_view name_of(Reason r) { return progress::name_of(r, kReasonNames); }

struct Alert {
  std::string id;  // of this breach: a new breach has a new one
  std::size_t rule = 0;
  Severity severity = Severity::kWarning;
  State state = State::kPending;
  Reason reason = Reason::kBreached;
  std::string session, family;                              // empty for the agent's own
  std::vector<std::pair<std::string, std::string>> labels;  // of the session, as configured
  double value = 0, threshold = 0;
  std::string message, recommendation, runbook_url;
  Instant breached_at;               // the condition began to hold
  std::optional<Instant> starts_at;  // it began to fire
  std::optional<Instant> ends_at;    // it was resolved
  bool dismissed = false;

  [[nodiscard]] std::string_view name() const { return rules()[rule].name; }
  [[nodiscard]] bool firing() const { return state == State::kFiring && !dismissed; }
  // Shown where alerts are that somebody should look at.
  [[nodiscard]] bool active() const { return state != State::kResolved && !dismissed; }

  // All but the rule, whose number may be another in another version.
  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive(self.id, self.severity, self.state, self.reason, self.session, self.family, self.labels,
            self.value, self.threshold, self.message, self.recommendation, self.runbook_url,
            self.breached_at, self.starts_at, self.ends_at, self.dismissed);
  }
};

// What a rule saw when it looked last.
struct Finding {
  std::optional<double> value;      // empty: nothing to measure
  std::optional<double> threshold;  // empty: the rule is off, or not about this subject
  bool is_own = false;              // the subject's, in place of the default
};

struct Fired {
  std::size_t rule = 0;
  Severity severity = Severity::kWarning;
  std::uint64_t times = 0;  // counter: over the subject's whole life
};

struct Standing {
  std::vector<Alert> current;   // pending and firing, dismissed ones among them, by rule
  std::vector<Alert> resolved;  // the latest ones, the newest last
  std::vector<Fired> fired;
  std::vector<Finding> findings;    // by rule; in the agent's, of other rules the default threshold
  bool has_own_thresholds = false;  // some finding is its own
};

}  // namespace agent::alert

namespace agent::progress {
template <>
inline constexpr std::size_t kValues<alert::Severity> = alert::kSeverityNames.size();
template <>
inline constexpr std::size_t kValues<alert::State> = alert::kStateNames.size();
template <>
inline constexpr std::size_t kValues<alert::Reason> = alert::kReasonNames.size();
}  // namespace agent::progress
