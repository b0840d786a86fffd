#include "agent/history/rows.h"

#include <string>

namespace agent::history {
namespace {

using progress::FileStatus;

std::int64_t micros(Instant t) { return t.time_since_epoch().count(); }
std::optional<std::int64_t> micros(const std::optional<Instant>& t) {
  return t ? std::optional(micros(*t)) : std::nullopt;
}
std::optional<std::int64_t> known(Instant t) {
  return t == progress::kNever ? std::nullopt : std::optional(micros(t));
}
std::optional<double> known(double v) { return v < 0 ? std::nullopt : std::optional(v); }

void bind_text_or_null(Statement& statement, std::string_view text) {
  if (text.empty())
    statement.bind_null();
  else
    statement.bind_text(text);
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;  // labels hold no control characters
  }
  out += '"';
}

// As a JSON object, which SQLite's ->> reads.
std::string labels_of(const progress::SessionIdentity& identity) {
  std::string out = "{";
  for (const auto& [name, value] : identity.labels) {
    if (out.size() > 1) out += ',';
    append_quoted(out, name);
    out += ':';
    append_quoted(out, value);
  }
  return out + '}';
}

}  // namespace

Rows::Rows(Database& database)
    : session_(database.prepare("INSERT OR REPLACE INTO batch_upload_sessions VALUES "
                                "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")),
      file_(database.prepare("INSERT OR REPLACE INTO batch_upload_files VALUES "
                             "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")),
      // What came in this quota window is what came in all, less what came in the others.
      quota_(database.prepare(
          "INSERT OR REPLACE INTO api_quota_tracking SELECT ?1,?2,?3,?4,?5,?6,"
          "max(0, ?7 - coalesce(sum(hits), 0)), max(0, ?8 - coalesce(sum(delay_ms), 0)), ?9 "
          "FROM api_quota_tracking WHERE session = ?1 AND provider = ?3 "
          "AND NOT (attempt = ?2 AND reset_at = ?4)")),
      minute_(database.prepare("INSERT OR REPLACE INTO performance_snapshots VALUES "
                               "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")),
      prediction_(database.prepare("INSERT OR REPLACE INTO eta_predictions VALUES "
                                   "(?,?,?,?,?,?,?,?,?)")),
      grade_(database.prepare("INSERT OR REPLACE INTO eta_grades VALUES (?,?,?,?,?)")),
      // It is told more than once that it was dismissed: the first time counts.
      alert_(database.prepare(
          "INSERT OR REPLACE INTO alerts SELECT ?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,"
          "coalesce((SELECT dismissed_at FROM alerts WHERE session = ?1 AND attempt = ?2 AND "
          "alert_id = ?3), ?14)")) {}

void Rows::put_session(std::uint64_t serial, const progress::SessionSnapshot& s, Now at) {
  const progress::SessionIdentity& i = *s.identity;
  const progress::Metrics& m = s.metrics;
  const std::string labels = labels_of(i);
  session_.bind(serial).bind(i.attempt).bind_text(i.id).bind_text(i.name).bind_text(i.family);
  session_.bind_text(name_of(s.state)).bind(micros(m.start_time)).bind(micros(s.last_event_time));
  session_.bind(micros(s.end_time)).bind_text(s.end_reason).bind(milliseconds(m.active_elapsed));
  session_.bind(m.total_files);
  for (const FileStatus final :
       {FileStatus::kCompleted, FileStatus::kFailed, FileStatus::kSkipped, FileStatus::kCancelled})
    session_.bind(m.count(final));
  session_.bind(m.progress_percentage).bind(s.counters.bytes).bind(m.total_tokens);
  session_.bind(m.estimated_cost).bind(m.retry_count).bind(m.api_calls_total);
  session_.bind(m.api_calls_failed).bind(m.rate_limit_hits).bind(milliseconds(m.rate_limit_delay));
  session_.bind(m.average_throughput).bind(m.peak_throughput).bind(m.average_processing_ms);
  session_.bind(m.quality_score).bind_text(labels).run();
  put_quotas(serial, s, at);
  if (i.config.analytics) put_minute(serial, s, at);
}

