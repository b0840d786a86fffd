#include "agent/history/reader.h"

#include <algorithm>

namespace agent::history {
namespace {

using progress::PastFamily;
using progress::PastMinute;
using progress::PastRun;

std::int64_t micros(Instant t) { return t.time_since_epoch().count(); }
Instant instant(std::int64_t v) { return Instant(Duration(v)); }

// Columns of a row, from left to right.
class Columns {
 public:
  explicit Columns(const Statement& row) : row_(row) {}
  std::int64_t integer() { return row_.integer(next_++); }
  std::string text() { return std::string(row_.bytes(next_++)); }
  double real() { return row_.real(next_++); }
  std::optional<double> maybe() {
    const int column = next_++;
    return row_.is_null(column) ? std::nullopt : std::optional(row_.real(column));
  }
  std::optional<Instant> maybe_instant() {
    const int column = next_++;
    return row_.is_null(column) ? std::nullopt : std::optional(instant(row_.integer(column)));
  }

 private:
  const Statement& row_;
  int next_ = 0;
};

PastMinute minute_of(const Statement& row) {
  Columns c(row);
  PastMinute m;
  m.minute = instant(c.integer());
  m.state = c.text();
  m.progress_percentage = c.real();
  m.completed = c.integer();
  m.failed = c.integer();
  m.tokens = c.integer();
  m.cost = c.real();
  for (auto* value : {&m.current_throughput, &m.average_processing_ms, &m.error_rate,
                      &m.api_success_rate, &m.quality_score, &m.rate_limiting_impact,
                      &m.remaining_ms, &m.low_ms, &m.high_ms, &m.confidence})
    *value = c.maybe();
  m.method = c.text();
  return m;
}

PastRun run_of(const Statement& row) {
  Columns c(row);
  PastRun r;
  r.serial = static_cast<std::uint64_t>(c.integer());
  r.attempt = c.integer();
  r.session = c.text();
  r.family = c.text();
  r.state = c.text();
  r.start = instant(c.integer());
  r.end = c.maybe_instant();
  r.active = std::chrono::duration<double, std::milli>(c.real());
  for (auto* value :
       {&r.total_files, &r.completed, &r.failed, &r.tokens, &r.api_calls, &r.api_calls_failed})
    *value = c.integer();
  r.cost = c.real();
  for (auto* value : {&r.average_throughput, &r.quality_score, &r.eta_error}) *value = c.maybe();
  return r;
}

}  // namespace

Reader::Queries::Queries(const std::string& path)
    : database(path, Database::Access::kReadOnly, ""),
      minutes(database.prepare(
          "SELECT m.minute, m.state, m.progress_percentage, m.files_completed, m.files_failed, "
          "m.tokens, m.cost, m.current_throughput, m.average_processing_ms, m.error_rate, "
          "m.api_success_rate, m.quality_score, m.rate_limiting_impact, p.remaining_ms, p.low_ms, "
          "p.high_ms, p.confidence, coalesce(p.method, '') FROM performance_snapshots m "
          "LEFT JOIN eta_predictions p USING (session, attempt, minute) "
          "WHERE m.session = ? AND m.attempt = ? AND m.minute >= ? ORDER BY m.minute LIMIT ?")),
      runs(database.prepare(
          "SELECT session, attempt, session_id, family, state, started_at, ended_at, active_ms, "
          "total_files, files_completed, files_failed, tokens, api_calls, api_calls_failed, cost, "
          "average_throughput, quality_score, (SELECT min(mean_error) FROM eta_grades g "
          "WHERE g.session = s.session AND g.attempt = s.attempt) FROM batch_upload_sessions s "
          "WHERE family = ? ORDER BY started_at DESC LIMIT ?")),
      families(
          database.prepare("SELECT family, count(*), max(started_at) FROM batch_upload_sessions "
                           "WHERE family > ? GROUP BY family ORDER BY family LIMIT ?")) {}

template <typename Row, typename Bind, typename Read>
Result<std::vector<Row>> Reader::ask(Statement Queries::*which, Bind bind, Read read) {
  try {
    if (!queries_) queries_ = std::make_unique<Queries>((folder_ / "agent.db").string());
    Statement& statement = (*queries_).*which;
    bind(statement);
    std::vector<Row> rows;
    while (statement.step()) rows.push_back(read(statement));
    return rows;
  } catch (const Failure& f) {
    queries_.reset();
    return failure(std::string(f.message));
  }
}

Result<std::vector<PastMinute>> Reader::minutes(std::uint64_t serial, std::int64_t attempt,
                                                Instant from, std::size_t limit) {
  return ask<PastMinute>(
      &Queries::minutes,
      [&](Statement& s) {
        s.bind(serial).bind(attempt).bind(micros(from)).bind(std::uint64_t{limit});
      },
      minute_of);
}

Result<std::vector<PastRun>> Reader::runs(const std::string& family, std::size_t limit) {
  auto rows = ask<PastRun>(
      &Queries::runs, [&](Statement& s) { s.bind_text(family).bind(std::uint64_t{limit}); },
      run_of);
  if (rows) std::ranges::reverse(*rows);
  return rows;
}

Result<std::vector<PastFamily>> Reader::families(const std::string& after, std::size_t limit) {
  return ask<PastFamily>(
      &Queries::families, [&](Statement& s) { s.bind_text(after).bind(std::uint64_t{limit}); },
      [](const Statement& s) {
        Columns c(s);
        PastFamily f;
        f.family = c.text();
        f.runs = c.integer();
        f.last_start = instant(c.integer());
        return f;
      });
}

}  // namespace agent::history
