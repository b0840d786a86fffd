// Counts: what came in by each way, and what became of it. Counted by Intake and the listeners;
// read for the agent's own metrics. Event loop only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agent/progress/event.h"
#include "agent/progress/names.h"

namespace agent::wire {

// By which way an event came.
enum class Source : std::uint8_t { kUnix, kDatagram, kHttp, kReplay };
inline constexpr std::array<std::string_view, 4> kSourceNames = {"unix", "datagram", "http",
                                                                 "replay"};
constexpr std::string_view name_of(Source s) { return progress::name_of(s, kSourceNames); }

struct SourceCounts {
  std::array<std::uint64_t, progress::kEventNames.size()> events{};  // applied, by Fact alternative
  std::array<std::uint64_t, progress::kRejectReasonNames.size()> rejected{};  // by RejectReason
  std::uint64_t duplicates = 0;           // events whose seq was applied before
  std::uint64_t stale = 0;                // events older than what their file already knows
  std::uint64_t unfinished_lines = 0;     // at the end of a stream: not applied
  std::uint64_t dropped_replies = 0;      // errors that a client did not read
  std::uint64_t connections = 0;          // open now
  std::uint64_t refused_users = 0;        // connections or datagrams of users not on the list
  std::uint64_t refused_connections = 0;  // one too many
};

struct Counts {
  std::array<SourceCounts, kSourceNames.size()> by_source;

  [[nodiscard]] SourceCounts& of(Source s) { return by_source[static_cast<std::size_t>(s)]; }
  [[nodiscard]] const SourceCounts& of(Source s) const {
    return by_source[static_cast<std::size_t>(s)];
  }
};

}  // namespace agent::wire
