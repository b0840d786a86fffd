#include "agent/history/backlog.h"

namespace agent::history {
namespace {

constexpr int kDamagedBytes = 11;  // SQLITE_CORRUPT

}  // namespace

void read_backlog(Database& database, Arena& arena, Image& image) {
  Statement rows =
      database.prepare("SELECT revision, length(changes) FROM live_changes ORDER BY revision");
  Blobs changes = database.blobs("live_changes", "changes");
  while (rows.step()) {
    const auto length = static_cast<std::size_t>(rows.number(1));
    char* const bytes = arena.allocate(length);
    changes.read(rows.integer(0), bytes, length);
    if (!image.add_changes({bytes, length}))
      throw Failure{kDamagedBytes, "the changes of a commit are damaged"};
  }
}

}  // namespace agent::history
