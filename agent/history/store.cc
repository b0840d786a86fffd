#include "agent/history/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "agent/history/backlog.h"
#include "agent/history/places.h"
#include "agent/history/schema.h"

namespace agent::history {
namespace {

constexpr const char* kFile = "agent.db";
constexpr int kCannotOpen = 14;                                  // SQLITE_CANTOPEN
constexpr int kNotADatabase = 26;                                // SQLITE_NOTADB
constexpr std::int64_t kLongLog = 8 << 20, kShortLog = 1 << 20;  // bytes
constexpr std::int64_t kForget = 4'000;  // rows of files forgotten in one step

std::string path_of(const StoreOptions& options) { return (options.folder / kFile).string(); }

}  // namespace

// One agent at a time. Held by the open file, so that it ends with the process however that ends.
class Store::FileLock {
 public:
  explicit FileLock(const std::filesystem::path& path)
      : file_(::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0640)) {
    if (file_ >= 0 && ::flock(file_, LOCK_EX | LOCK_NB) == 0) return;
    const bool taken = file_ >= 0 && errno == EWOULDBLOCK;
    const std::string why = taken ? "another agent uses this folder" : std::strerror(errno);
    if (file_ >= 0) ::close(file_);
    throw Failure{kCannotOpen, "lock " + path.string() + ": " + why};
  }
  ~FileLock() { ::close(file_); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int file_;
};

// Statements that live as long as the connection.
struct Store::Tables {
  explicit Tables(Database& d)
      : append(d.prepare("INSERT OR REPLACE INTO live_changes VALUES (?, ?)")),
        drop_producers(d.prepare("DELETE FROM producers WHERE position IN (SELECT position "
                                 "FROM producers ORDER BY position DESC LIMIT -1 OFFSET ?)")),
        oldest(d.prepare("SELECT session, attempt, last_event_at FROM batch_upload_sessions "
                         "WHERE session NOT IN (SELECT serial FROM live_sessions) "
                         "ORDER BY last_event_at LIMIT 1")),
        nth_file(d.prepare("SELECT number FROM batch_upload_files WHERE session = ? "
                           "AND attempt = ? ORDER BY number LIMIT 1 OFFSET ?")),
        drop_files(d.prepare("DELETE FROM batch_upload_files WHERE session = ? AND attempt = ? "
                             "AND number < ?")),
        drop_minutes(d.prepare("DELETE FROM performance_snapshots WHERE session = ? "
                               "AND attempt = ?")),
        drop_predictions(d.prepare("DELETE FROM eta_predictions WHERE session = ? "
                                   "AND attempt = ?")),
        drop_grades(d.prepare("DELETE FROM eta_grades WHERE session = ? AND attempt = ?")),
        drop_alerts(d.prepare("DELETE FROM alerts WHERE session = ? AND attempt = ?")),
        drop_families(d.prepare("DELETE FROM family_history WHERE position IN (SELECT position "
                                "FROM family_history ORDER BY position DESC LIMIT -1 OFFSET ?)")),
        drop_quotas(d.prepare("DELETE FROM api_quota_tracking WHERE session = ? AND attempt = ?")),
        drop_session(d.prepare("DELETE FROM batch_upload_sessions WHERE session = ? "
                               "AND attempt = ?")) {}
  Statement append, drop_producers, oldest, nth_file, drop_files, drop_minutes, drop_predictions,
      drop_grades, drop_alerts, drop_families, drop_quotas, drop_session;
};

template <typename Do>
auto Store::attempt(Do&& what) -> StoreResult<decltype(what())> {
  try {
    if constexpr (std::is_void_v<decltype(what())>) {
      what();
      return {};
    } else {
      return what();
    }
  } catch (const Failure& f) {
    return failure(StoreFault{f.damaged(), f.message});
  }
}

StoreResult<std::unique_ptr<Store>> Store::open(const StoreOptions& options) {
  try {
    return std::unique_ptr<Store>(new Store(options));
  } catch (const Failure& f) {
    return failure(StoreFault{f.damaged(), f.message});
  }
}

Store::Store(const StoreOptions& options) : options_(options) {
  std::error_code error;
  std::filesystem::create_directories(options.folder, error);
  if (error) throw Failure{kCannotOpen, "make " + options.folder.string() + ": " + error.message()};
  lock_ = std::make_unique<FileLock>(options.folder / "agent.lock");
  database_ =
      std::make_unique<Database>(path_of(options), Database::Access::kReadWrite, options.vfs);
  prepare();
}

Store::~Store() = default;

void Store::prepare() {
  switch (look_at_schema(*database_)) {
    case SchemaState::kForeign:
      throw Failure{kNotADatabase, "this database is another program's"};
    case SchemaState::kNewer:
      throw Failure{kNotADatabase, "this database was written by a newer version of the agent"};
    case SchemaState::kEmpty:
      database_->execute("PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL");
      break;
    case SchemaState::kOurs:
      break;
  }
  database_->execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216; "
      "PRAGMA cache_size = -4096; PRAGMA temp_store = "
      "MEMORY");
  database_->keep_log();
  migrate(*database_);
  tables_ = std::make_unique<Tables>(*database_);
  appended_bytes_ = static_cast<std::size_t>(
      database_->integer("SELECT coalesce(sum(length(changes)), 0) FROM live_changes"));
}

