// What the API says of the past, in JSON. Pure; any thread. What is unknown is absent.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "agent/progress/past.h"
#include "agent/progress/snapshot.h"
#include "agent/web/json_writer.h"

namespace agent::web {

void write_minute(JsonWriter& json, const progress::PastMinute& minute);
void write_run(JsonWriter& json, const progress::PastRun& run);
// A family by its runs, the oldest first: its name, the runs, sums and means, regressions.
void write_family(JsonWriter& json, std::string_view name, std::span<const progress::PastRun> runs);

// Parts of a session's analytics; each writes one value.
void write_trends(JsonWriter& json, const progress::Metrics& metrics);
void write_quality(JsonWriter& json, const progress::Metrics& metrics);
void write_costs(JsonWriter& json, const progress::SessionSnapshot& session);
using FilesByStage = std::map<std::string, std::int64_t, std::less<>>;  // being processed now
void write_stages(JsonWriter& json, const progress::SessionSnapshot& session,
                  const FilesByStage& in_flight);
void write_accuracy(JsonWriter& json, std::span<const progress::PastRun> runs);
// The session beside the family's earlier runs that completed.
void write_comparison(JsonWriter& json, const progress::SessionSnapshot& session,
                      std::span<const progress::PastRun> runs);

}  // namespace agent::web