void Rows::put_quotas(std::uint64_t serial, const progress::SessionSnapshot& s, Now at) {
  for (const progress::ProviderTally& p : s.providers) {
    if (!p.quota.limit() && !p.quota.remaining() && p.rate_limit_hits == 0) continue;
    quota_.bind(serial).bind(s.identity->attempt).bind_text(p.provider);
    quota_.bind(p.quota.reset_at() ? micros(*p.quota.reset_at()) : std::int64_t{0});
    quota_.bind(p.quota.limit()).bind(p.quota.remaining()).bind(p.rate_limit_hits);
    quota_.bind(milliseconds(p.rate_limit_delay)).bind(micros(at.wall)).run();
  }
}

void Rows::put_minute(std::uint64_t serial, const progress::SessionSnapshot& s, Now at) {
  const progress::Metrics& m = s.metrics;
  const auto minute = std::chrono::floor<std::chrono::minutes>(m.current_time);
  minute_.bind(serial)
      .bind(s.identity->attempt)
      .bind(micros(Instant(minute)))
      .bind(micros(at.wall));
  minute_.bind_text(name_of(s.state)).bind(m.progress_percentage);
  minute_.bind(m.count(FileStatus::kCompleted)).bind(m.count(FileStatus::kFailed));
  minute_.bind(m.current_throughput).bind(m.bytes_per_second).bind(m.average_processing_ms);
  minute_.bind(m.error_rate).bind(m.api_success_rate).bind(m.quality_score);
  minute_.bind(m.rate_limiting_impact).bind(m.total_tokens).bind(m.estimated_cost).run();
}

void Rows::put_file(std::uint64_t serial, std::int64_t attempt, const progress::FileRecord& r,
                    const progress::Files& files) {
  const progress::File& f = r.file;
  if (f.stage >= files.stages().size() || f.model >= files.models().size()) return;
  file_.bind(serial).bind(attempt).bind(std::uint64_t{r.ref}).bind_text(r.id);
  file_.bind_text(name_of(f.status)).bind(f.progress);
  bind_text_or_null(file_, files.stages().name(f.stage));
  file_.bind(f.bytes < 0 ? std::nullopt : std::optional(f.bytes)).bind(f.bytes_done);
  file_.bind(r.has_rare ? known(r.rare.units) : std::nullopt).bind(f.tokens).bind(f.cost);
  bind_text_or_null(file_, files.models().name(f.model));
  file_.bind(r.has_rare ? known(r.rare.quality) : std::nullopt);
  file_.bind(std::uint64_t{f.retries}).bind(std::uint64_t{f.tries});
  bind_text_or_null(file_, r.has_rare ? r.rare.error : std::string_view());
  file_.bind(std::uint64_t{f.restored}).bind(known(f.started)).bind(known(f.ended));
  file_.bind(known(f.updated)).run();
}

void Rows::put_foretold(std::uint64_t serial, std::int64_t attempt,
                        const progress::Foretold& told) {
  constexpr double kMilliseconds = 1e3;  // in a second
  if (told.at != progress::kNever) {
    const auto minute = std::chrono::floor<std::chrono::minutes>(told.at);
    prediction_.bind(serial).bind(attempt).bind(micros(Instant(minute))).bind(micros(told.at));
    prediction_.bind_text(name_of(told.method)).bind(told.remaining * kMilliseconds);
    prediction_.bind(told.low * kMilliseconds).bind(told.high * kMilliseconds);
    prediction_.bind(known(told.confidence)).run();
  }
  for (std::size_t m = 0; m < told.graded.size(); ++m) {
    if (told.graded[m] == 0) continue;
    grade_.bind(serial).bind(attempt).bind_text(progress::kEtaMethodNames[m]);
    grade_.bind(told.graded[m]).bind(told.error[m]).run();
  }
}

void Rows::put_alert(std::uint64_t serial, std::int64_t attempt, const alert::Alert& a,
                     Instant told) {
  alert_.bind(serial).bind(attempt).bind_text(a.id).bind_text(a.name());
  alert_.bind_text(name_of(a.severity)).bind_text(name_of(a.state)).bind_text(name_of(a.reason));
  alert_.bind(a.value).bind(a.threshold).bind_text(a.message).bind(micros(a.breached_at));
  alert_.bind(micros(a.starts_at)).bind(micros(a.ends_at));
  alert_.bind(a.dismissed ? std::optional(micros(told)) : std::nullopt).run();
}

}  // namespace agent::history
