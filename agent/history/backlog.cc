#include "agent/history/backlog.h"

namespace agent::history {
namespace {

constexpr int kDamagedBytes = 11;  // SQLITE_CORRUPT

}  // namespace

Backlog::Backlog(Database& database, std::int64_t last)
    : database_(database),
      rows_(database.prepare("SELECT revision, length(changes) FROM live_changes "
                             "WHERE revision > ? AND revision <= ? ORDER BY revision")),
      last_(last) {}

void Backlog::read(Arena& arena, Image& image, std::size_t bytes) {
  // While it is open, SQLite's log can only grow.
  Blobs changes = database_.blobs("live_changes", "changes");
  rows_.bind(read_).bind(last_);
  for (std::size_t got = 0; got < bytes;) {
    if (!rows_.step()) {
      at_end_ = true;
      return;
    }
    const auto length = static_cast<std::size_t>(rows_.number(1));
    char* const into = arena.allocate(length);
    changes.read(rows_.integer(0), into, length);
    if (!image.add_changes({into, length}))
      throw Failure{kDamagedBytes, "the changes of a commit are damaged"};
    read_ = rows_.integer(0);
    bytes_ += length;
    got += length;
  }
  rows_.reset();
}

}  // namespace agent::history
