// Fold: takes what was appended to live_changes into the tables, a bounded step at a time, so that
// commits go on in between. It takes the oldest of the changes; until it is done they stay. One
// that was interrupted is begun again with the same changes, however many have come since, and
// passes over the sessions that it had done: it comes to its end however often the agent is killed.
// Each step is called within a transaction. Throws Failure; then it is to be thrown away and begun
// again.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/history/arena.h"
#include "agent/history/backlog.h"
#include "agent/history/database.h"
#include "agent/history/image.h"
#include "agent/history/rows.h"
#include "agent/progress/rules.h"
#include "agent/progress/session.h"

namespace agent::history {

class Fold {
 public:
  // Of so many bytes of changes, and what their last commit has more; or of all. One that was
  // interrupted goes before.
  Fold(Database& database, std::size_t bytes);

  // Takes about that many files' records further; true: it is done.
  [[nodiscard]] bool step(std::size_t records);
  // Of the changes that it takes, about so many as are in the tables; exactly, once it is done.
  [[nodiscard]] std::size_t bytes_done() const;

 private:
  using Place = Image::Sessions::const_iterator;
  void read();
  [[nodiscard]] bool is_read() const {
    return backlog_.at_end() || backlog_.bytes() >= most_bytes_;
  }
  [[nodiscard]] bool was_dropped() const;
  void pass();
  [[nodiscard]] std::optional<Image::Stored> stored_of(std::uint64_t serial);
  void begin_session();
  void load_states(const std::string& base);
  void put_chunk(const FileImage* from, const FileImage* to);
  void put_former(const FormerFiles& former);
  void put_if_final(const progress::FileRecord& record);
  void put_unfinished();
  void end_session();
  void put_told();
  void put_alerts();
  [[nodiscard]] std::string merged_forecast();
  void end();
  [[nodiscard]] bool keeps_history() const { return session_->config().persistence; }
  void load(std::string_view state);

  Database& database_;
  Rows rows_;
  Statement get_session_, put_session_, drop_session_, get_chunk_, put_chunk_, drop_chunks_,
      get_chunks_, drop_changes_, put_producer_, put_stopped_, drop_stopped_, put_family_,
      put_meta_, get_stored_;
  const std::optional<std::int64_t> interrupted_at_;
  Backlog backlog_;
  const std::size_t most_bytes_;
  const std::uint64_t next_serial_;  // when all was in the tables the last time
  Arena bytes_;                      // of the changes
  Image image_;
  Now now_;

  // Where it is.
  Place at_;
  std::size_t passed_ = 0;  // sessions before it
  bool ended_ = false;
  std::vector<FileImage> files_;  // of the session
  std::size_t file_ = 0;
  std::size_t budget_ = 0;
  progress::Rules rules_;
  std::unique_ptr<progress::Session> session_;  // as storage has it, without files; null: to begin
  std::string forecast_;                        // likewise of its forecaster
  std::uint64_t base_epoch_ = 0;
  bool was_over_ = false;
  progress::Packer packer_;
};

}  // namespace agent::history
