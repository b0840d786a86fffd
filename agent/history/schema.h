// The schema of the database, and how an older one becomes the present one. What the tables mean is
// in README.md of this folder.
#pragma once

#include <cstdint>

#include "agent/history/database.h"

namespace agent::history {

inline constexpr std::int64_t kApplicationId = 0x50414754;  // "PAGT", in the file's head
inline constexpr std::int64_t kSchemaVersion = 2;

enum class SchemaState : std::uint8_t { kOurs, kEmpty, kForeign, kNewer };
[[nodiscard]] SchemaState look_at_schema(Database& database);

// Brings an empty or older database to kSchemaVersion, one version after the other, each in a
// transaction of its own.
void migrate(Database& database);

}  // namespace agent::history
