#include "agent/cli/rules.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/alert/policy.h"
#include "agent/alert/text.h"
#include "agent/cli/translate.h"

namespace agent::cli {
namespace {

using alert::During;
using alert::replace_all;
using alert::Rule;

// What tells the series of two sessions apart: their target, and their name there.
constexpr std::string_view kOn = "on (job, instance, session)";

// Recorded: what the alerts below need, and the view of a session whose shards run in many Pods. A
// shard that was begun anew, in another Pod, is shown by the Pod begun last.
struct Record {
  std::string_view name, expression;
};
constexpr std::array kFamilyRecords = {
    Record{"family:progress_session_start_timestamp_seconds:max",
           "max by (namespace, family) (\n"
           "  progress_session_start_timestamp_seconds\n"
           "  * $on group_left (family) progress_session_info{family!=\"\"}\n"
           ")"},
    // Sessions that ended before a later run of their family began.
    Record{"session:progress_session_end_timestamp_seconds:superseded",
           "(\n"
           "  progress_session_end_timestamp_seconds\n"
           "  * $on group_left (family) progress_session_info{family!=\"\"}\n"
           ")\n"
           "< on (namespace, family) group_left ()\n"
           "family:progress_session_start_timestamp_seconds:max"},
};
constexpr std::array kFleetRecords = {
    Record{"session_shard:progress_session_start_timestamp_seconds:max",
           "max by (namespace, session, shard) (\n"
           "  progress_session_start_timestamp_seconds\n"
           "  * $on group_left (shard) progress_session_info\n"
           ")"},
    // 1 for each target that speaks for its shard.
    Record{"instance_session:progress_session_start_timestamp_seconds:current",
           "(\n"
           "  progress_session_start_timestamp_seconds\n"
           "  * $on group_left (shard) progress_session_info\n"
           "  == on (namespace, session, shard) group_left ()\n"
           "  session_shard:progress_session_start_timestamp_seconds:max\n"
           ") * 0 + 1"},
    Record{"session:progress_session_progress_ratio:avg",
           "sum by (namespace, session) (\n"
           "  progress_session_progress_ratio\n"
           "  * $on progress_session_expected_files\n"
           "  * $on group_left (namespace)\n"
           "  instance_session:progress_session_start_timestamp_seconds:current\n"
           ")\n"
           "/\n"
           "sum by (namespace, session) (\n"
           "  progress_session_expected_files\n"
           "  * $on group_left (namespace)\n"
           "  instance_session:progress_session_start_timestamp_seconds:current\n"
           ")"},
    Record{"session:progress_session_eta_seconds:max",
           "max by (namespace, session) (\n"
           "  progress_session_eta_seconds\n"
           "  * $on group_left (namespace)\n"
           "  instance_session:progress_session_start_timestamp_seconds:current\n"
           ")"},
    Record{"session:progress_session_cost_total:sum",
           "sum by (namespace, session, currency) (\n"
           "  progress_session_cost_total\n"
           "  * $on group_left (namespace)\n"
           "  instance_session:progress_session_start_timestamp_seconds:current\n"
           ")"},
    Record{"session_state:progress_session_files:sum",
           "sum by (namespace, session, state) (\n"
           "  progress_session_files\n"
           "  * $on group_left (namespace)\n"
           "  instance_session:progress_session_start_timestamp_seconds:current\n"
           ")"},
    Record{"session:progress_session_throughput_files_per_second:sum",
           "sum by (namespace, session) (\n"
           "  progress_session_throughput_files_per_second\n"
           "  * $on group_left (namespace)\n"
           "  instance_session:progress_session_start_timestamp_seconds:current\n"
           ")"},
};

// Alerts that only an observer from outside can raise.
struct Outside {
  std::string_view name, severity, hold, expression, summary, description, recommendation;
};
constexpr std::array kOutside = {
    Outside{"ProgressAgentDown", "critical", "2m",
            "up == 0 and on (job, instance) max_over_time(progress_agent_build_info[15m])",
            "An agent does not answer",
            "Prometheus cannot scrape the agent at {{ $labels.instance }}.",
            "See whether its container runs, and what its log says last."},
    Outside{"ProgressConfigReloadFailed", "warning", "5m",
            "progress_agent_config_last_reload_successful == 0",
            "An agent's new configuration was refused",
            "The agent at {{ $labels.instance }} goes on with the configuration it had.",
            "The agent's log names each fault with its line; `progress-agent check-config` finds "
            "them before a reload does."},
    Outside{
        "ProgressEventsRejected", "warning", "0s",
        "sum without (source, reason) (increase(progress_agent_events_rejected_total[10m])) > 0",
        "Events of a job are refused",
        "{{ $value | humanize }} events were refused in ten minutes.",
        "progress_agent_events_rejected_total says why, by reason; the job gets the same "
        "as replies to its events."},
    Outside{"ProgressFinalStateNotScraped", "warning", "1m",
            "(\n"
            "  last_over_time(progress_session_progress_ratio[15m])\n"
            "  unless $on progress_session_progress_ratio\n"
            "  unless $on last_over_time(progress_session_end_timestamp_seconds[15m])\n"
            ")\n"
            "* $on group_left ($labels) last_over_time(progress_session_info[15m])",
            "A session vanished before its end was seen",
            "The agent went away while the session was at {{ $value | humanizePercentage }}.",
            "Give the agent time to be scraped: shutdown.linger of at least the scrape interval, "
            "and terminationGracePeriodSeconds of 10 s more."},
};

// The runbook that every agent serves; Prometheus fills in whose alert it is.
constexpr std::string_view kServedByEach = "http://{{ $labels.instance }}/runbooks#";

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string duration(Duration d) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(d).count();
  if (std::chrono::seconds(seconds) != d)
    return fmt::format("{}ms", std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
  return seconds > 0 && seconds % 60 == 0 ? fmt::format("{}m", seconds / 60)
                                          : fmt::format("{}s", seconds);
}

// Lines of YAML at a depth.
class Lines {
 public:
  explicit Lines(std::size_t indent) : indent_(indent) {}
  void add(std::size_t depth, std::string_view line) {
    out_.append(indent_ + 2 * depth, ' ').append(line) += '\n';
  }
  // KEY: TEXT, in a block when it has several lines.
  void add_text(std::size_t depth, std::string_view key, std::string_view text) {
    add(depth, fmt::format("{}: |-", key));
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      add(depth + 1, text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  std::size_t indent_;
  std::string out_;
};

// The value as a person reads it, in Prometheus' templates.
std::string value_text(std::string_view unit) {
  if (unit == "ratio" || unit == "%") return "{{ $value | humanizePercentage }}";
  if (unit == "ms" || unit == "s") return "{{ $value | humanizeDuration }}";
  if (unit == "files/min") return "{{ $value | humanize }} files per second";
  if (unit == "money") return "{{ $value | printf \"%.2f\" }}";
  return unit.empty() ? "{{ $value }}" : fmt::format("{{{{ $value | humanize }}}} {}", unit);
}

std::string threshold_text(const Rule& rule, std::optional<double> configured) {
  if (rule.unit == "money") return "the session";
  if (!configured) return "the configured limit";
  const std::string text = alert::format_value(*configured, rule.unit);
  return rule.own_threshold != nullptr ? text + " (unless the session says otherwise)" : text;
}

// Which part of a session's life the rule is about.
std::string_view gate(During during) {
  switch (during) {
    case During::kRun:
      return "unless $on progress_session_end_timestamp_seconds";
    case During::kUntilGoodEnd:
      return "unless $on progress_session_state{state=~\"completed|stale\"}\n"
             "unless $on session:progress_session_end_timestamp_seconds:superseded";
    case During::kAfterEnd:
      return "and $on progress_session_state{state=~\"completed|failed|cancelled\"}\n"
             "unless $on session:progress_session_end_timestamp_seconds:superseded";
  }
  return {};
}

// A rule as it is configured.
struct Configured {
  const Rule& rule;
  std::optional<double> threshold;
  Duration hold, keep;
  alert::Severity severity;
};

class Writer {
 public:
  Writer(const settings::Settings& settings, std::size_t indent) : lines_(indent) {
    const tracker::Settings t = tracker_settings(settings);
    policy_ = t.alerts;
    runbooks_ = settings.alerts.runbook_url;
    if (runbooks_.empty()) runbooks_ = kServedByEach;
    progress::SessionIdentity defaults;
    defaults.config.thresholds = t.rules.thresholds;
    nobody_.identity = std::make_shared<const progress::SessionIdentity>(std::move(defaults));
    labels_ = "family";
    for (const std::string& label : policy_.labels()) labels_ += ", " + label;
  }

  std::string write() {
    lines_.add(0, "groups:");
    group("progress-families", kFamilyRecords);
    group("progress-fleet", kFleetRecords);
    lines_.add(1, "- name: progress-alerts");
    lines_.add(2, "rules:");
    for (std::size_t i = 0; i < alert::rules().size(); ++i) {
      if (policy_.enabled(i)) write(configured(i));
    }
    for (const Outside& rule : kOutside) write(rule);
    return lines_.take();
  }

 private:
  template <std::size_t N>
  void group(std::string_view name, const std::array<Record, N>& records) {
    lines_.add(1, fmt::format("- name: {}", name));
    lines_.add(2, "rules:");
    for (const Record& record : records) {
      lines_.add(3, fmt::format("- record: {}", record.name));
      lines_.add_text(4, "expr", replace_all(record.expression, "$on", kOn));
    }
  }

  [[nodiscard]] Configured configured(std::size_t rule) const {
    const Rule& r = alert::rules()[rule];
    const auto own = r.scope == alert::Scope::kSession
                         ? policy_.in_force(rule, {.session = &nobody_})
                         : policy_.in_force(rule);
    // Where only sessions turn it on, its other properties still hold.
    alert::InForce rest{0, r.hold, r.keep, r.severity};
    return own ? Configured{r, own->threshold, own->hold, own->keep, own->severity}
               : Configured{r, std::nullopt, policy_.hold(rule), rest.keep, policy_.severity(rule)};
  }

  // Against the threshold that holds for each session, its own or the agent's: the agents tell
  // them, so that what is configured and what is switched off holds here, too.
  [[nodiscard]] std::string expression(const Configured& c) const {
    const char compare = c.rule.breach == alert::Breach::kAbove ? '>' : '<';
    if (c.rule.scope == alert::Scope::kAgent)
      return fmt::format("{} {} {}", c.rule.promql, compare,
                         c.threshold.value_or(0) * c.rule.to_base);
    std::string value = fmt::format("({})\n{}", c.rule.promql, gate(c.rule.during));
    value = "  " + replace_all(value, "\n", "\n  ");
    const std::string text = fmt::format(
        "(\n"
        "  (\n{0}\n  )\n"
        "  {1} $on group_left () (\n"
        "    progress_session_alert_threshold{{alert=\"{2}\"}}\n"
        "    or $on\n"
        "    progress_session_alerts_followed\n"
        "    * on (job, instance) group_left () progress_alert_threshold{{alert=\"{2}\"}}\n"
        "  )\n"
        ")\n"
        "* $on group_left ({3}) progress_session_info",
        "  " + replace_all(value, "\n", "\n  "), compare, c.rule.name, labels_);
    return replace_all(text, "$on", kOn);
  }

  void write(const Configured& c) {
    begin(alert::alert_name(c.rule), expression(c), duration(c.hold));
    if (c.keep > Duration::zero())
      lines_.add(4, fmt::format("keep_firing_for: {}", duration(c.keep)));
    std::string text = replace_all(c.rule.description, "{value}", value_text(c.rule.unit));
    text = replace_all(text, "{threshold}", threshold_text(c.rule, c.threshold));
    end(name_of(c.severity), c.rule.summary, text, c.rule.recommendation,
        alert::runbook_url(runbooks_, alert::alert_name(c.rule)));
  }

  void write(const Outside& rule) {
    const std::string expression = replace_all(rule.expression, "$on", kOn);
    begin(rule.name, replace_all(expression, "$labels)", labels_ + ")"), rule.hold);
    end(rule.severity, rule.summary, rule.description, rule.recommendation,
        alert::runbook_url(runbooks_, rule.name));
  }

  void begin(std::string_view name, std::string_view expression, std::string_view hold) {
    lines_.add(3, fmt::format("- alert: {}", name));
    lines_.add_text(4, "expr", expression);
    if (hold != "0s") lines_.add(4, fmt::format("for: {}", hold));
  }
  void end(std::string_view severity, std::string_view summary, std::string_view description,
           std::string_view recommendation, std::string_view runbook) {
    lines_.add(4, "labels:");
    lines_.add(5, fmt::format("severity: {}", severity));
    lines_.add(4, "annotations:");
    lines_.add(5, "summary: " + quoted(summary));
    lines_.add(5, "description: " + quoted(description));
    lines_.add(5, "recommendation: " + quoted(recommendation));
    lines_.add(5, "runbook_url: " + quoted(runbook));
  }

  alert::Policy policy_;
  progress::SessionSnapshot nobody_;  // a session that says nothing itself
  std::string runbooks_;              // what stands before an alert's name
  std::string labels_;                // that alerts carry besides the session
  Lines lines_;
};

constexpr std::string_view kHead =
    "# Written by `progress-agent docs rules{}`; do not edit. What each alert means: README.md "
    "here.\n";

}  // namespace

std::string prometheus_rules(const settings::Settings& settings) {
  return fmt::format(fmt::runtime(kHead), "") + Writer(settings, 0).write();
}

std::string prometheus_rule_object(const settings::Settings& settings) {
  return fmt::format(fmt::runtime(kHead), " --format=kubernetes") +
         "apiVersion: monitoring.coreos.com/v1\n"
         "kind: PrometheusRule\n"
         "metadata:\n"
         "  name: progress-agent\n"
         "  labels:\n"
         "    app.kubernetes.io/name: progress-agent\n"
         "spec:\n" +
         Writer(settings, 2).write();
}

}  // namespace agent::cli
