// The facts a job reports, as values. `wire` makes them, `Session::apply` takes them. An Event owns
// nothing: its strings and spans are views into the buffer it was decoded from, and are valid only
// until the next one is decoded. A field that was absent is an empty optional (or an empty view).
// Everything here has passed the checks of the contract, sections 2 and 3: only valid events exist.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "agent/clock.h"
#include "agent/progress/names.h"

namespace agent::progress {

// The file's and session's limits, in bytes of UTF-8.
inline constexpr std::size_t kMaxSessionId = 128;
inline constexpr std::size_t kMaxFileId = 512;

// `config` and the switches of `session.start`; what is absent keeps its value.
struct AlertThresholdsPatch {
  std::optional<double> slow_processing_ms, high_error_rate, low_throughput, eta_deviation_percent,
      quality_score_threshold;
};
struct ConfigPatch {
  std::optional<Duration> update_interval, eta_update_interval, throughput_window;
  std::optional<bool> real_time_updates, performance_alerts, eta_optimization, quality_tracking;
  AlertThresholdsPatch thresholds;
};

// What `session.start` and `session.update` carry.
struct SessionFacts {
  std::optional<std::string_view> name, family, unit, currency;
  std::optional<std::int64_t> total_files, total_bytes, concurrency;
  std::optional<Instant> deadline;
  std::optional<double> cost_budget;
  std::optional<std::int64_t> shard, shards;
  std::optional<std::span<const std::pair<std::string_view, std::string_view>>> labels;
  std::optional<Mode> mode;
  ConfigPatch config;
  std::optional<bool> persistence, analytics;
};

struct SessionStarted {
  SessionFacts facts;
  bool resume = false;
};
struct SessionUpdated {
  SessionFacts facts;
};
struct SessionPaused {
  std::string_view reason;
};
struct SessionResumed {
  std::string_view reason;
};
struct SessionEnded {
  EndStatus status = EndStatus::kCompleted;
  std::string_view reason;
};

struct AnnouncedFile {
  std::string_view file;
  std::optional<std::int64_t> bytes;
  std::optional<double> units;
  std::string_view stage;
};
struct FilesAnnounced {
  std::span<const AnnouncedFile> files;
};

struct FileProgressed {
  std::string_view file;
  std::optional<FileStatus> status;
  std::optional<double> progress;        // 0..100
  std::string_view stage;                // empty: absent
  std::optional<double> stage_progress;  // 0..100
  std::optional<std::int64_t> bytes, bytes_done, tokens, retries;
  std::optional<double> units, cost, quality;  // quality 0..1
  std::string_view model;
  std::string_view error;
};

// Absolute values of a job that only counts.
struct CountsReported {
  std::optional<std::int64_t> completed, failed, skipped, total, bytes_done;
};

struct ApiCalled {
  bool ok = true;
  std::int64_t calls = 1;
  std::string_view provider, model, file;
  std::optional<Duration> duration;
  std::optional<std::int64_t> tokens, tokens_in, tokens_out, tokens_cached;
  std::optional<double> cost;
};

struct RateLimited {
  std::optional<Duration> delay;
  std::string_view provider;
  std::int64_t hits = 1;
  std::optional<double> limit, remaining;
  std::optional<Instant> reset_at;
};

struct ResourcesUsed {
  std::optional<double> cpu_cores;
  std::optional<std::int64_t> memory_bytes, memory_limit_bytes, network_rx_bytes, network_tx_bytes,
      network_errors;
};

using Fact = std::variant<FileProgressed, FilesAnnounced, CountsReported, ApiCalled, RateLimited,
                          ResourcesUsed, SessionStarted, SessionUpdated, SessionPaused,
                          SessionResumed, SessionEnded>;

struct Event {
  std::string_view session;
  std::optional<Instant> ts;        // absent: when it was received
  std::string_view producer;        // empty: none
  std::optional<std::int64_t> seq;  // the producer's sequence number
  Fact fact;
};

// The names of the events on the wire, in the order of Fact's alternatives.
inline constexpr std::array<std::string_view, std::variant_size_v<Fact>> kEventNames = {
    "file",          "files",          "progress",      "api",
    "rateLimit",     "resource",       "session.start", "session.update",
    "session.pause", "session.resume", "session.end"};

// Why an event was refused; the codes of the contract, section 2. Syntax first, then meaning, then
// state.
enum class RejectReason : std::uint8_t {
  kInvalidJson,
  kInvalidUtf8,
  kTooDeep,
  kLineTooLong,
  kNotAnObject,
  kMissingField,
  kInvalidField,
  kUnknownEvent,
  kSessionStopped,
  kTimestampOutOfRange,
  kTooManySessions,
  kTooManyFiles,
  kTooManyLabels,
  kOverloaded
};
inline constexpr std::array<std::string_view, 14> kRejectReasonNames = {
    "invalid_json",           "invalid_utf8",      "too_deep",
    "line_too_long",          "not_an_object",     "missing_field",
    "invalid_field",          "unknown_event",     "session_stopped",
    "timestamp_out_of_range", "too_many_sessions", "too_many_files",
    "too_many_labels",        "overloaded"};
constexpr std::string_view name_of(RejectReason r) { return name_of(r, kRejectReasonNames); }

// A refusal as the client reads it. Built only on the error path.
struct Rejection {
  RejectReason reason;
  std::string field;    // e.g. "files[3].bytes"; empty: the event as a whole
  std::string message;  // what, and what to do
};

}  // namespace agent::progress
