#include "agent/history/database.h"

#include <sqlite3.h>

namespace agent::history {
namespace {

constexpr std::size_t kShown = 60;      // bytes of a statement, in a message
constexpr int kBusyMilliseconds = 250;  // how long a lock of somebody else's is waited for

[[noreturn]] void fail(sqlite3* connection, int code, std::string_view attempted) {
  const int extended = connection != nullptr ? sqlite3_extended_errcode(connection) : code;
  std::string message(attempted.substr(0, kShown));
  message += ": ";
  message += connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
  throw Failure{extended != SQLITE_OK ? extended : code, std::move(message)};
}

}  // namespace

bool Failure::damaged() const {
  const int primary = code & 0xFF;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

void Statement::Finalize::operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }

Statement::Statement(sqlite3* connection, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(connection, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) fail(connection, code, sql);
  statement_.reset(statement);
}

void Statement::check(int code) const {
  if (code != SQLITE_OK)
    fail(sqlite3_db_handle(statement_.get()), code, sqlite3_sql(statement_.get()));
}

Statement& Statement::bind(std::int64_t v) {
  check(sqlite3_bind_int64(statement_.get(), ++bound_, v));
  return *this;
}
Statement& Statement::bind(double v) {
  check(sqlite3_bind_double(statement_.get(), ++bound_, v));
  return *this;
}
Statement& Statement::bind_text(std::string_view v) {
  check(sqlite3_bind_text64(statement_.get(), ++bound_, v.data() == nullptr ? "" : v.data(),
                            v.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}
Statement& Statement::bind_blob(std::string_view v) {
  check(sqlite3_bind_blob64(statement_.get(), ++bound_, v.data() == nullptr ? "" : v.data(),
                            v.size(), SQLITE_STATIC));
  return *this;
}
Statement& Statement::bind_null() {
  check(sqlite3_bind_null(statement_.get(), ++bound_));
  return *this;
}

void Statement::run() {
  while (step()) {
  }
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  sqlite3* connection = sqlite3_db_handle(statement_.get());
  if (code != SQLITE_DONE) {
    const int extended = sqlite3_extended_errcode(connection);
    std::string message(std::string_view(sqlite3_sql(statement_.get())).substr(0, kShown));
    message.append(": ").append(sqlite3_errmsg(connection));
    reset();
    throw Failure{extended, std::move(message)};
  }
  reset();
  return false;
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  bound_ = 0;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}
double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }
bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}
std::string_view Statement::bytes(int column) const {
  const auto* text = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}
int Statement::columns() const { return sqlite3_column_count(statement_.get()); }
std::string_view Statement::name(int column) const {
  return sqlite3_column_name(statement_.get(), column);
}

void Blobs::Close::operator()(sqlite3_blob* b) const { sqlite3_blob_close(b); }

void Blobs::read(std::int64_t row, char* into, std::size_t bytes) {
  int code = SQLITE_OK;
  if (blob_) {
    code = sqlite3_blob_reopen(blob_.get(), row);
  } else {
    sqlite3_blob* opened = nullptr;
    code = sqlite3_blob_open(connection_, "main", table_, column_, row, 0, &opened);
    blob_.reset(opened);
  }
  if (code == SQLITE_OK) code = sqlite3_blob_read(blob_.get(), into, static_cast<int>(bytes), 0);
  if (code != SQLITE_OK) fail(connection_, code, std::string("read ") + table_);
}

void Database::Close::operator()(sqlite3* c) const { sqlite3_close_v2(c); }

Database::Database(const std::string& path, Access access, const std::string& vfs) {
  sqlite3* connection = nullptr;
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (access == Access::kReadOnly ? SQLITE_OPEN_READONLY
                                                 : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  const int code =
      sqlite3_open_v2(path.c_str(), &connection, flags, vfs.empty() ? nullptr : vfs.c_str());
  connection_.reset(connection);
  if (code != SQLITE_OK) fail(connection, code, "open " + path);
  sqlite3_busy_timeout(connection, kBusyMilliseconds);
}

void Database::execute(const char* sql) {
  const int code = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(connection_.get(), code, sql);
}

std::int64_t Database::integer(std::string_view sql) {
  Statement statement = prepare(sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::int64_t Database::changes() const { return sqlite3_changes64(connection_.get()); }

void Database::keep_log() {
  const auto note = [](void* pages, sqlite3*, const char*, int count) {
    *static_cast<std::int64_t*>(pages) = count;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(connection_.get(), note, &log_pages_);
}

std::int64_t Database::page_bytes() {
  if (page_bytes_ == 0) page_bytes_ = integer("PRAGMA page_size");
  return page_bytes_;
}

void Database::checkpoint(bool shortens) {
  sqlite3* const connection = connection_.get();
  const int how = shortens ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  sqlite3_busy_timeout(connection, 0);
  const int code = sqlite3_wal_checkpoint_v2(connection, nullptr, how, nullptr, nullptr);
  sqlite3_busy_timeout(connection, kBusyMilliseconds);
  if (code == SQLITE_OK && shortens) log_pages_ = 0;
}

Transaction::Transaction(Database& database) : database_(database) {
  database_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  sqlite3* connection = database_.connection_.get();
  if (sqlite3_get_autocommit(connection) == 0)
    sqlite3_exec(connection, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() { database_.execute("COMMIT"); }

}  // namespace agent::history
