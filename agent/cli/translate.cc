#include "agent/cli/translate.h"

#include <boost/asio/ip/host_name.hpp>

#include "agent/log/log.h"

namespace agent::cli {
namespace {

// Counts of the settings are never negative: their ranges begin at 0.
std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

// What a session is held to that says nothing itself. A threshold of the rule is more particular
// than the defaults of `alertThresholds`.
progress::AlertThresholds default_thresholds(const settings::Alerts& s) {
  progress::AlertThresholds out;
  const auto of_rule = [&](std::string_view name, auto general) -> decltype(general) {
    const auto rule = s.rules.find(name);
    return rule == s.rules.end() || !rule->second.threshold ? general : *rule->second.threshold;
  };
  const settings::Thresholds& t = s.thresholds;
  out.slow_processing_ms = of_rule("SlowProcessing", t.slow_processing_ms);
  out.high_error_rate = of_rule("HighErrorRate", t.high_error_rate);
  out.low_throughput = of_rule("LowThroughput", t.low_throughput);
  out.eta_deviation_percent = of_rule("EtaDeviation", t.eta_deviation_percent);
  out.quality_score_threshold = of_rule("QualityDegradation", t.quality_score_threshold);
  return out;
}

// Where others may find the web listener: the address it was given, or this host's name.
std::string own_url(const settings::Settings& s) {
  settings::Address address = s.web.listen_address;
  const bool is_any = address.host.empty() || address.host == "0.0.0.0" || address.host == "::";
  if (is_any) address.host = boost::asio::ip::host_name();
  return "http://" + settings::show(address);
}

}  // namespace

alert::Policy alert_policy(const settings::Settings& s) {
  alert::Policy policy;
  for (const auto& [name, rule] : s.alerts.rules) {
    alert::Override out{rule.threshold, rule.lasting, std::nullopt, rule.enabled};
    if (rule.severity) out.severity = static_cast<alert::Severity>(*rule.severity);
    if (const auto number = alert::find_rule(name)) policy.set(*number, out);
  }
  const progress::AlertThresholds t = default_thresholds(s.alerts);
  policy.fall_back("SlowProcessing", t.slow_processing_ms);
  policy.fall_back("HighErrorRate", t.high_error_rate);
  policy.fall_back("LowThroughput", t.low_throughput);
  policy.fall_back("EtaDeviation", t.eta_deviation_percent);
  policy.fall_back("QualityDegradation", t.quality_score_threshold);
  policy.carry(s.metrics.session_labels);
  if (!s.alerts.runbook_url.empty()) policy.refer_to(s.alerts.runbook_url);
  return policy;
}

tracker::Settings tracker_settings(const settings::Settings& s,
                                   std::shared_ptr<const eta::Model> model) {
  tracker::Settings out;
  out.alerts = alert_policy(s);
  out.rules.thresholds = default_thresholds(s.alerts);
  progress::Limits& limits = out.rules.limits;
  limits.max_active = size(s.sessions.max_active);
  limits.max_ended = size(s.sessions.max_ended);
  limits.max_files = size(s.sessions.max_files);
  limits.max_label_values = size(s.metrics.max_label_values);
  const bool shows_files = s.metrics.per_file == settings::PerFile::kActive;
  limits.slowest_files = shows_files ? size(s.metrics.max_file_series) : 0;
  limits.stale_after = s.sessions.stale_after;
  limits.linger = s.sessions.linger;
  for (const auto& [name, price] : s.pricing) {
    out.rules.pricing.emplace(name,
                              progress::Price{price.input_per_million, price.output_per_million,
                                              price.cached_per_million});
  }
  out.max_producers = size(s.ingest.max_producers);
  out.model = std::move(model);
  return out;
}

std::vector<notify::Target> notify_targets(const settings::Settings& s) {
  std::vector<notify::Target> out;
  const auto add = [&](notify::Kind kind, const settings::Receiver& receiver) {
    notify::Target target{
        kind, notify::endpoint_of(receiver.url), receiver.send_resolved, {}, own_url(s)};
    notify::Endpoint& e = target.endpoint;
    e.timeout = receiver.timeout;
    if (!receiver.username.empty()) e.username = receiver.username;
    e.password_file = receiver.password_file;
    e.bearer_token_file = receiver.bearer_token_file;
    e.ca_file = receiver.ca_file;
    e.cert_file = receiver.cert_file;
    e.key_file = receiver.key_file;
    e.server_name = receiver.server_name;
    target.external_labels.assign(s.notify.external_labels.begin(), s.notify.external_labels.end());
    out.push_back(std::move(target));
  };
  for (const auto& receiver : s.notify.alertmanagers) add(notify::Kind::kAlertmanager, receiver);
  for (const auto& receiver : s.notify.webhooks) add(notify::Kind::kWebhook, receiver);
  return out;
}

metrics::Settings metrics_settings(const settings::Settings& s) {
  metrics::Settings out;
  out.session_labels = s.metrics.session_labels;
  out.per_file = s.metrics.per_file == settings::PerFile::kActive ? metrics::PerFile::kActive
                                                                  : metrics::PerFile::kOff;
  out.max_file_series = size(s.metrics.max_file_series);
  out.max_sessions = size(s.metrics.max_sessions);
  out.max_label_values = size(s.metrics.max_label_values);
  out.openmetrics_created = s.web.openmetrics_created;
  return out;
}

std::vector<metrics::EtaErrorSeries> eta_error_series(const tracker::EtaErrors& errors) {
  std::vector<metrics::EtaErrorSeries> series;
  for (const auto& [family, by_method] : errors.by_family()) {
    for (std::size_t m = 0; m < by_method.size(); ++m) {
      series.push_back({static_cast<progress::EtaMethod>(m), family, by_method[m]});
    }
  }
  return series;
}

std::size_t max_line_bytes(const settings::Settings& s) {
  return size(s.ingest.max_line_bytes.count);
}

wire::ListenerSettings stream_settings(const settings::Settings& s) {
  wire::ListenerSettings out = datagram_settings(s);
  out.path = s.ingest.socket;
  return out;
}

wire::ListenerSettings datagram_settings(const settings::Settings& s) {
  wire::ListenerSettings out;
  out.path = s.ingest.datagram_socket;
  out.mode = s.ingest.socket_mode.bits;
  for (const std::int64_t uid : s.ingest.socket_allowed_uids) {
    out.allowed_uids.push_back(static_cast<uid_t>(uid));
  }
  out.warn = [](std::string_view message) { log::warn(message); };
  return out;
}

web::ListenerSettings ingest_settings(const settings::Settings& s, Gates& gates) {
  web::ListenerSettings out;
  out.side = web::Side::kIngest;
  out.address = settings::show(s.ingest.listen_address);
  out.allowed_hosts = s.ingest.allowed_hosts;
  out.gate = gates.ingest;
  out.passwords = &gates.passwords;
  return out;
}

web::ListenerSettings web_settings(const settings::Settings& s, Gates& gates) {
  web::ListenerSettings out;
  out.address = settings::show(s.web.listen_address);
  out.gate = gates.web;
  out.passwords = &gates.passwords;
  return out;
}

}  // namespace agent::cli
