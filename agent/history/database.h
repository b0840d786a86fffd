// Database: one connection to an SQLite file, and its prepared statements. The one place that calls
// SQLite. Inside this folder a failed call throws Failure, because nearly every line can fail and
// all are handled alike: whoever runs a transaction (Store, Reader) catches it and returns an
// Error. One thread at a time per connection.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_blob;
struct sqlite3_stmt;

namespace agent::history {

struct Failure {
  int code = 0;         // SQLite's extended result code
  std::string message;  // what was attempted, and why it failed
  // The file holds no database, a damaged one, or one that is not ours: waiting does not help.
  [[nodiscard]] bool damaged() const;
};

// A prepared statement; values are bound in order, by `bind` or as arguments of `run`.
class Statement {
 public:
  Statement(sqlite3* connection, std::string_view sql);

  Statement& bind(std::int64_t v);
  Statement& bind(std::uint64_t v) { return bind(static_cast<std::int64_t>(v)); }
  Statement& bind(double v);
  Statement& bind_text(std::string_view v);
  Statement& bind_blob(std::string_view v);  // not copied: must outlive the step
  Statement& bind_null();
  template <typename T>
  Statement& bind(const std::optional<T>& v) {
    return v ? bind(*v) : bind_null();
  }

  // Runs to the end, and is ready to be bound again.
  void run();
  // One row further; false at the end, and then ready to be bound again.
  [[nodiscard]] bool step();
  // Ends before the end, ready to be bound again.
  void reset();
  // Of the present row.
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::uint64_t number(int column) const {
    return static_cast<std::uint64_t>(integer(column));
  }
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::string_view bytes(int column) const;  // text or blob; until the next step
  [[nodiscard]] int columns() const;
  [[nodiscard]] std::string_view name(int column) const;

 private:
  void check(int code) const;
  struct Finalize {
    void operator()(sqlite3_stmt* s) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
};

// Reads large values of one column, row by row, into memory of the caller's: without the copy of
// its own that a Statement makes of them.
class Blobs {
 public:
  Blobs(sqlite3* connection, const char* table, const char* column)
      : connection_(connection), table_(table), column_(column) {}
  // `bytes` is its whole length.
  void read(std::int64_t row, char* into, std::size_t bytes);

 private:
  struct Close {
    void operator()(sqlite3_blob* b) const;
  };
  sqlite3* connection_;
  const char* table_;
  const char* column_;
  std::unique_ptr<sqlite3_blob, Close> blob_;
};

class Database {
 public:
  enum class Access : std::uint8_t { kReadWrite, kReadOnly };
  // `vfs`: the name of the SQLite VFS; empty: the system's.
  Database(const std::string& path, Access access, const std::string& vfs);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  [[nodiscard]] Statement prepare(std::string_view sql) { return {connection_.get(), sql}; }
  [[nodiscard]] Blobs blobs(const char* table, const char* column) {
    return {connection_.get(), table, column};
  }
  void execute(const char* sql);                             // any number of statements
  [[nodiscard]] std::int64_t integer(std::string_view sql);  // the first value of the first row
  [[nodiscard]] std::int64_t changes() const;                // rows that the last statement changed

  // From now on no commit takes the log into the file by the way: `checkpoint` does.
  void keep_log();
  [[nodiscard]] std::int64_t log_bytes() {  // the log's length, as of the last commit
    return log_pages_ * page_bytes();
  }
  [[nodiscard]] std::int64_t page_bytes();
  // Takes over what it can without waiting for anybody; what fails is tried again by the next.
  // `shortens`: the log is empty afterwards, if nobody reads it.
  void checkpoint(bool shortens);

 private:
  friend class Transaction;
  struct Close {
    void operator()(sqlite3* c) const;
  };
  std::unique_ptr<sqlite3, Close> connection_;
  std::int64_t log_pages_ = 0, page_bytes_ = 0;
};

// Everything or nothing: rolled back at the end of its scope unless it was committed.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
};

}  // namespace agent::history
