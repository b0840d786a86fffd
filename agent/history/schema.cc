#include "agent/history/schema.h"

#include <array>
#include <string>

namespace agent::history {
namespace {

// Index i takes version i to i + 1. Never change one that was released: add another.
constexpr std::array<const char*, kSchemaVersion> kMigrations = {R"sql(
CREATE TABLE live_changes (
  revision INTEGER PRIMARY KEY,
  changes BLOB NOT NULL
);
CREATE TABLE live_sessions (
  serial INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  is_over INTEGER NOT NULL,
  kept BLOB NOT NULL,
  forecast BLOB NOT NULL,
  state BLOB NOT NULL
);
CREATE TABLE live_files (
  place INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,
  records BLOB NOT NULL
);
CREATE TABLE live_stopped (
  position INTEGER PRIMARY KEY,
  session_id TEXT NOT NULL UNIQUE
);
CREATE TABLE producers (
  name TEXT PRIMARY KEY,
  last_seq INTEGER NOT NULL,
  position INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX producers_by_position ON producers (position);
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE family_history (
  family TEXT PRIMARY KEY,
  position INTEGER NOT NULL,
  record BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE batch_upload_sessions (
  session INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  session_id TEXT NOT NULL,
  name TEXT NOT NULL,
  family TEXT NOT NULL,
  state TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  last_event_at INTEGER NOT NULL,
  ended_at INTEGER,
  end_reason TEXT NOT NULL,
  active_ms REAL NOT NULL,
  total_files INTEGER NOT NULL,
  files_completed INTEGER NOT NULL,
  files_failed INTEGER NOT NULL,
  files_skipped INTEGER NOT NULL,
  files_cancelled INTEGER NOT NULL,
  progress_percentage REAL NOT NULL,
  bytes INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  cost REAL NOT NULL,
  retries INTEGER NOT NULL,
  api_calls INTEGER NOT NULL,
  api_calls_failed INTEGER NOT NULL,
  rate_limit_hits INTEGER NOT NULL,
  rate_limit_delay_ms REAL NOT NULL,
  average_throughput REAL,
  peak_throughput REAL,
  average_processing_ms REAL,
  quality_score REAL,
  labels TEXT NOT NULL,
  PRIMARY KEY (session, attempt)
) WITHOUT ROWID;
CREATE INDEX batch_upload_sessions_by_time ON batch_upload_sessions (last_event_at);
CREATE INDEX batch_upload_sessions_by_family ON batch_upload_sessions (family, started_at);

CREATE TABLE batch_upload_files (
  session INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  number INTEGER NOT NULL,
  file TEXT NOT NULL,
  status TEXT NOT NULL,
  progress REAL NOT NULL,
  stage TEXT,
  bytes INTEGER,
  bytes_done INTEGER NOT NULL,
  units REAL,
  tokens INTEGER NOT NULL,
  cost REAL NOT NULL,
  model TEXT,
  quality REAL,
  retries INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  error TEXT,
  is_restored INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  updated_at INTEGER,
  PRIMARY KEY (session, attempt, number)
) WITHOUT ROWID;

CREATE TABLE api_quota_tracking (
  session INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  provider TEXT NOT NULL,
  reset_at INTEGER NOT NULL,
  quota_limit REAL,
  remaining REAL,
  hits INTEGER NOT NULL,
  delay_ms REAL NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (session, attempt, provider, reset_at)
) WITHOUT ROWID;

CREATE TABLE performance_snapshots (
  session INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  minute INTEGER NOT NULL,
  taken_at INTEGER NOT NULL,
  state TEXT NOT NULL,
  progress_percentage REAL NOT NULL,
  files_completed INTEGER NOT NULL,
  files_failed INTEGER NOT NULL,
  current_throughput REAL,
  bytes_per_second REAL,
  average_processing_ms REAL,
  error_rate REAL,
  api_success_rate REAL,
  quality_score REAL,
  rate_limiting_impact REAL,
  tokens INTEGER NOT NULL,
  cost REAL NOT NULL,
  PRIMARY KEY (session, attempt, minute)
) WITHOUT ROWID;

CREATE TABLE eta_predictions (
  session INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  minute INTEGER NOT NULL,
  predicted_at INTEGER NOT NULL,
  method TEXT NOT NULL,
  remaining_ms REAL NOT NULL,
  low_ms REAL NOT NULL,
  high_ms REAL NOT NULL,
  confidence REAL,
  PRIMARY KEY (session, attempt, minute)
) WITHOUT ROWID;

CREATE TABLE eta_grades (
  session INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  method TEXT NOT NULL,
  predictions INTEGER NOT NULL,
  mean_error REAL NOT NULL,
  PRIMARY KEY (session, attempt, method)
) WITHOUT ROWID;
)sql",
                                                                 R"sql(
CREATE TABLE alerts (
  session INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  alert_id TEXT NOT NULL,
  name TEXT NOT NULL,
  severity TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  value REAL,
  threshold REAL,
  message TEXT NOT NULL,
  breached_at INTEGER NOT NULL,
  fired_at INTEGER,
  resolved_at INTEGER,
  dismissed_at INTEGER,
  PRIMARY KEY (session, attempt, alert_id)
) WITHOUT ROWID;
)sql"};

}  // namespace

SchemaState look_at_schema(Database& database) {
  const std::int64_t application = database.integer("PRAGMA application_id");
  const std::int64_t version = database.integer("PRAGMA user_version");
  if (application == kApplicationId)
    return version > kSchemaVersion ? SchemaState::kNewer : SchemaState::kOurs;
  const bool empty = database.integer("SELECT count(*) FROM sqlite_master") == 0;
  return application == 0 && version == 0 && empty ? SchemaState::kEmpty : SchemaState::kForeign;
}

void migrate(Database& database) {
  auto version = static_cast<std::size_t>(database.integer("PRAGMA user_version"));
  for (; version < kMigrations.size(); ++version) {
    Transaction transaction(database);
    database.execute(kMigrations[version]);
    database.execute(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str());
    database.execute(("PRAGMA user_version = " + std::to_string(version + 1)).c_str());
    transaction.commit();
  }
}

}  // namespace agent::history
