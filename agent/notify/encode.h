// What targets are sent: alerts in the JSON of Alertmanager's API v2 and of its webhooks. Pure; any
// thread. Sources: Alertmanager's openapi.yaml (postableAlert), its documentation of
// webhook_config.
#pragma once

#include <span>
#include <string>

#include "agent/clock.h"
#include "agent/notify/outbox.h"
#include "agent/notify/target.h"

namespace agent::notify {

// POST /api/v2/alerts. What fires ends by itself when nobody says it again: `ends` from now.
std::string alertmanager_json(std::span<const Notice> notices, const Target& target, Instant now,
                              Duration ends = std::chrono::minutes(4));
// Version 4 of the webhook's format.
std::string webhook_json(std::span<const Notice> notices, const Target& target);

// The labels that alerts have outside, sorted by name; an external one replaces nothing.
Labels labels_of(const alert::Alert& alert, const Labels& external);

}  // namespace agent::notify
