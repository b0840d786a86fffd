// Store: the database file of one agent: opened (a file that cannot be used is set aside), read at
// a restart, appended to by commits, folded and trimmed in between. No thread of its own; the
// writer's thread owns it. Every call may fail and leaves the database as it was.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "agent/clock.h"
#include "agent/history/arena.h"
#include "agent/history/fold.h"
#include "agent/history/image.h"
#include "agent/progress/changes.h"
#include "agent/progress/saved.h"
#include "agent/result.h"

namespace agent::history {

struct StoreOptions {
  std::filesystem::path folder;
  std::int64_t most_sessions = 100'000;             // of history: attempts
  std::int64_t most_bytes = std::int64_t{4} << 30;  // of the file, before history goes
  std::int64_t most_producers = 10'000;
  std::int64_t most_families = 500;                // whose forecasts are remembered
  std::size_t fold_bytes = std::size_t{16} << 20;  // changes at least, unless nothing else waits
  std::string vfs;                                 // SQLite's, for tests; empty: the system's
};

struct StoreFault {
  bool damaged = false;  // waiting does not help: set the file aside
  std::string message;
};
template <typename T>
using StoreResult = Result<T, StoreFault>;

// What a restart begins with; owns the bytes that `state` refers to.
struct Loaded {
  Arena bytes;
  Image image;
  progress::SavedState state;
};

class Store {
 public:
  static StoreResult<std::unique_ptr<Store>> open(const StoreOptions& options);
  // Renames the database and what belongs to it; what was done, for the log.
  static std::string set_aside(const StoreOptions& options, Instant now);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] StoreResult<std::unique_ptr<Loaded>> load();
  // One commit, on disk when it returns. Repeating one is harmless.
  [[nodiscard]] StoreResult<void> append(std::uint64_t revision, std::string_view changes);
  // After a commit, when nobody waits for it any more: takes SQLite's log into the file, once it is
  // long. `at_rest`: even a short one, so that a restart finds none to read.
  void shorten_log(bool at_rest);
  // Whether folding must go on even while commits wait, and whether there is anything to fold.
  [[nodiscard]] bool must_fold() const { return fold_ || waiting() > most_waiting(); }
  // Changes that are not folded, in bytes; what there should be of them at most.
  [[nodiscard]] std::size_t waiting() const {
    const std::size_t done = fold_ ? fold_->bytes_done() : 0;
    return appended_bytes_ - std::min(appended_bytes_, done);
  }
  [[nodiscard]] std::size_t most_waiting() const {
    return std::max(options_.fold_bytes, live_bytes_ / 2);
  }
  [[nodiscard]] bool can_fold() const { return fold_ || appended_bytes_ > 0; }
  // One bounded step of folding; true: what was appended before it began is in the tables, or as
  // much of it as one took that was interrupted.
  [[nodiscard]] StoreResult<bool> fold(std::size_t records);
  // One bounded step of forgetting old history, of several small attempts or a part of a large one;
  // true: there is nothing more to forget now.
  // `oldest`: of the last event.
  [[nodiscard]] StoreResult<bool> retain(Instant oldest);

  [[nodiscard]] std::uint64_t commits() const { return commits_; }

 private:
  struct Tables;
  explicit Store(const StoreOptions& options);  // throws Failure
  void prepare();
  void load_sessions(Loaded& loaded);
  void load_files(Loaded& loaded);
  void load_changes(Loaded& loaded);
  void load_producers(Loaded& loaded);
  [[nodiscard]] bool forget_oldest(Instant oldest_kept, bool too_much, std::int64_t& budget);
  [[nodiscard]] bool forget_some(std::int64_t session, std::int64_t attempt, std::int64_t& budget);
  template <typename Do>
  auto attempt(Do&& what) -> StoreResult<decltype(what())>;

  StoreOptions options_;
  class FileLock;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Tables> tables_;
  std::unique_ptr<Fold> fold_;
  std::size_t appended_bytes_ = 0;  // in live_changes; less after a commit that only seemed to fail
  std::size_t live_bytes_ = 0;      // about what live_files holds
  std::uint64_t commits_ = 0;
};

}  // namespace agent::history
