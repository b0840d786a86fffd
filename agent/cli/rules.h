// `docs rules`: the alerts as Prometheus evaluates them, and what they and the fleet's dashboards
// are calculated from: a rule file, or the PrometheusRule object that Prometheus' operator takes.
// From the table of rules (agent/alert/rule.h) and the settings in force. Pure.
#pragma once

#include <string>

#include "agent/settings/settings.h"

namespace agent::cli {

std::string prometheus_rules(const settings::Settings& settings);
std::string prometheus_rule_object(const settings::Settings& settings);

}  // namespace agent::cli
