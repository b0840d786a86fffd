// Backlog: the commits that are not folded yet, as they lie in live_changes, read the oldest first.
// Throws Failure.
#pragma once

#include <cstddef>
#include <cstdint>

#include "agent/history/arena.h"
#include "agent/history/database.h"
#include "agent/history/image.h"

namespace agent::history {

class Backlog {
 public:
  // Up to that revision.
  explicit Backlog(Database& database, std::int64_t last = INT64_MAX);

  // Goes on where it stopped: adds commits to the image until they are so many bytes or all, which
  // stay in the arena. Damaged ones are a Failure.
  void read(Arena& arena, Image& image, std::size_t bytes);
  [[nodiscard]] bool at_end() const { return at_end_; }       // as of the last read
  [[nodiscard]] std::size_t bytes() const { return bytes_; }  // read in all

 private:
  Database& database_;
  Statement rows_;
  const std::int64_t last_;
  std::int64_t read_ = -1;  // revision
  std::size_t bytes_ = 0;
  bool at_end_ = false;
};

}  // namespace agent::history