std::string Store::set_aside(const StoreOptions& options, Instant now) {
  const std::string from = path_of(options);
  const std::string to =
      from + ".unusable-" + std::to_string(now.time_since_epoch().count() / 1'000'000);
  std::string done = "moved to " + to;
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::error_code error;
    std::filesystem::rename(from + suffix, to + suffix, error);
    if (error && error != std::errc::no_such_file_or_directory)
      done = "cannot be moved: " + error.message();
  }
  return done;
}

// ---- a restart

StoreResult<std::unique_ptr<Loaded>> Store::load() {
  return attempt([&] {
    auto loaded = std::make_unique<Loaded>();
    Statement begin = database_->prepare("BEGIN");
    Statement end = database_->prepare("COMMIT");
    begin.run();
    load_sessions(*loaded);
    load_files(*loaded);
    load_changes(*loaded);
    loaded->image.settle();
    load_producers(*loaded);
    end.run();
    auto sessions = loaded->image.take_sessions();
    loaded->state.sessions.reserve(sessions.size());
    for (auto& [serial, image] : sessions) {
      if (image.gone) continue;
      loaded->state.sessions.push_back({serial, image.kept, std::move(image.states),
                                        std::move(image.forecasts), std::move(image.files)});
    }
    return loaded;
  });
}

void Store::load_sessions(Loaded& loaded) {
  Statement rows = database_->prepare(
      "SELECT serial, epoch, revision, kept, forecast, state FROM live_sessions");
  while (rows.step()) {
    const std::string_view kept = loaded.bytes.keep(rows.bytes(3));
    const std::string_view forecast = loaded.bytes.keep(rows.bytes(4));
    loaded.image.add_session(rows.number(0), rows.number(1), rows.number(2), kept, forecast,
                             loaded.bytes.keep(rows.bytes(5)));
  }
}

void Store::load_files(Loaded& loaded) {
  live_bytes_ = 0;
  Statement rows = database_->prepare("SELECT place, epoch, records FROM live_files");
  while (rows.step()) {
    const std::string_view records = loaded.bytes.keep(rows.bytes(2));
    live_bytes_ += records.size();
    loaded.image.add_files(session_of(rows.number(0)), rows.number(1), records);
  }
}

void Store::load_changes(Loaded& loaded) {
  const auto meta = [&](const char* name) {
    Statement row = database_->prepare("SELECT value FROM meta WHERE name = ?");
    row.bind_text(name);
    return row.step() ? row.integer(0) : std::int64_t{0};
  };
  progress::SavedState& state = loaded.state;
  state.next_serial = static_cast<std::uint64_t>(meta("next_serial"));
  state.revision = static_cast<std::uint64_t>(meta("revision"));
  state.committed_at = Instant(Duration(meta("committed_at")));
  Backlog(*database_).read(loaded.bytes, loaded.image, SIZE_MAX);
  const progress::ChangesHead& head = loaded.image.head();
  if (head.revision == 0) return;
  state.next_serial = head.next_serial;
  state.revision = head.revision;
  state.committed_at = head.at;
}

