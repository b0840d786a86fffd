// The table of all settings: one row per key says where it is kept, what values it takes, what it
// is for, and when a change takes effect. The file, the environment, the flags, `--help`,
// check-config, the reference in config/ and /v1/status all come from it. A new setting is a row
// here and a member of Settings. Constant; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "agent/settings/settings.h"

namespace agent::settings {

// Which one, of a key with a variable part: a name (`pricing.<model>`) or a position
// (`notify.webhooks[]`).
struct Place {
  std::string name;
  std::size_t index = 0;
};

template <typename T>
using Slot = T& (*)(Settings&, const Place&);

// Where a row's value is kept; its type decides the grammar (values.h).
using Target =
    std::variant<Slot<std::string>, Slot<bool>, Slot<std::int64_t>, Slot<double>, Slot<Duration>,
                 Slot<Bytes>, Slot<FileMode>, Slot<Address>, Slot<std::optional<double>>,
                 Slot<std::optional<Duration>>, Slot<log::Level>, Slot<log::Format>, Slot<PerFile>,
                 Slot<std::optional<Severity>>, Slot<std::vector<std::string>>,
                 Slot<std::vector<std::int64_t>>>;

// When a changed value takes effect.
enum class Reload : std::uint8_t { kAtOnce, kAtRestart };

struct Row {
  std::string_view key;  // "web.listen_address", "pricing.<model>.input_per_million"
  Target target;
  std::string_view help;  // what it is, in one or two sentences
  Reload reload = Reload::kAtRestart;
  Range range = {};
  Check check = nullptr;          // of texts, and of every text of a list
  std::string_view example = {};  // for the reference, when the default is empty
  bool is_secret = false;         // a URL whose path is a password: shown without it
  bool is_required = false;       // wherever its parent is written
};

// Rows in the order of the reference: grouped by section, the most used first.
std::span<const Row> rows();
const Row* find_row(std::string_view key);

// A part of the file whose keys the user chooses, or a list.
struct VariablePart {
  std::string_view root;     // "pricing", "notify.webhooks"
  std::string_view pattern;  // "pricing.<model>", "notify.webhooks[]"
  std::string_view help;
  std::string_view example;  // of a name
  Check check;               // of the chosen names; null: a list
  std::vector<Place> (*places)(const Settings&);
  [[nodiscard]] bool is_list() const { return check == nullptr; }
};
std::span<const VariablePart> variable_parts();
// The part that a row's key is in, or null.
const VariablePart* variable_part_of(const Row& row);

// What a section ("web", "web.config") is about; "" for one that needs no words.
std::string_view section_help(std::string_view section);

// A row with one value has a flag and an environment variable; the others are for the file only.
bool has_flag(const Row& row);
bool is_in_file(const Row& row);          // all but config.file
std::string flag_of(const Row& row);      // "--web.listen-address"
std::string variable_of(const Row& row);  // "PROGRESS_AGENT_WEB_LISTEN_ADDRESS"
inline constexpr std::string_view kVariablePrefix = "PROGRESS_AGENT_";

// What the row takes, for help: "duration", "size", "debug|info|warn|error".
std::string type_of(const Row& row);
bool is_switch(const Row& row);
bool is_text(const Row& row);  // any text, path, URL or address
bool is_list(const Row& row);
bool is_number(const Row& row);  // a count or a number, not a duration or size
// The range in words, or "" when every value of the type is good.
std::string range_of(const Row& row);
std::string default_of(const Row& row);

// The value of a row, as it would be written; secrets stay in.
std::string value_of(const Row& row, Settings& settings, const Place& place = {});
// Reads `text` into the row's place in `settings`, or says what is wrong with it.
Result<void, Refusal> assign(const Row& row, std::string_view text, Settings& settings,
                             const Place& place = {});
// The same for a list of values; only rows where is_list().
Result<void, Refusal> assign_list(const Row& row, std::span<const std::string_view> items,
                                  Settings& settings, const Place& place = {});
// Copies one row's value.
void copy(const Row& row, Settings& from, Settings& to);

}  // namespace agent::settings
