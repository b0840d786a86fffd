// The flags of `emit`: one for every field that the agent's events have, spelled for a shell. What
// stands for the value says what it is in JSON. Constant.
#pragma once

#include <array>

#include "agent/cli/command.h"
#include "agent/progress/names.h"

namespace agent::cli {

// What a flag's value is in JSON; the texts are those of help.
inline constexpr std::string_view kTextValue = "TEXT", kNumberValue = "N",
                                  kSwitchValue = "true|false", kTimeValue = "TIME",
                                  kJsonValue = "JSON", kLabelsValue = "NAME=TEXT,...";

inline constexpr std::array kEmitOptions = {
    Option{"--session", kTextValue, "the session that the event is of; needed"},
    Option{"--ts", kTimeValue, "when it happened: RFC 3339 or Unix seconds; default: now"},
    Option{"--ts-ms", kNumberValue, "the same in milliseconds since 1970", {}, "--tsMs"},

    Option{"--name", kTextValue, "session: what people call it"},
    Option{"--family", kTextValue, "session: what repeated runs of it share"},
    Option{"--total-files", kNumberValue, "session: files in all", {}, "--totalFiles"},
    Option{"--total-bytes", kNumberValue, "session: bytes in all", {}, "--totalBytes"},
    Option{"--unit", kTextValue, "session: what units are"},
    Option{"--concurrency", kNumberValue, "session: files processed at once"},
    Option{"--deadline", kTimeValue, "session: when it should be done"},
    Option{"--cost-budget", kNumberValue, "session: what it may cost", {}, "--costBudget"},
    Option{"--currency", kTextValue, "session: of costs"},
    Option{"--shard", kNumberValue, "session: which part of it this is"},
    Option{"--shards", kNumberValue, "session: how many parts it has"},
    Option{"--labels", kLabelsValue, "session: labels of your own"},
    Option{"--mode",
           kTextValue,
           "session: minimal, basic, enhanced or comprehensive",
           {},
           {},
           progress::kModeNames},
    Option{"--config", kJsonValue, "session: its configuration"},
    Option{"--enable-persistence",
           kSwitchValue,
           "session: keep its history",
           {},
           "--enablePersistence"},
    Option{"--enable-analytics", kSwitchValue, "session: analyse it", {}, "--enableAnalytics"},
    Option{"--resume", kSwitchValue, "session.start: what was done stays done"},
    Option{"--reason", kTextValue, "session: why it pauses or ends"},

    Option{"--file", kTextValue, "file, api: which file"},
    Option{
        "--status", kTextValue, "file, session.end: its state", {}, {}, progress::kFileStatusNames},
    Option{"--progress", kNumberValue, "file: 0 to 100"},
    Option{"--stage", kTextValue, "file: the stage it is in"},
    Option{"--stage-progress", kNumberValue, "file: 0 to 100", {}, "--stageProgress"},
    Option{"--bytes", kNumberValue, "file: its size"},
    Option{"--bytes-done", kNumberValue, "file, progress: bytes done so far", {}, "--bytesDone"},
    Option{"--units", kNumberValue, "file: its weight, where bytes say little"},
    Option{"--tokens", kNumberValue, "file, api: tokens used"},
    Option{"--cost", kNumberValue, "file, api: money spent"},
    Option{"--model", kTextValue, "file, api: the model used"},
    Option{"--quality", kNumberValue, "file: 0 to 1"},
    Option{"--retries", kNumberValue, "file: so far"},
    Option{"--error", kTextValue, "file: why it failed"},
    Option{"--files", kJsonValue, R"(files: [{"file":"a","bytes":1},...])"},

    Option{"--completed", kNumberValue, "progress: done so far"},
    Option{"--failed", kNumberValue, "progress: failed so far"},
    Option{"--skipped", kNumberValue, "progress: skipped so far"},
    Option{"--total", kNumberValue, "progress: in all"},

    Option{"--ok", kSwitchValue, "api: whether the call succeeded"},
    Option{"--calls", kNumberValue, "api: how many"},
    Option{"--provider", kTextValue, "api, rateLimit: of the API"},
    Option{"--duration-ms", kNumberValue, "api: how long it took", {}, "--durationMs"},
    Option{"--tokens-in", kNumberValue, "api: tokens sent", {}, "--tokensIn"},
    Option{"--tokens-out", kNumberValue, "api: tokens received", {}, "--tokensOut"},
    Option{"--tokens-cached", kNumberValue, "api: of those sent, cached", {}, "--tokensCached"},

    Option{"--delay-ms", kNumberValue, "rateLimit: time to wait", {}, "--delayMs"},
    Option{"--hits", kNumberValue, "rateLimit: how many"},
    Option{"--limit", kNumberValue, "rateLimit: the quota"},
    Option{"--remaining", kNumberValue, "rateLimit: what is left of it"},
    Option{"--reset-at", kTimeValue, "rateLimit: when it is whole again", {}, "--resetAt"},

    Option{"--cpu", kNumberValue, "resource: cores used by the job"},
    Option{"--memory-bytes", kNumberValue, "resource: memory used", {}, "--memoryBytes"},
    Option{"--memory-limit-bytes", kNumberValue, "resource: its limit", {}, "--memoryLimitBytes"},
    Option{"--network-rx-bytes", kNumberValue, "resource: received", {}, "--networkRxBytes"},
    Option{"--network-tx-bytes", kNumberValue, "resource: sent", {}, "--networkTxBytes"},
    Option{"--network-errors", kNumberValue, "resource: so far", {}, "--networkErrors"},
};

// The field of an event that a flag of the table sets: "--total-files" sets "totalFiles".
constexpr std::string_view field_of(const Option& option) {
  return (option.alias.empty() ? option.name : option.alias).substr(2);
}

}  // namespace agent::cli
