// The table of what /metrics says about the agent itself. A new metric is a row.
#include "agent/metrics/registry.h"

namespace agent::metrics {
namespace {

// One sample for each source and each of `names`; `counts` is indexed like `names`.
template <std::size_t N>
void each_source(const Everything& everything, const std::array<std::string_view, N>& names,
                 std::array<std::uint64_t, N> SourceCounts::*counts, Samples& out) {
  for (const SourceCounts& source : everything.counts.sources) {
    for (std::size_t i = 0; i < N; ++i) out.add({source.source, names[i]}, (source.*counts)[i]);
  }
}

void count_sessions(const Everything& everything, Samples& out) {
  for (std::size_t i = 0; i < everything.sessions.size(); ++i) {
    out.add({progress::kSessionStateNames[i]}, everything.sessions[i]);
  }
}

// clang-format off
constexpr AgentFamily kAgentFamilies[] = {
    {.name = "progress_agent_build_info", .labels = {"compiler", "revision", "version"},
     .help = "Always 1: what this binary is."},
    {.name = "progress_agent_events_total", .type = Type::kCounter, .labels = {"source", "event"},
     .help = "Events applied.",
     .collect = [](const Everything& e, Samples& out) {
       each_source(e, progress::kEventNames, &SourceCounts::events, out);
     }},
    {.name = "progress_agent_events_rejected_total", .type = Type::kCounter,
     .labels = {"source", "reason"},
     .help = "Events refused, by error code.",
     .collect = [](const Everything& e, Samples& out) {
       each_source(e, progress::kRejectReasonNames, &SourceCounts::rejected, out);
     }},
    {.name = "progress_agent_events_duplicate_total", .type = Type::kCounter,
     .help = "Events that their producer had sent before: acknowledged, not applied again.",
     .collect = [](const Everything& e, Samples& out) { out.add(e.counts.duplicates); }},
    {.name = "progress_agent_events_stale_total", .type = Type::kCounter,
     .help = "File events older than what was known of the file: not applied.",
     .collect = [](const Everything& e, Samples& out) { out.add(e.counts.stale); }},
    {.name = "progress_agent_events_gap_total", .type = Type::kCounter,
     .help = "Sequence numbers that producers skipped: events they gave up.",
     .collect = [](const Everything& e, Samples& out) { out.add(e.counts.gaps); }},
    {.name = "progress_agent_connections", .labels = {"source"},
     .help = "Connections open now on which events come in.",
     .collect = [](const Everything& e, Samples& out) {
       for (const SourceCounts& s : e.counts.sources) out.add({s.source}, s.connections);
     }},
    {.name = "progress_agent_connections_refused_total", .type = Type::kCounter,
     .labels = {"source"},
     .help = "Connections, and datagrams, of users that may not send events, or beyond the bound.",
     .collect = [](const Everything& e, Samples& out) {
       for (const SourceCounts& s : e.counts.sources) out.add({s.source}, s.refused_connections);
     }},
    {.name = "progress_agent_lines_unfinished_total", .type = Type::kCounter,
     .labels = {"source"},
     .help = "Lines that a stream left without their newline: not applied.",
     .collect = [](const Everything& e, Samples& out) {
       for (const SourceCounts& s : e.counts.sources) out.add({s.source}, s.unfinished_lines);
     }},
    {.name = "progress_agent_replies_dropped_total", .type = Type::kCounter,
     .labels = {"source"},
     .help = "Errors that were not said, because the client did not read its replies.",
     .collect = [](const Everything& e, Samples& out) {
       for (const SourceCounts& s : e.counts.sources) out.add({s.source}, s.dropped_replies);
     }},
    {.name = "progress_agent_live_clients",
     .help = "Clients that follow the live feed now.",
     .collect = [](const Everything& e, Samples& out) { out.add(e.counts.live_clients); }},
    {.name = "progress_agent_live_messages_dropped_total", .type = Type::kCounter,
     .help = "Messages of the live feed that a client was not sent, because newer ones had made "
             "them void before it could take them.",
     .collect = [](const Everything& e, Samples& out) { out.add(e.counts.live_messages_dropped); }},
    {.name = "progress_agent_sessions", .labels = {"state"},
     .help = "Sessions in each state, those left out of the page included.",
     .collect = count_sessions},
    {.name = "progress_agent_sessions_evicted_total", .type = Type::kCounter,
     .help = "Ended sessions that went before their linger was over, because there were too many.",
     .collect = [](const Everything& e, Samples& out) { out.add(e.counts.sessions_evicted); }},
    {.name = "progress_agent_files",
     .help = "Files tracked now, in all sessions.",
     .collect = [](const Everything& e, Samples& out) { out.add(e.counts.files); }},
    {.name = "progress_agent_storage_degraded",
     .help = "Whether storage fails: 1 while what is shown runs ahead of what is stored, and "
             "nothing is acknowledged.",
     .collect = [](const Everything& e, Samples& out) {
       if (e.counts.storage) out.add(e.counts.storage->is_failing);
     }},
    {.name = "progress_agent_storage_queue_length",
     .help = "Commits gathered that are not on disk yet; there is at most one.",
     .collect = [](const Everything& e, Samples& out) {
       if (e.counts.storage) out.add(e.counts.storage->waiting);
     }},
    {.name = "progress_agent_storage_errors_total", .type = Type::kCounter,
     .help = "Failed attempts to write to storage.",
     .collect = [](const Everything& e, Samples& out) {
       if (e.counts.storage) out.add(e.counts.storage->errors);
     }},
    {.name = "progress_agent_storage_dropped_total", .type = Type::kCounter,
     .help = "Database files that could not be used: set aside under another name, with all that "
             "they held.",
     .collect = [](const Everything& e, Samples& out) {
       if (e.counts.storage) out.add(e.counts.storage->dropped);
     }},
    {.name = "progress_agent_limit_used_ratio", .labels = {"limit"},
     .help = "Share of each of the agent's limits that is used now.",
     .collect = [](const Everything& e, Samples& out) {
       for (const LimitUse& use : e.counts.limits) out.add({use.limit}, use.ratio);
     }},
    {.name = "progress_agent_notifications_total", .type = Type::kCounter,
     .labels = {"target", "outcome"},
     .help = "Calls that told a target of alerts, by outcome; and alerts that found no place in its "
             "queue (dropped).",
     .collect = [](const Everything& e, Samples& out) {
       for (const NotificationCounts& n : e.counts.notifications) {
         out.add({n.target, "success"}, n.succeeded);
         out.add({n.target, "failure"}, n.failed);
         out.add({n.target, "dropped"}, n.dropped);
       }
     }},
    {.name = "progress_agent_notifications_failing",
     .help = "Whether the last call to a target of alerts failed, of any of them; absent without "
             "targets.",
     .collect = [](const Everything& e, Samples& out) { out.add(e.counts.notifications_failing); }},
    {.name = "progress_agent_config_last_reload_successful",
     .help = "Whether the configuration in force is the one last read: 1, or 0 after a reload "
             "that failed.",
     .collect = [](const Everything& e, Samples& out) { out.add(e.counts.config_reloaded); }},
    {.name = "progress_agent_config_last_reload_success_timestamp_seconds",
     .help = "When the configuration in force was read, in Unix time.",
     .collect = [](const Everything& e, Samples& out) { out.add(e.counts.config_reload_time); }},
    {.name = "progress_agent_series_dropped_total", .type = Type::kCounter, .labels = {"reason"},
     .help = "What was left out of a page or folded into \"other\", counted again at each scrape: "
             "sessions, label values, files."},
    {.name = "progress_agent_scrape_duration_seconds", .type = Type::kHistogram,
     .help = "Time to make a page of metrics, without sending it."},

    {.name = "process_cpu_seconds_total", .type = Type::kCounter,
     .help = "User and system CPU time used.",
     .collect = [](const Everything& e, Samples& out) { out.add(e.process.cpu_seconds); }},
    {.name = "process_resident_memory_bytes",
     .help = "Resident memory.",
     .collect = [](const Everything& e, Samples& out) { out.add(e.process.resident_bytes); }},
    {.name = "process_virtual_memory_bytes",
     .help = "Virtual memory.",
     .collect = [](const Everything& e, Samples& out) { out.add(e.process.virtual_bytes); }},
    {.name = "process_virtual_memory_max_bytes",
     .help = "Limit of virtual memory; absent when there is none.",
     .collect = [](const Everything& e, Samples& out) { out.add(e.process.virtual_max_bytes); }},
    {.name = "process_open_fds",
     .help = "Open file descriptors.",
     .collect = [](const Everything& e, Samples& out) { out.add(e.process.open_fds); }},
    {.name = "process_max_fds",
     .help = "Limit of open file descriptors.",
     .collect = [](const Everything& e, Samples& out) { out.add(e.process.max_fds); }},
    {.name = "process_start_time_seconds",
     .help = "When the process started, in Unix time.",
     .collect = [](const Everything& e, Samples& out) { out.add(e.process.start_time); }},
};
// clang-format on

}  // namespace

std::span<const AgentFamily> agent_families() { return kAgentFamilies; }

}  // namespace agent::metrics
