#include "agent/cli/translate.h"

#include "agent/log/log.h"

namespace agent::cli {
namespace {

// Counts of the settings are never negative: their ranges begin at 0.
std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

}  // namespace

tracker::Settings tracker_settings(const settings::Settings& s,
                                   std::shared_ptr<const eta::Model> model) {
  tracker::Settings out;
  progress::Limits& limits = out.rules.limits;
  limits.max_active = size(s.sessions.max_active);
  limits.max_ended = size(s.sessions.max_ended);
  limits.max_files = size(s.sessions.max_files);
  limits.max_label_values = size(s.metrics.max_label_values);
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

std::size_t max_line_bytes(const settings::Settings& s) {
  return size(s.ingest.max_line_bytes.count);
}

wire::ListenerSettings stream_settings(const settings::Settings& s) {
  wire::ListenerSettings out = datagram_settings(s);
  out.path = s.ingest.socket;
  for (const std::int64_t uid : s.ingest.socket_allowed_uids) {
    out.allowed_uids.push_back(static_cast<uid_t>(uid));
  }
  return out;
}

wire::ListenerSettings datagram_settings(const settings::Settings& s) {
  wire::ListenerSettings out;
  out.path = s.ingest.datagram_socket;
  out.mode = s.ingest.socket_mode.bits;
  out.warn = [](std::string_view message) { log::warn(message); };
  return out;
}

web::ListenerSettings ingest_settings(const settings::Settings& s) {
  web::ListenerSettings out;
  out.side = web::Side::kIngest;
  out.address = settings::show(s.ingest.listen_address);
  out.allowed_hosts = s.ingest.allowed_hosts;
  return out;
}

web::ListenerSettings web_settings(const settings::Settings& s) {
  web::ListenerSettings out;
  out.address = settings::show(s.web.listen_address);
  return out;
}

}  // namespace agent::cli
