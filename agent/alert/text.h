// What alerts say: values with their units, and messages. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "agent/alert/rule.h"

namespace agent::alert {

// With that many digits after the point.
std::string decimal(double value, int digits);
// "12.0 %", "90.0 s": by the rule's unit.
std::string format_value(double value, std::string_view unit);
// The rule's description with its numbers, and what they came from.
std::string message_of(const Rule& rule, const Reading& reading, double threshold);
// Prometheus' and Alertmanager's name of it.
std::string alert_name(const Rule& rule);
// Where the runbook has the section of an alert, by that name: it follows `runbooks` in small
// letters.
std::string runbook_url(std::string_view runbooks, std::string_view alert_name);

std::string replace_all(std::string_view text, std::string_view what, std::string_view with);

}  // namespace agent::alert
