// Fold: takes what was appended to live_changes into the tables, a bounded step at a time, so that
// commits go on in between. Begun with all changes that are there; until it is done they stay, so
// that an interrupted one is simply begun again. Each step is called within a transaction. Throws
// Failure; then it is to be thrown away and begun again.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/history/arena.h"
#include "agent/history/database.h"
#include "agent/history/image.h"
#include "agent/history/rows.h"
#include "agent/progress/rules.h"
#include "agent/progress/session.h"

namespace agent::history {

class Fold {
 public:
  // Reads all changes.
  explicit Fold(Database& database);

  // Takes about that many files' records further; true: it is done.
  [[nodiscard]] bool step(std::size_t records);

 private:
  using Place = std::map<std::uint64_t, SessionImage>::const_iterator;
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
      put_meta_;
  Arena bytes_;  // of the changes
  Image image_;
  Now now_;

  // Where it is.
  Place at_;
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
