// Faults of the configuration, and the places they are in. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace agent::settings {

// A position in a file; both count from 1 (the column in bytes). Line 0: none.
struct Mark {
  std::uint32_t line = 0, column = 0;
  auto operator<=>(const Mark&) const = default;
};

// Who said something: a file (with a mark in it), a flag or an environment variable.
struct Origin {
  std::string where;  // "agent.yaml", "--log.level", "PROGRESS_AGENT_LOG_LEVEL"
  Mark mark;

  [[nodiscard]] std::string text() const;  // "agent.yaml:3:5", "--log.level"
};

// One thing wrong with the configuration, for a person to read and correct.
struct Fault {
  Origin origin;
  std::string message;
  std::string suggestion;  // empty: none

  // `FILE:LINE:COL: message (did you mean "…"?)`
  [[nodiscard]] std::string text() const;
};

using Faults = std::vector<Fault>;

// More are not listed: such a file is no configuration of the agent.
inline constexpr std::size_t kMaxFaults = 1'000;

}  // namespace agent::settings
