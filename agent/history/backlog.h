// Backlog: the commits that are not folded yet, as they lie in live_changes.
#pragma once

#include "agent/history/arena.h"
#include "agent/history/database.h"
#include "agent/history/image.h"

namespace agent::history {

// Adds all of them to the image; their bytes stay in the arena. Throws Failure, also when they are
// damaged.
void read_backlog(Database& database, Arena& arena, Image& image);

}  // namespace agent::history
