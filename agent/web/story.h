// Story: a session told again, as events in the order of their times, piece by piece. Replayed,
// they give the same totals. What it holds meanwhile is a few bytes for each event: when it was,
// and of which file. Of a session that goes on meanwhile it tells some files as they became. Event
// loop only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/web/file_pages.h"
#include "agent/web/json_writer.h"
#include "agent/web/reply.h"

namespace agent::web {

class Story {
 public:
  Story(tracker::Tracker& tracker, progress::SnapshotPtr session)
      : session_(std::move(session)), pages_(tracker, session_->id()) {}

  Piece next();

 private:
  enum class Kind : std::uint8_t { kBegun, kTold, kLine };
  // One event; they are ordered by these fields.
  struct Event {
    Instant at;
    Kind kind;
    std::uint32_t of;  // a file, or one of lines_

    auto operator<=>(const Event&) const = default;
  };

  bool look_at_files();
  void look_at(const progress::FileSnapshot& file, progress::FileRef ref);
  void add_what_is_no_file();
  void counts();
  void api();
  void earlier_try(std::int64_t tokens, double cost);
  void rate_limits();
  bool tell(std::string& out);

  // An event with the fields that `write` adds.
  template <typename Write>
  void put(std::string& out, Instant at, std::string_view event, Write write) const;
  template <typename Write>
  void add_line(Instant at, std::string_view event, Write write);
  void put_start(std::string& out) const;
  void put_begun(std::string& out, Instant at, const progress::FileSnapshot& file) const;
  void put_told(std::string& out, Instant at, const progress::FileSnapshot& file) const;
  void put_end(std::string& out) const;

  const progress::SnapshotPtr session_;
  FilePages pages_;
  std::vector<Event> events_;
  std::vector<std::string> lines_;
  std::size_t told_ = 0;
  bool all_seen_ = false;
  std::optional<progress::FileSnapshot> retried_;  // if any was; else one that was begun
  std::int64_t tokens_ = 0;                        // of the files
  double cost_ = 0;
};

}  // namespace agent::web
