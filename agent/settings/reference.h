// The reference in words, generated from the table: `progress-agent docs config` and `docs flags`
// print it, config/ keeps it, and a test holds the two together. Pure; any thread.
#pragma once

#include <string>

namespace agent::settings {

// config/agent.yaml: every key with its default and what it is for. Loading it changes nothing.
std::string example_file();

// config/README.md's reference: every key in a table, section by section.
std::string key_reference();

// Every flag with its variable, in Markdown.
std::string flag_reference();

}  // namespace agent::settings
