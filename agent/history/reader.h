// Reader: what analytics ask of the database, on a connection of its own that only reads, so that
// it waits for no commit and no commit waits for it. What it finds is as of the last fold, seconds
// ago at most. Event loop only; a call takes about a millisecond.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "agent/history/database.h"
#include "agent/progress/past.h"
#include "agent/result.h"

namespace agent::history {

class Reader {
 public:
  explicit Reader(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // As progress::PastSource. The database is opened when first asked, and anew after a failure.
  Result<std::vector<progress::PastMinute>> minutes(std::uint64_t serial, std::int64_t attempt,
                                                    Instant from, std::size_t limit);
  Result<std::vector<progress::PastRun>> runs(const std::string& family, std::size_t limit);
  Result<std::vector<progress::PastFamily>> families(const std::string& after, std::size_t limit);

 private:
  struct Queries {
    explicit Queries(const std::string& path);
    Database database;
    Statement minutes, runs, families;
  };
  template <typename Row, typename Bind, typename Read>
  Result<std::vector<Row>> ask(Statement Queries::*which, Bind bind, Read read);

  const std::filesystem::path folder_;
  std::unique_ptr<Queries> queries_;
};

}  // namespace agent::history
