// From what was written to valid Settings: flag over environment over file over default, with every
// fault found at once. Used at start, by reload and by check-config. Reads the configuration file,
// nothing else; any thread.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "agent/result.h"
#include "agent/settings/document.h"
#include "agent/settings/settings.h"
#include "agent/settings/table.h"

namespace agent::settings {

// What was said outside the file. The same flags and environment hold over every reload.
struct Given {
  std::vector<std::pair<std::string, std::string>> flags;  // "--log.level", "debug"
  std::vector<std::pair<std::string, std::string>>
      variables;  // "PROGRESS_AGENT_LOG_LEVEL", "debug"
};

// The settings of a document (null: no file) and of what was given. Pure.
Result<Settings, Faults> from(const Document* document, const Given& given);

// The same with the file that the flags or the environment name, if they name one.
Result<Settings, Faults> load(const Given& given);

// Reads and parses a file; what prevents it is a fault of the document.
Document read_document(const std::string& path);

// Every variable of this process that is the agent's: `PROGRESS_AGENT_…` and its value.
std::vector<std::pair<std::string, std::string>> environment();
// Those among them that no setting has, except what Kubernetes sets for a Service named
// progress-agent; to be warned of: they may be misspelt.
Faults unknown_variables(const Given& given);

// One key as it is in force, for people: secrets hidden, `source` as in Settings::sources or
// "default".
struct Described {
  std::string key, value, source;
  std::vector<std::string> path;  // the key's components, names with dots in one piece
  const Row* row;                 // says what the value is
};
std::vector<Described> describe(Settings settings);

// What a reload brought: the settings now in force (of keys that change only at a restart, the old
// value), and the keys whose new value waits for that restart.
struct Reloaded {
  Settings in_force;
  std::vector<std::string> changed;
  std::vector<std::string> waiting_for_restart;
};
Reloaded reload(Settings old, Settings fresh);

}  // namespace agent::settings
