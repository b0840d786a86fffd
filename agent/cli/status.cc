#include "agent/cli/status.h"

#include <algorithm>

#include "agent/settings/load.h"

namespace agent::cli {
namespace {

using settings::Described;

void write_list(web::JsonWriter& json, std::string_view values) {
  json.begin_array();
  while (!values.empty()) {
    const std::size_t comma = std::min(values.find(','), values.size());
    json.value(values.substr(0, comma));
    values.remove_prefix(std::min(comma + 1, values.size()));
  }
  json.end_array();
}

void write_value(web::JsonWriter& json, const Described& described) {
  const bool is_bare = settings::is_switch(*described.row) ||
                       (settings::is_number(*described.row) && described.value != "off");
  if (settings::is_list(*described.row)) return write_list(json, described.value);
  is_bare ? json.raw(described.value) : json.value(described.value);
}

// Sections that both keys are in.
std::size_t shared_sections(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const auto end = std::ranges::mismatch(a, b).in1;
  return std::min({static_cast<std::size_t>(end - a.begin()), a.size() - 1, b.size() - 1});
}

}  // namespace

void write_storage(web::JsonWriter& json, const std::optional<history::WriterState>& state) {
  json.key("storage").begin_object().member("durable", state.has_value());
  if (state) {
    json.member("degraded", state->failing).member("queueLength", state->waiting ? 1 : 0);
    json.member("commits", state->commits).member("errors", state->errors);
    json.member("filesSetAside", state->set_aside);
    if (!state->last_error.empty()) json.member("lastError", std::string_view(state->last_error));
  }
  json.end_object();
}

void write_queues(web::JsonWriter& json, const metrics::AgentCounts& counts) {
  std::uint64_t replies = 0, alerts = 0;
  for (const auto& source : counts.sources) replies += source.dropped_replies.value_or(0);
  for (const auto& target : counts.notifications) alerts += target.dropped;
  json.key("queues").begin_object();
  json.key("storage").begin_object();
  json.member("length", counts.storage ? counts.storage->waiting : 0).end_object();
  json.key("replies").begin_object().member("dropped", replies).end_object();
  json.key("live").begin_object().member("clients", counts.live_clients);
  json.member("dropped", counts.live_messages_dropped).end_object();
  json.key("notifications").begin_object().member("dropped", alerts).end_object();
  json.end_object();
}

void write_notifications(web::JsonWriter& json, const std::vector<notify::TargetStatus>& targets) {
  json.key("notifications").begin_array();
  for (const auto& [target, delivery] : targets) {
    json.begin_object();
    json.member("target", target).member("failing", delivery.is_failing);
    json.member("delivered", delivery.succeeded).member("failed", delivery.failed);
    json.member("lastSuccess", delivery.last_success);
    if (delivery.last_error_at) {
      json.key("lastError").begin_object();
      json.member("time", *delivery.last_error_at).member("message", delivery.last_error);
      json.end_object();
    }
    json.end_object();
  }
  json.end_array();
}

void write_configuration(web::JsonWriter& json, const settings::Settings& settings) {
  const std::vector<Described> all = settings::describe(settings);
  json.key("configuration").begin_object();
  std::vector<std::string> open = {""};
  for (const Described& described : all) {
    const std::size_t shared = shared_sections(open, described.path);
    for (std::size_t i = shared; i + 1 < open.size(); ++i) json.end_object();
    for (std::size_t i = shared; i + 1 < described.path.size(); ++i) {
      json.key(described.path[i]).begin_object();
    }
    json.key(described.path.back());
    write_value(json, described);
    open = described.path;
  }
  for (std::size_t i = 0; i < open.size(); ++i) json.end_object();
  json.key("sources").begin_object();
  for (const Described& described : all) {
    if (described.source != "default") json.member(described.key, described.source);
  }
  json.end_object();
}

std::string status_line(const tracker::Totals& totals) {
  return std::to_string(totals.active) + (totals.active == 1 ? " session" : " sessions") +
         " running, " + std::to_string(totals.sessions - totals.active) + " over";
}

}  // namespace agent::cli
