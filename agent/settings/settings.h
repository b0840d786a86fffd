// Settings: the whole configuration, valid. Built by `settings::from` (load.h) out of the file, the
// environment and the flags; the defaults are written here and nowhere else. What each key means,
// its range and its help are rows of the table (table.h). Immutable once built; any thread may
// read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/clock.h"
#include "agent/log/level.h"
#include "agent/settings/alert_names.h"
#include "agent/settings/fault.h"
#include "agent/settings/values.h"

namespace agent::settings {

// Whether single files become series, and which.
enum class PerFile : std::uint8_t { kOff, kActive };
inline constexpr std::array<std::string_view, 2> kPerFileNames = {"off", "active"};

struct Web {
  Address listen_address{"", 19900};
  std::string config_file;
  bool enable_admin_api = false;
  bool openmetrics_created = false;
  std::vector<std::string> allowed_origins;
};

struct Ingest {
  Address listen_address{"127.0.0.1", 19901};
  std::string config_file;
  bool allow_remote = false;
  std::vector<std::string> allowed_hosts;
  std::string socket = "/run/progress-agent/agent.sock";  // empty: off
  FileMode socket_mode{0660};
  std::vector<std::int64_t> socket_allowed_uids;  // empty: whoever may open the file
  std::string datagram_socket;                    // empty: off
  Bytes max_line_bytes{64 << 10};
  Bytes max_body_bytes{8 << 20};
  std::int64_t max_producers = 10'000;
};

struct Sessions {
  Duration stale_after = std::chrono::hours(1);
  Duration linger = std::chrono::minutes(15);
  std::int64_t max_active = 10'000;
  std::int64_t max_ended = 1'000;
  std::int64_t max_files = 5'000'000;
};

struct Metrics {
  std::vector<std::string> session_labels;
  PerFile per_file = PerFile::kOff;
  std::int64_t max_file_series = 100;
  std::int64_t max_sessions = 2'000;
  std::int64_t max_label_values = 100;
};

struct Eta {
  std::string model_file;  // empty: the model compiled in
};

struct Storage {
  std::string path;  // a directory; empty: memory only
  Duration commit_interval = std::chrono::milliseconds(4);
  Duration retention = std::chrono::days(30);
};

// Where the workload's own use of resources is read from; both empty: nowhere.
struct Workload {
  std::string process;  // its name
  std::string cgroup;   // a directory; empty: that of the process
};

struct Shutdown {
  Duration linger = std::chrono::seconds(20);
};

struct Push {
  std::string gateway_url;  // empty: never
};

struct Security {
  bool seccomp = true;
};

struct Log {
  log::Level level = log::Level::kInfo;
  log::Format format = log::Format::kLogfmt;
};

// Per million tokens, in the session's currency.
struct Price {
  double input_per_million = 0, output_per_million = 0;
  std::optional<double> cached_per_million;  // absent: as input
};

// The defaults of a session's `alertThresholds`; an empty one is off.
struct Thresholds {
  std::optional<double> slow_processing_ms;
  double high_error_rate = 0.1;
  std::optional<double> low_throughput;  // files per minute
  double eta_deviation_percent = 50;
  double quality_score_threshold = 0.7;
};

// What is adjusted of an alert; absent: as the alert's own default says.
struct AlertRule {
  std::optional<double> threshold;
  std::optional<Duration> lasting;  // `for`
  std::optional<Severity> severity;
  bool enabled = true;
};

struct Alerts {
  Thresholds thresholds;
  std::string runbook_url;  // with an alert's name after it; empty: what the agent serves itself
  std::map<std::string, AlertRule, std::less<>> rules;  // by name
};

// An Alertmanager or a webhook.
struct Receiver {
  std::string url;
  Duration timeout = std::chrono::seconds(10);
  bool send_resolved = true;
  std::string username, password_file;  // basic authentication
  std::string bearer_token_file;
  std::string ca_file, cert_file, key_file, server_name;  // TLS
};

struct Notify {
  std::vector<Receiver> alertmanagers, webhooks;
  std::map<std::string, std::string, std::less<>> external_labels;
};

struct Settings {
  std::string config_file;  // empty: none
  Web web;
  Ingest ingest;
  Sessions sessions;
  Metrics metrics;
  Eta eta;
  Storage storage;
  Alerts alerts;
  Notify notify;
  Workload workload;
  Push push;
  Shutdown shutdown;
  Security security;
  Log log;
  bool exit_when_done = false;
  std::map<std::string, Price, std::less<>> pricing;  // by model

  // Who set a key; one that is not here has its default.
  std::map<std::string, Origin, std::less<>> sources;
};

}  // namespace agent::settings
