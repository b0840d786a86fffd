#include "agent/settings/table.h"

#include <algorithm>
#include <array>

namespace agent::settings {
namespace {

using enum Reload;

// The slot of a member, or of a member of a member, that every Settings has once.
template <auto Member>
auto& at(Settings& s, const Place&) {
  return s.*Member;
}
template <auto Group, auto Member>
auto& in(Settings& s, const Place&) {
  return s.*Group.*Member;
}
template <auto Member>
auto& threshold(Settings& s, const Place&) {
  return s.alerts.thresholds.*Member;
}
template <auto Member>
auto& price(Settings& s, const Place& place) {
  return s.pricing[place.name].*Member;
}
template <auto Member>
auto& rule(Settings& s, const Place& place) {
  return s.alerts.rules[place.name].*Member;
}
std::string& external_label(Settings& s, const Place& place) {
  return s.notify.external_labels[place.name];
}
// Of a list's entry, which is made when it is not there yet.
template <auto List, auto Member>
auto& of_each(Settings& s, const Place& place) {
  auto& list = s.notify.*List;
  if (list.size() <= place.index) list.resize(place.index + 1);
  return list[place.index].*Member;
}

constexpr Range kRatio{0, 1};
constexpr double kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour, kYear = 365 * kDay;
constexpr double kKiB = 1024, kMiB = 1024 * kKiB, kGiB = 1024 * kMiB;

constexpr auto kConfig = &Settings::config_file;
constexpr auto kWeb = &Settings::web;
constexpr auto kIngest = &Settings::ingest;
constexpr auto kSessions = &Settings::sessions;
constexpr auto kMetrics = &Settings::metrics;
constexpr auto kEta = &Settings::eta;
constexpr auto kStorage = &Settings::storage;
constexpr auto kManagers = &Notify::alertmanagers;
constexpr auto kWebhooks = &Notify::webhooks;

// clang-format off
constexpr std::array kRows = {
    Row{"config.file", at<kConfig>,
        "The configuration file (YAML). Without it the defaults, the environment and the flags hold.",
        kAtRestart, {}, check_path},

    Row{"web.listen_address", in<kWeb, &Web::listen_address>,
        "Where metrics, health, the read-only API and the page are served; Prometheus connects here.",
        kAtRestart},
    Row{"web.config.file", in<kWeb, &Web::config_file>,
        "TLS, client certificates, users and headers of the web listener, in the file format of "
        "Prometheus' exporter-toolkit.",
        kAtRestart, {}, check_path},
    Row{"web.enable_admin_api", in<kWeb, &Web::enable_admin_api>,
        "Accept mutating calls (deleting sessions, dismissing alerts) on the web listener too. "
        "Events are taken by the ingest listener only, whatever this says.",
        kAtRestart},
    Row{"web.allowed_origins", in<kWeb, &Web::allowed_origins>,
        "Origins whose pages may open the live feed, besides the agent's own.",
        kAtRestart, {0, 100}, check_origin, "https://ci.example.org"},
    Row{"web.openmetrics_created", in<kWeb, &Web::openmetrics_created>,
        "Write _created lines in OpenMetrics. Prometheus before 3.0 stores each as a series of its own.",
        kAtRestart},

    Row{"ingest.listen_address", in<kIngest, &Ingest::listen_address>,
        "Where POST /v1/events and every mutating call are taken. An address that others than this "
        "Pod can reach is refused unless ingest.config.file or ingest.allow_remote is set.",
        kAtRestart},
    Row{"ingest.config.file", in<kIngest, &Ingest::config_file>,
        "TLS and authentication of the ingest listener: as web.config.file, plus bearer_token_files.",
        kAtRestart, {}, check_path},
    Row{"ingest.allow_remote", in<kIngest, &Ingest::allow_remote>,
        "Let everybody who reaches ingest.listen_address send events, without authentication.",
        kAtRestart},
    Row{"ingest.allowed_hosts", in<kIngest, &Ingest::allowed_hosts>,
        "Host names by which clients may address the ingest listener, besides loopback ones.",
        kAtRestart, {0, 100}, check_host, "progress-agent.batch.svc"},
    Row{"ingest.socket", in<kIngest, &Ingest::socket>,
        "The Unix stream socket that takes events, one JSON object a line. \"\" turns it off.",
        kAtRestart, {}, check_socket_path},
    Row{"ingest.socket_mode", in<kIngest, &Ingest::socket_mode>,
        "Permissions of the socket files.",
        kAtRestart, {0, 0777}},
    Row{"ingest.socket_allowed_uids", in<kIngest, &Ingest::socket_allowed_uids>,
        "User ids that may use the Unix sockets, as the kernel reports them. Empty: all that the "
        "files' permissions let in.",
        kAtRestart, {0, 4294967294.0}, nullptr, "1000"},
    Row{"ingest.datagram_socket", in<kIngest, &Ingest::datagram_socket>,
        "A Unix datagram socket that takes events without replies. \"\": none.",
        kAtRestart, {}, check_socket_path, "/run/progress-agent/agent.dgram"},
    Row{"ingest.max_line_bytes", in<kIngest, &Ingest::max_line_bytes>,
        "The longest line (one event) taken; the rest of a longer one is skipped and counted.",
        kAtRestart, {1 * kKiB, 16 * kMiB}},
    Row{"ingest.max_body_bytes", in<kIngest, &Ingest::max_body_bytes>,
        "The largest body of POST /v1/events.",
        kAtRestart, {1 * kKiB, 1 * kGiB}},
    Row{"ingest.max_producers", in<kIngest, &Ingest::max_producers>,
        "Producers whose last sequence number is remembered; the one silent longest goes first.",
        kAtOnce, {1, 10'000'000}},

    Row{"sessions.stale_after", in<kSessions, &Sessions::stale_after>,
        "A session without an event for this long, and not paused, is stale.",
        kAtOnce, {1, kYear}},
    Row{"sessions.linger", in<kSessions, &Sessions::linger>,
        "How long an ended or stale session stays on /metrics and in the API, at least until it was "
        "scraped once.",
        kAtOnce, {0, kYear}},
    Row{"sessions.max_active", in<kSessions, &Sessions::max_active>,
        "Sessions tracked at once; the first event of one more is refused (too_many_sessions).",
        kAtOnce, {1, 10'000'000}},
    Row{"sessions.max_ended", in<kSessions, &Sessions::max_ended>,
        "Ended sessions kept; scraped ones go first, then the oldest.",
        kAtOnce, {0, 10'000'000}},
    Row{"sessions.max_files", in<kSessions, &Sessions::max_files>,
        "Files tracked at once, all sessions together; one more is refused (too_many_files).",
        kAtOnce, {1, 1'000'000'000}},

    Row{"metrics.session_labels", in<kMetrics, &Metrics::session_labels>,
        "Labels of session.start that become labels of progress_session_info.",
        kAtOnce, {0, 20}, check_session_label, "team"},
    Row{"metrics.per_file", in<kMetrics, &Metrics::per_file>,
        "Whether files being processed become series of their own: the slowest ones.",
        kAtOnce},
    Row{"metrics.max_file_series", in<kMetrics, &Metrics::max_file_series>,
        "Series of single files, at most.",
        kAtOnce, {0, 100'000}},
    Row{"metrics.max_sessions", in<kMetrics, &Metrics::max_sessions>,
        "Sessions shown on /metrics, at most; what is left out is counted. The API has all.",
        kAtOnce, {1, 1'000'000}},
    Row{"metrics.max_label_values", in<kMetrics, &Metrics::max_label_values>,
        "Distinct values of one label (provider, stage, model) in a session; further ones are \"other\".",
        kAtOnce, {1, 10'000}},

    Row{"eta.model_file", in<kEta, &Eta::model_file>,
        "The learned model of the method ml_based, as eta-train writes it. \"\": the one compiled in. "
        "One made for another version, or for other features, is refused.",
        kAtRestart, {}, check_path, "/etc/progress-agent/eta_model.txt"},

    Row{"storage.path", in<kStorage, &Storage::path>,
        "Directory of the embedded database. \"\": memory only, nothing survives a restart.",
        kAtRestart, {}, check_path, "/var/lib/progress-agent"},
    Row{"storage.commit_interval", in<kStorage, &Storage::commit_interval>,
        "The least time between two commits; acknowledgements wait for them.",
        kAtOnce, {0, 10}},
    Row{"storage.retention", in<kStorage, &Storage::retention>,
        "How long ended sessions stay in the database.",
        kAtOnce, {kMinute, 100 * kYear}},

    Row{"pricing.<model>.input_per_million", price<&Price::input_per_million>,
        "Cost of a million input tokens of this model, for events that report tokens without cost.",
        kAtOnce, {0, 1e9}, nullptr, "0.15"},
    Row{"pricing.<model>.output_per_million", price<&Price::output_per_million>,
        "Cost of a million output tokens.",
        kAtOnce, {0, 1e9}, nullptr, "0.6"},
    Row{"pricing.<model>.cached_per_million", price<&Price::cached_per_million>,
        "Cost of a million input tokens read from the provider's cache. Without it: as input tokens.",
        kAtOnce, {0, 1e9}, nullptr, "0.075"},

    Row{"alerts.thresholds.slow_processing_ms", threshold<&Thresholds::slow_processing_ms>,
        "SlowProcessing: the oldest file in flight is older than this, in milliseconds.",
        kAtOnce, {1, 1e12}},
    Row{"alerts.thresholds.high_error_rate", threshold<&Thresholds::high_error_rate>,
        "HighErrorRate: the share of failed among finished files is above this.",
        kAtOnce, kRatio},
    Row{"alerts.thresholds.low_throughput", threshold<&Thresholds::low_throughput>,
        "LowThroughput: fewer files per minute than this while the session works.",
        kAtOnce, {0, 1e9}},
    Row{"alerts.thresholds.eta_deviation_percent", threshold<&Thresholds::eta_deviation_percent>,
        "EtaDeviation: the predicted end moved by more than this share of the predicted total.",
        kAtOnce, {0, 1e6}},
    Row{"alerts.thresholds.quality_score_threshold", threshold<&Thresholds::quality_score_threshold>,
        "QualityDegradation: the quality score is below this.",
        kAtOnce, kRatio},
    Row{"alerts.rules.<Name>.threshold", rule<&AlertRule::threshold>,
        "Another threshold for the alert of this name.",
        kAtOnce, {0, 1e12}, nullptr, "0.2"},
    Row{"alerts.rules.<Name>.for", rule<&AlertRule::lasting>,
        "How long the condition must hold before the alert fires.",
        kAtOnce, {0, 7 * kDay}, nullptr, "5m"},
    Row{"alerts.rules.<Name>.severity", rule<&AlertRule::severity>,
        "Another severity.",
        kAtOnce, {}, nullptr, "critical"},
    Row{"alerts.rules.<Name>.enabled", rule<&AlertRule::enabled>,
        "false: this alert never fires.",
        kAtOnce},

    Row{"alerts.runbook_url", in<&Settings::alerts, &Alerts::runbook_url>,
        "Where the runbook of an alert is: this with the alert's name in small letters after it. "
        "Without it the link leads to /runbooks of the agent itself.",
        kAtOnce, {}, check_url, "https://wiki.example.org/runbooks#"},

    Row{"notify.alertmanagers[].url", of_each<kManagers, &Receiver::url>,
        "An Alertmanager (API v2), without its path /api/v2/alerts. Every one listed gets all alerts.",
        kAtOnce, {}, check_url, "http://alertmanager:9093", false, true},
    Row{"notify.alertmanagers[].timeout", of_each<kManagers, &Receiver::timeout>,
        "For one call.",
        kAtOnce, {0.1, 120}},
    Row{"notify.alertmanagers[].basic_auth.username", of_each<kManagers, &Receiver::username>,
        "User for basic authentication.",
        kAtOnce},
    Row{"notify.alertmanagers[].basic_auth.password_file", of_each<kManagers, &Receiver::password_file>,
        "File that holds its password, read for every call.",
        kAtOnce, {}, check_path},
    Row{"notify.alertmanagers[].bearer_token_file", of_each<kManagers, &Receiver::bearer_token_file>,
        "File that holds a bearer token, read for every call.",
        kAtOnce, {}, check_path},
    Row{"notify.alertmanagers[].tls_config.ca_file", of_each<kManagers, &Receiver::ca_file>,
        "Certificates to trust, instead of the system's.",
        kAtOnce, {}, check_path},
    Row{"notify.alertmanagers[].tls_config.cert_file", of_each<kManagers, &Receiver::cert_file>,
        "Client certificate.",
        kAtOnce, {}, check_path},
    Row{"notify.alertmanagers[].tls_config.key_file", of_each<kManagers, &Receiver::key_file>,
        "Its key.",
        kAtOnce, {}, check_path},
    Row{"notify.alertmanagers[].tls_config.server_name", of_each<kManagers, &Receiver::server_name>,
        "Name that the server's certificate must have, instead of the URL's host.",
        kAtOnce, {}, check_host},
    Row{"notify.webhooks[].url", of_each<kWebhooks, &Receiver::url>,
        "A receiver of Alertmanager's webhook format. Its path counts as secret and is never shown.",
        kAtOnce, {}, check_url, "https://hooks.example.org/progress", true, true},
    Row{"notify.webhooks[].timeout", of_each<kWebhooks, &Receiver::timeout>,
        "For one call.",
        kAtOnce, {0.1, 120}},
    Row{"notify.webhooks[].send_resolved", of_each<kWebhooks, &Receiver::send_resolved>,
        "Whether the end of an alert is sent too.",
        kAtOnce},
    Row{"notify.webhooks[].basic_auth.username", of_each<kWebhooks, &Receiver::username>,
        "User for basic authentication.",
        kAtOnce},
    Row{"notify.webhooks[].basic_auth.password_file", of_each<kWebhooks, &Receiver::password_file>,
        "File that holds its password, read for every call.",
        kAtOnce, {}, check_path},
    Row{"notify.webhooks[].bearer_token_file", of_each<kWebhooks, &Receiver::bearer_token_file>,
        "File that holds a bearer token, read for every call.",
        kAtOnce, {}, check_path},
    Row{"notify.webhooks[].tls_config.ca_file", of_each<kWebhooks, &Receiver::ca_file>,
        "Certificates to trust, instead of the system's.",
        kAtOnce, {}, check_path},
    Row{"notify.webhooks[].tls_config.cert_file", of_each<kWebhooks, &Receiver::cert_file>,
        "Client certificate.",
        kAtOnce, {}, check_path},
    Row{"notify.webhooks[].tls_config.key_file", of_each<kWebhooks, &Receiver::key_file>,
        "Its key.",
        kAtOnce, {}, check_path},
    Row{"notify.webhooks[].tls_config.server_name", of_each<kWebhooks, &Receiver::server_name>,
        "Name that the server's certificate must have, instead of the URL's host.",
        kAtOnce, {}, check_host},
    Row{"notify.external_labels.<label>", external_label,
        "A label added to every alert that is sent.",
        kAtOnce, {}, nullptr, "eu-central-1"},

    Row{"workload.process", in<&Settings::workload, &Workload::process>,
        "Name of the workload's main process, as /proc/PID/comm has it, in a Pod that shares its "
        "process namespace: its memory, CPU and network errors are read every 5 s and count for the "
        "sessions that run and report none themselves. \"\": not read.",
        kAtRestart, {}, nullptr, "python3"},
    Row{"workload.cgroup", in<&Settings::workload, &Workload::cgroup>,
        "Directory of the workload's control group (v2), in place of the one that workload.process "
        "is in. The agent's own is /sys/fs/cgroup.",
        kAtRestart, {}, check_path, "/sys/fs/cgroup"},

    Row{"push.gateway_url", in<&Settings::push, &Push::gateway_url>,
        "A Pushgateway that gets the final state once, when nobody scraped it before the agent left.",
        kAtOnce, {}, check_url, "http://pushgateway:9091"},
    Row{"shutdown.linger", in<&Settings::shutdown, &Shutdown::linger>,
        "After SIGTERM, how long the agent waits for its final state to be scraped. At least the "
        "scrape interval; the Pod's terminationGracePeriodSeconds must be 10 s more.",
        kAtOnce, {0, kHour}},
    Row{"security.seccomp", in<&Settings::security, &Security::seccomp>,
        "Deny the running agent what it has no use for: other programs, other processes' memory, "
        "unusual sockets. false: for debuggers and tracers.",
        kAtRestart},

    Row{"exit_when_done", at<&Settings::exit_when_done>,
        "Leave by itself once every session seen has ended and no stream is open: for Jobs with "
        "plain sidecars.",
        kAtRestart},
    Row{"log.level", in<&Settings::log, &Log::level>, "The least important messages that are written.",
        kAtOnce},
    Row{"log.format", in<&Settings::log, &Log::format>, "How a message is written, to standard error.",
        kAtOnce},
};
// clang-format on

template <typename Map>
std::vector<Place> names_in(const Map& map) {
  std::vector<Place> out;
  out.reserve(map.size());
  for (const auto& [name, value] : map) out.push_back({name, 0});
  return out;
}
std::vector<Place> positions(std::size_t count) {
  std::vector<Place> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back({{}, i});
  return out;
}

constexpr std::array kVariableParts = {
    VariablePart{"pricing", "pricing.<model>", "Prices by the name that events give in `model`.",
                 "gpt-4o-mini", check_model_name,
                 [](const Settings& s) { return names_in(s.pricing); }},
    VariablePart{"alerts.rules", "alerts.rules.<Name>", "Changes to single alerts, by their name.",
                 "HighErrorRate", check_alert_name,
                 [](const Settings& s) { return names_in(s.alerts.rules); }},
    VariablePart{"notify.external_labels", "notify.external_labels.<label>",
                 "Labels added to every alert that is sent.", "region", check_external_label,
                 [](const Settings& s) { return names_in(s.notify.external_labels); }},
    VariablePart{"notify.alertmanagers", "notify.alertmanagers[]",
                 "Alertmanagers that get every alert.", "", nullptr,
                 [](const Settings& s) { return positions(s.notify.alertmanagers.size()); }},
    VariablePart{"notify.webhooks", "notify.webhooks[]", "Further receivers of alerts.", "",
                 nullptr, [](const Settings& s) { return positions(s.notify.webhooks.size()); }},
};

struct Section {
  std::string_view name, help;
};
constexpr std::array kSections = {
    Section{"config", "The configuration file."},
    Section{
        "web",
        "The web listener: metrics, health, the read-only API, the page. Prometheus reaches it."},
    Section{"ingest",
            "The ingest listener and sockets: where events come in. Only the Pod reaches them."},
    Section{"sessions", "How many sessions and files are tracked, and for how long."},
    Section{"metrics", "What is shown on /metrics; these bound the number of series."},
    Section{"eta", "How remaining times are estimated."},
    Section{"storage", "The embedded database."},
    Section{"pricing", "What tokens cost, by model."},
    Section{"alerts", "When alerts fire."},
    Section{"alerts.thresholds",
            "Defaults of a session's `alertThresholds`; \"off\" turns one off."},
    Section{"notify", "Sending alerts away; off until something is listed."},
    Section{"workload", "Reading the resources of the job beside the agent."},
    Section{"push", "The last resort for final values."},
    Section{"shutdown", "How the agent leaves."},
    Section{"security", "What the agent denies itself."},
    Section{"exit_when_done", "Leaving without being told."},
    Section{"log", "What the agent writes about itself."},
};

}  // namespace

std::string_view section_help(std::string_view section) {
  const auto found = std::ranges::find(kSections, section, &Section::name);
  return found == kSections.end() ? std::string_view() : found->help;
}

std::span<const Row> rows() { return kRows; }
std::span<const VariablePart> variable_parts() { return kVariableParts; }

const Row* find_row(std::string_view key) {
  const auto row = std::ranges::find(kRows, key, &Row::key);
  return row == kRows.end() ? nullptr : &*row;
}

const VariablePart* variable_part_of(const Row& row) {
  const auto part = std::ranges::find_if(
      kVariableParts, [&](const VariablePart& p) { return row.key.starts_with(p.pattern); });
  return part == kVariableParts.end() ? nullptr : &*part;
}

bool has_flag(const Row& row) { return variable_part_of(row) == nullptr; }
bool is_in_file(const Row& row) { return row.key != "config.file"; }

std::string flag_of(const Row& row) {
  std::string flag = "--" + std::string(row.key);
  std::ranges::replace(flag, '_', '-');
  return flag;
}

std::string variable_of(const Row& row) {
  std::string variable(kVariablePrefix);
  for (const char c : row.key) {
    variable += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return variable;
}

}  // namespace agent::settings