void Store::load_producers(Loaded& loaded) {
  progress::SavedState& state = loaded.state;
  Statement rows = database_->prepare("SELECT name, last_seq FROM producers ORDER BY position");
  while (rows.step())
    state.producers.push_back({loaded.bytes.keep(rows.bytes(0)), rows.integer(1)});
  for (const auto& producer : loaded.image.producers()) state.producers.push_back(producer);
  Statement stopped = database_->prepare("SELECT session_id FROM live_stopped ORDER BY position");
  while (stopped.step()) state.stopped.push_back(loaded.bytes.keep(stopped.bytes(0)));
  for (const auto& change : loaded.image.stopped()) {
    std::erase(state.stopped, change.session);
    if (change.stopped) state.stopped.push_back(change.session);
  }
  Statement families =
      database_->prepare("SELECT family, record FROM family_history ORDER BY position");
  while (families.step()) {
    const std::string_view name = loaded.bytes.keep(families.bytes(0));
    state.families.push_back({name, loaded.bytes.keep(families.bytes(1))});
  }
  for (const auto& change : loaded.image.families()) state.families.push_back(change);
}

// ---- commits

StoreResult<void> Store::append(std::uint64_t revision, std::string_view changes) {
  return attempt([&] {
    tables_->append.reset();
    tables_->append.bind(revision).bind_blob(changes).run();  // a transaction by itself
    appended_bytes_ += changes.size();
    ++commits_;
  });
}

void Store::shorten_log(bool at_rest) {
  if (database_->log_bytes() >= (at_rest ? kShortLog : kLongLog)) database_->checkpoint(at_rest);
}

StoreResult<bool> Store::fold(std::size_t records) {
  auto done = attempt([&] {
    if (!fold_) fold_ = std::make_unique<Fold>(*database_, most_waiting());
    Transaction transaction(*database_);
    const bool is_done = fold_->step(records);
    transaction.commit();
    return is_done;
  });
  if (done && !*done) return done;
  if (done) {
    appended_bytes_ = waiting();
    live_bytes_ = std::max(live_bytes_, fold_->bytes_done() / 2);
  }
  fold_.reset();
  return done;
}

// ---- forgetting

StoreResult<bool> Store::retain(Instant oldest_kept) {
  return attempt([&] {
    const std::int64_t sessions = database_->integer("SELECT count(*) FROM batch_upload_sessions");
    const std::int64_t used =
        (database_->integer("PRAGMA page_count") - database_->integer("PRAGMA freelist_count")) *
        database_->page_bytes();
    std::int64_t too_many = sessions - options_.most_sessions;
    Transaction transaction(*database_);
    tables_->drop_producers.bind(options_.most_producers).run();
    tables_->drop_families.bind(options_.most_families).run();
    bool more = true;
    for (std::int64_t budget = kForget; more && budget > 0;)
      more = forget_oldest(oldest_kept, too_many-- > 0 || used > options_.most_bytes, budget);
    transaction.commit();
    if (!more && database_->integer("PRAGMA freelist_count") > 500)
      database_->execute("PRAGMA incremental_vacuum(250)");
    return !more;
  });
}

// The attempt whose last event is the oldest, unless it may stay. False: it may, or there is none.
bool Store::forget_oldest(Instant oldest_kept, bool too_much, std::int64_t& budget) {
  Statement& oldest = tables_->oldest;
  if (!oldest.step()) return false;
  const std::int64_t session = oldest.integer(0), attempt_number = oldest.integer(1);
  const Instant last{Duration(oldest.integer(2))};
  oldest.reset();
  if (last >= oldest_kept && !too_much) return false;
  if (!forget_some(session, attempt_number, budget)) return true;
  for (Statement* drop : {&tables_->drop_minutes, &tables_->drop_predictions, &tables_->drop_grades,
                          &tables_->drop_alerts, &tables_->drop_quotas, &tables_->drop_session})
    drop->bind(session).bind(attempt_number).run();
  return true;
}

// True: no file of that attempt is left. What else there is of it counts as so many files.
bool Store::forget_some(std::int64_t session, std::int64_t attempt_number, std::int64_t& budget) {
  constexpr std::int64_t kRest = 40;
  Statement& nth = tables_->nth_file;
  nth.bind(session).bind(attempt_number).bind(budget);
  const bool more = nth.step();
  const std::int64_t up_to = more ? nth.integer(0) : INT64_MAX;
  nth.reset();
  tables_->drop_files.bind(session).bind(attempt_number).bind(up_to).run();
  budget -= more ? budget : kRest + database_->changes();
  return !more;
}

}  // namespace agent::history
