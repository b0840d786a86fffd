// AgentCounts: the agent's own figures as they are at a scrape, copied from where they are counted.
// The wiring fills it; the rows of agent_families.cc read it. A part that is not running stays
// empty and is absent from the page. Plain values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/alert/alert.h"
#include "agent/clock.h"
#include "agent/progress/event.h"
#include "agent/progress/histogram.h"
#include "agent/progress/names.h"

namespace agent::metrics {

// What came in by one way: a socket, HTTP, the replayed file. Counters since the start, but
// connections.
struct SourceCounts {
  std::string_view source;  // a name with static lifetime: "stream", "datagram", "http", ...
  std::array<std::uint64_t, progress::kEventNames.size()> events{};  // applied, by Fact alternative
  std::array<std::uint64_t, progress::kRejectReasonNames.size()> rejected{};  // by RejectReason
  std::optional<std::uint64_t> connections;                                   // open now
  // Of streams: last lines without a newline, errors that a client did not read, clients refused.
  std::optional<std::uint64_t> unfinished_lines, dropped_replies, refused_connections;
};

// How far off the predictions for one family were: |predicted - true| / true total, a value for
// each session that ended.
struct EtaErrorSeries {
  progress::EtaMethod method = progress::EtaMethod::kLinear;
  std::string family;
  progress::Histogram errors;
};

// Of the thread that stores what is tracked.
struct StorageCounts {
  bool is_failing = false;
  std::uint64_t errors = 0;   // failed attempts
  std::uint64_t waiting = 0;  // commits gathered that are not on disk yet
  std::uint64_t dropped = 0;  // database files given up, with what they held
};

// How much of one of its limits the agent uses.
struct LimitUse {
  std::string_view limit;  // a name with static lifetime: "sessions", "files", ...
  double ratio = 0;        // 0..1
};

// What became of notifications to one target. Counters.
struct NotificationCounts {
  std::string target;
  std::uint64_t succeeded = 0, failed = 0, dropped = 0;
};

struct AgentCounts {
  std::vector<SourceCounts> sources;
  std::uint64_t duplicates = 0, stale = 0, gaps = 0;  // events; sequence numbers that were given up
  std::uint64_t sessions_evicted = 0;                 // before their linger was over
  std::uint64_t files = 0;                            // tracked now
  std::optional<std::uint64_t> live_clients, live_messages_dropped;
  std::optional<bool> config_reloaded;  // whether the last reload was good; empty: no configuration
  std::optional<Instant> config_reload_time;  // of the last good one
  std::optional<StorageCounts> storage;       // empty: memory only
  std::vector<LimitUse> limits;
  std::vector<NotificationCounts> notifications;
  std::optional<bool> notifications_failing;  // empty: nobody is to be told
  std::vector<EtaErrorSeries> eta_errors;     // at most one for each method and family
};

// The agent's process, as the kernel sees it; what the kernel does not tell is empty.
struct ProcessUsage {
  std::optional<double> cpu_seconds;  // user and system
  std::optional<std::uint64_t> resident_bytes, virtual_bytes, virtual_max_bytes;
  std::optional<std::uint64_t> open_fds, max_fds;
  std::optional<double> start_time;  // Unix seconds
};

// What a page shows beside the sessions.
struct Everything {
  const AgentCounts& counts;
  const ProcessUsage& process;
  std::array<std::uint64_t, progress::kSessionStateNames.size()> sessions{};  // by SessionState
  std::span<const EtaErrorSeries> eta_errors;                                 // within bounds
  const alert::Standing* own_alerts = nullptr;  // about the agent; null: not looked at
};

}  // namespace agent::metrics
