// Rules: what is worth waking somebody for, as data. One row per alert; the agent's own evaluation,
// the Prometheus rules, and the runbook's headings all come from this table. Pure; any thread.
// Source of names, conditions, and defaults: the contract, section 9.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agent/clock.h"
#include "agent/progress/snapshot.h"

namespace agent::alert {

enum class Severity : std::uint8_t { kInfo, kWarning, kCritical };
inline constexpr std::array<std::string_view, 3> kSeverityNames = {"info", "warning", "critical"};
constexpr std::string_view name_of(Severity s) { return progress::name_of(s, kSeverityNames); }

// How the agent itself fares; rules about sessions do not look at it.
struct AgentHealth {
  bool storage_failing = false;
  bool notifications_failing = false;
  double fullest = 0;              // the largest share of a limit that is used, 0..1
  std::string_view fullest_limit;  // which one: "sessions", "files", ...
};

// What a rule looks at. Exactly one of the pointers is there.
struct Subject {
  const progress::SessionSnapshot* session = nullptr;
  const AgentHealth* agent = nullptr;
  bool superseded = false;  // the session ended, and a later run of its family has begun
};

// A value to hold against the threshold. No reading means that the condition cannot hold now.
struct Reading {
  double value = 0;
  std::string detail;  // what the value came from, for the message; may be empty
  std::string advice;  // with numbers, in place of the rule's recommendation; may be empty
};

enum class Scope : std::uint8_t { kSession, kAgent };
enum class Breach : std::uint8_t { kAbove, kBelow };  // of the threshold
// The part of a session's life in which a rule looks at it.
enum class During : std::uint8_t {
  kRun,           // until it ends
  kUntilGoodEnd,  // a bad end does not mend it
  kAfterEnd
};

struct Rule {
  std::string_view name;  // as in the API; Prometheus and Alertmanager put "Progress" before it
  Scope scope;
  During during;
  Severity severity;
  Breach breach;
  std::optional<double> threshold;  // the default; empty: off, unless something gives one
  Duration hold;                    // `for`: how long the condition must hold before it fires
  Duration keep;                    // how long it must be over before it resolves
  std::string_view unit;            // of the value, for messages: "ratio", "files/min", "ms", ...
  double to_base;                   // the value times this is in Prometheus' unit
  std::optional<Reading> (*read)(const Subject&);
  // The threshold that the session brings itself: from its configuration, its budget. Null: none.
  std::optional<double> (*own_threshold)(const progress::SessionSnapshot&);
  // The value as a query, in Prometheus' unit, one series a session. "$on" stands for the labels
  // that tell sessions apart.
  std::string_view promql;
  std::string_view summary;
  std::string_view description;  // "{value}" and "{threshold}" are filled in
  std::string_view recommendation;
};

// In a fixed order: a rule's number is its place.
std::span<const Rule> rules();
// Its number; empty for a name that is none.
std::optional<std::size_t> find_rule(std::string_view name);

constexpr bool breaches(Breach breach, double value, double threshold) {
  return breach == Breach::kAbove ? value > threshold : value < threshold;
}

}  // namespace agent::alert
