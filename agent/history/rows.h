// Rows: writes the tables of history, which people query, from sessions and files as storage has
// them. Called within a transaction. Throws Failure.
#pragma once

#include <string_view>

#include "agent/alert/alert.h"
#include "agent/history/database.h"
#include "agent/progress/file_record.h"
#include "agent/progress/foretold.h"
#include "agent/progress/session.h"
#include "agent/progress/snapshot.h"

namespace agent::history {

class Rows {
 public:
  explicit Rows(Database& database);

  // The session's present attempt: its own row, its quota windows, its snapshot of this minute.
  void put_session(std::uint64_t serial, const progress::SessionSnapshot& snapshot, Now at);
  // One file of that attempt; stages and models are numbered as in `files`.
  void put_file(std::uint64_t serial, std::int64_t attempt, const progress::FileRecord& record,
                const progress::Files& files);
  // What was foretold of that attempt, and the grades of its forecasts once there are any.
  void put_foretold(std::uint64_t serial, std::int64_t attempt, const progress::Foretold& told);
  // Where an alert of that attempt stands, as told at `told`.
  void put_alert(std::uint64_t serial, std::int64_t attempt, const alert::Alert& alert,
                 Instant told);

 private:
  void put_quotas(std::uint64_t serial, const progress::SessionSnapshot& s, Now at);
  void put_minute(std::uint64_t serial, const progress::SessionSnapshot& s, Now at);

  Statement session_, file_, quota_, minute_, prediction_, grade_, alert_;
};

}  // namespace agent::history
