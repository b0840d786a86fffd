#include "agent/metrics/families.h"

#include "agent/alert/alert.h"
#include "agent/metrics/series.h"

namespace agent::metrics {
namespace {

// The closed lists of label values that are not already names of the domain.
constexpr std::array<std::string_view, 4> kEndedOutcomes = {"completed", "failed", "skipped",
                                                            "cancelled"};
constexpr std::array<std::string_view, 2> kFileOutcomes = {"completed", "failed"};
constexpr std::array<std::string_view, 2> kCallOutcomes = {"success", "failure"};
constexpr std::array<std::string_view, 3> kDirections = {"in", "out", "unspecified"};

// The domain counts files per minute; Prometheus wants seconds.
std::optional<double> per_second(const std::optional<double>& per_minute) {
  constexpr double kSecondsPerMinute = 60;
  return per_minute ? std::optional(*per_minute / kSecondsPerMinute) : std::nullopt;
}

// `member` of the forecast, while there is one.
template <typename T>
Number forecast(const Shown& s, T progress::Forecast::*member) {
  return s.snapshot.eta ? Number((*s.snapshot.eta).*member) : Number(std::nullopt);
}

void write_info(const Shown& s, Series& out) {
  const progress::SessionIdentity& session = s.identity();
  Series::Line line = out.line();
  line.label("family", session.family)
      .label("name", session.name)
      .label("mode", progress::name_of(session.config.mode))
      .label("attempt", session.attempt);
  if (session.shard) line.label("shard", *session.shard);
  for (const std::string& wanted : s.session_labels) {
    const auto found =
        std::ranges::find(session.labels, wanted, &std::pair<std::string, std::string>::first);
    if (found != session.labels.end()) line.label(wanted, found->second);
  }
  line.value(1);
}

void write_methods(const Shown& s, Series& out) {
  if (s.snapshot.eta && s.identity().config.computes_efficiency())
    out.each(s.snapshot.eta->methods);
}

// From the start, so that `rate()` sees the first file; absent in modes that do not compute it.
void write_file_seconds(const Shown& s, Series& out) {
  if (!s.identity().config.computes_rates()) return;
  for (std::size_t i = 0; i < kFileOutcomes.size(); ++i) out.add(i, s.snapshot.file_seconds[i]);
}

// A histogram of what a job may never report appears with the first value.
void write_when_any(std::string_view value, const progress::Histogram& histogram, Series& out) {
  if (histogram.count() > 0) out.add(value, histogram);
}

void write_stage_seconds(const Shown& s, Series& out) {
  if (!s.identity().config.computes_rates()) return;
  for (const auto& stage : s.stages) write_when_any(stage.stage, stage.seconds, out);
}

void write_call_seconds(const Shown& s, Series& out) {
  if (!s.identity().config.computes_rates()) return;
  for (const auto& p : s.providers) write_when_any(p.provider, p.call_seconds, out);
}

void write_file_bytes(const Shown& s, Series& out) {
  if (s.identity().config.computes_rates() && s.snapshot.file_bytes.count() > 0)
    out.add(s.snapshot.file_bytes);
}

// The firing ones of a session, or of the agent itself.
void write_active_alerts(const alert::Standing* standing, Series& out) {
  if (standing == nullptr) return;
  for (const alert::Alert& alert : standing->current) {
    if (!alert.firing()) continue;
    out.line().label("alert", alert.name()).label("severity", name_of(alert.severity)).value(1);
  }
}

void write_fired_alerts(const alert::Standing* standing, Series& out) {
  if (standing == nullptr) return;
  for (const alert::Fired& fired : standing->fired) {
    out.line()
        .label("alert", alert::rules()[fired.rule].name)
        .label("severity", name_of(fired.severity))
        .value(static_cast<double>(fired.times));
  }
}

void write_threshold(std::size_t rule, double threshold, Series& out) {
  out.add(alert::rules()[rule].name, threshold * alert::rules()[rule].to_base);
}

void write_default_thresholds(const Everything& e, Series& out) {
  if (e.own_alerts == nullptr) return;
  const auto& findings = e.own_alerts->findings;
  for (std::size_t rule = 0; rule < findings.size(); ++rule) {
    if (findings[rule].threshold) write_threshold(rule, *findings[rule].threshold, out);
  }
}

void write_own_thresholds(const Shown& s, Series& out) {
  if (!s.snapshot.alerts || !s.snapshot.alerts->has_own_thresholds) return;
  const auto& findings = s.snapshot.alerts->findings;
  for (std::size_t rule = 0; rule < findings.size(); ++rule) {
    if (findings[rule].is_own) write_threshold(rule, *findings[rule].threshold, out);
  }
}

void write_quota_shortfalls(const Shown& s, Series& out) {
  if (s.snapshot.end_time) return;
  for (const auto& p : s.providers) {
    if (const auto ahead = p.quota.exhaustion_ahead(s.snapshot.metrics.current_time))
      out.add(p.provider, seconds(*p.quota.reset_at() - ahead->exhausted_at));
  }
}

// What is spent is spent, whatever is forecast.
void write_least_cost(const Shown& s, Series& out) {
  if (!s.snapshot.cost_budget) return;
  const progress::Metrics& m = s.snapshot.metrics;
  const double least = m.cost_forecast ? m.cost_forecast->low : 0;
  out.add(s.identity().currency, std::max(m.estimated_cost, least));
}

void write_eta_errors(const Everything& everything, Series& out) {
  for (const EtaErrorSeries& series : everything.eta_errors) {
    out.add(series.family, static_cast<std::size_t>(series.method), series.errors);
  }
}

// clang-format off
constexpr Family kFamilies[] = {
    {.name = "progress_session_info",
     .labels = {"family", "name", "mode", "attempt", "shard"},
     .help = "Always 1: who the session is, to join with; also carries the labels in "
             "metrics.session_labels.",
     .of_session = write_info},
    {.name = "progress_session_state",
     .labels = {"state"}, .values = progress::kSessionStateNames,
     .help = "Always 1: what the session is doing now; only that state is present.",
     .of_session = [](const Shown& s, Series& out) {
       out.add(static_cast<std::size_t>(s.snapshot.state), 1);
     }},
    {.name = "progress_session_files",
     .labels = {"state"}, .values = progress::kFileStatusNames,
     .help = "Files now in each state; they add up to the expected files.",
     .of_session = [](const Shown& s, Series& out) { out.each(s.snapshot.metrics.files); }},
    {.name = "progress_session_files_ended_total", .type = Type::kCounter,
     .labels = {"outcome"}, .values = kEndedOutcomes,
     .help = "Times a file entered a final state; a later retry takes nothing back.",
     .of_session = [](const Shown& s, Series& out) { out.each(s.snapshot.counters.files_ended); }},
    {.name = "progress_session_expected_files",
     .help = "Files announced or seen, whichever is more.",
     .of_session = [](const Shown& s, Series& out) { out.add(s.snapshot.metrics.total_files); }},
    {.name = "progress_session_progress_ratio", .unit = "ratio",
     .help = "Share of the work that is done, 0 to 1.",
     .of_session = [](const Shown& s, Series& out) {
       out.add(s.snapshot.metrics.progress_percentage / 100);
     }},

    {.name = "progress_session_start_timestamp_seconds", .unit = "seconds",
     .help = "When the present attempt started, in Unix time.",
     .of_session = [](const Shown& s, Series& out) { out.add(s.snapshot.metrics.start_time); }},
    {.name = "progress_session_last_event_timestamp_seconds", .unit = "seconds",
     .help = "The latest time that an event of the session carried, in Unix time.",
     .of_session = [](const Shown& s, Series& out) { out.add(s.snapshot.last_event_time); }},
    {.name = "progress_session_end_timestamp_seconds", .unit = "seconds",
     .help = "When the session ended, in Unix time; absent while it runs.",
     .of_session = [](const Shown& s, Series& out) { out.add(s.snapshot.end_time); }},
    {.name = "progress_session_deadline_timestamp_seconds", .unit = "seconds",
     .help = "When the session should be done, in Unix time; only with a deadline.",
     .of_session = [](const Shown& s, Series& out) { out.add(s.snapshot.deadline); }},

    {.name = "progress_session_eta_seconds", .unit = "seconds",
     .help = "Remaining time, by the method chosen; absent while unknown.",
     .of_session = [](const Shown& s, Series& out) {
       out.add(forecast(s, &progress::Forecast::remaining));
     }},
    {.name = "progress_session_eta_lower_seconds", .unit = "seconds",
     .help = "Lower end of the 80 % interval of the remaining time.",
     .of_session = [](const Shown& s, Series& out) {
       out.add(forecast(s, &progress::Forecast::low));
     }},
    {.name = "progress_session_eta_upper_seconds", .unit = "seconds",
     .help = "Upper end of the 80 % interval of the remaining time.",
     .of_session = [](const Shown& s, Series& out) {
       out.add(forecast(s, &progress::Forecast::high));
     }},
    {.name = "progress_session_eta_confidence_ratio", .unit = "ratio",
     .help = "Probability that the true remaining time is within 20 % of the prediction.",
     .of_session = [](const Shown& s, Series& out) {
       out.add(forecast(s, &progress::Forecast::confidence));
     }},
    {.name = "progress_session_eta_method_seconds", .unit = "seconds",
     .labels = {"method"}, .values = progress::kEtaMethodNames,
     .help = "Remaining time as each method says; modes enhanced and up.",
     .of_session = write_methods},
    {.name = "progress_session_estimated_completion_timestamp_seconds", .unit = "seconds",
     .help = "When the session will probably be done, in Unix time.",
     .of_session = [](const Shown& s, Series& out) {
       out.add(forecast(s, &progress::Forecast::completion));
     }},
    {.name = "progress_session_deadline_miss_probability_ratio", .unit = "ratio",
     .help = "Probability that the session misses its deadline; only with a deadline.",
     .of_session = [](const Shown& s, Series& out) {
       out.add(forecast(s, &progress::Forecast::deadline_risk));
     }},

    {.name = "progress_session_eta_deviation_ratio", .unit = "ratio",
     .help = "By how much of the total predicted at 10 % of progress the predicted end has moved "
             "since, at least: from one 80 % interval to the other.",
     .of_session = [](const Shown& s, Series& out) {
       const auto& percent = s.snapshot.eta_deviation_percent;
       out.add(percent ? std::optional(*percent / 100) : std::nullopt);
     }},

    {.name = "progress_session_throughput_files_per_second", .unit = "files_per_second",
     .help = "Files completed per second over the throughput window.",
     .of_session = [](const Shown& s, Series& out) {
       out.add(per_second(s.snapshot.metrics.current_throughput));
     }},
    {.name = "progress_session_throughput_peak_files_per_second", .unit = "files_per_second",
     .help = "The most files completed per second over a full throughput window.",
     .of_session = [](const Shown& s, Series& out) {
       out.add(per_second(s.snapshot.metrics.peak_throughput));
     }},
    {.name = "progress_session_throughput_bytes_per_second", .unit = "bytes_per_second",
     .help = "Bytes done per second over the throughput window.",
     .of_session = [](const Shown& s, Series& out) {
       out.add(s.snapshot.metrics.bytes_per_second);
     }},

    {.name = "progress_session_bytes_total", .type = Type::kCounter, .unit = "bytes",
     .help = "Bytes of files done.",
     .of_session = [](const Shown& s, Series& out) { out.add(s.snapshot.counters.bytes); }},
    {.name = "progress_session_tokens_total", .type = Type::kCounter,
     .labels = {"direction"}, .values = kDirections,
     .help = "Tokens used.",
     .of_session = [](const Shown& s, Series& out) {
       const progress::Counters& counters = s.snapshot.counters;
       out.each(std::array{counters.tokens_in, counters.tokens_out, counters.tokens_unspecified});
     }},
    {.name = "progress_session_cost_total", .type = Type::kCounter,
     .labels = {"currency"},
     .help = "Money spent.",
     .of_session = [](const Shown& s, Series& out) {
       out.add(s.identity().currency, s.snapshot.counters.cost);
     }},
    {.name = "progress_session_cost_forecast_lower",
     .labels = {"currency"},
     .help = "What the session will have cost at its end, at least: the lower end of an 80 % "
             "interval; only with a budget.",
     .of_session = write_least_cost},
    {.name = "progress_session_retries_total", .type = Type::kCounter,
     .help = "Retries of failed files.",
     .of_session = [](const Shown& s, Series& out) { out.add(s.snapshot.counters.retries); }},

    {.name = "progress_session_api_calls_total", .type = Type::kCounter,
     .labels = {"provider", "outcome"}, .values = kCallOutcomes,
     .help = "Calls of an API.",
     .of_session = [](const Shown& s, Series& out) {
       for (const auto& p : s.providers) {
         out.each(p.provider, std::array{p.calls_ok, p.calls_failed});
       }
     }},
    {.name = "progress_session_rate_limit_hits_total", .type = Type::kCounter,
     .labels = {"provider"},
     .help = "Times an API's rate limit was hit.",
     .of_session = [](const Shown& s, Series& out) {
       for (const auto& p : s.providers) out.add(p.provider, p.rate_limit_hits);
     }},
    {.name = "progress_session_rate_limit_delay_seconds_total", .type = Type::kCounter,
     .unit = "seconds",
     .labels = {"provider"},
     .help = "Time spent waiting because of an API's rate limit.",
     .of_session = [](const Shown& s, Series& out) {
       for (const auto& p : s.providers) out.add(p.provider, p.rate_limit_delay);
     }},
    {.name = "progress_session_rate_limit_remaining_ratio", .unit = "ratio",
     .labels = {"provider"},
     .help = "Share of an API's quota that remained when it was last announced; only when events "
             "say so.",
     .of_session = [](const Shown& s, Series& out) {
       for (const auto& p : s.providers) out.add(p.provider, p.quota.remaining_ratio());
     }},

    {.name = "progress_session_rate_limited_ratio", .unit = "ratio",
     .help = "Share of the working time in the throughput window that was lost to rate limits.",
     .of_session = [](const Shown& s, Series& out) {
       out.add(s.snapshot.metrics.rate_limited_share);
     }},
    {.name = "progress_session_quota_shortfall_seconds", .unit = "seconds",
     .labels = {"provider"},
     .help = "How long before its reset an API's quota ends at the present burn; absent while it "
             "lasts.",
     .of_session = write_quota_shortfalls},

    {.name = "progress_session_quality_score_ratio", .unit = "ratio",
     .help = "Quality score, 0 to 1: reported quality, errors, API success and retries, weighted.",
     .of_session = [](const Shown& s, Series& out) { out.add(s.snapshot.metrics.quality_score); }},
    {.name = "progress_session_error_ratio", .unit = "ratio",
     .help = "Failed files out of those finished; absent while nothing finished.",
     .of_session = [](const Shown& s, Series& out) { out.add(s.snapshot.metrics.error_rate); }},
    {.name = "progress_session_api_efficiency_ratio", .unit = "ratio",
     .help = "Share of successful API calls, less the share of time lost to rate limits.",
     .of_session = [](const Shown& s, Series& out) { out.add(s.snapshot.metrics.api_efficiency); }},
    {.name = "progress_session_memory_bytes", .unit = "bytes",
     .help = "Memory that the workload says it uses.",
     .of_session = [](const Shown& s, Series& out) { out.add(s.snapshot.resources.memory_bytes); }},
    {.name = "progress_session_memory_limit_bytes", .unit = "bytes",
     .help = "Memory that the workload says it may use.",
     .of_session = [](const Shown& s, Series& out) {
       out.add(s.snapshot.resources.memory_limit_bytes);
     }},
    {.name = "progress_session_cpu_cores", .unit = "cores",
     .help = "CPU that the workload says it uses.",
     .of_session = [](const Shown& s, Series& out) { out.add(s.snapshot.resources.cpu_cores); }},
    {.name = "progress_session_cpu_limit_cores", .unit = "cores",
     .help = "CPU that the workload may use.",
     .of_session = [](const Shown& s, Series& out) {
       out.add(s.snapshot.resources.cpu_limit_cores);
     }},
    {.name = "progress_session_network_recent_errors",
     .help = "Network errors that the workload reported within the throughput window.",
     .of_session = [](const Shown& s, Series& out) {
       out.add(s.snapshot.resources.network_errors_in_window);
     }},

    {.name = "progress_alert_threshold",
     .labels = {"alert"},
     .help = "Threshold of an alert, in the unit of the metric it is held against, for whatever "
             "brings none itself; absent where the alert is off.",
     .of_page = write_default_thresholds},
    {.name = "progress_session_alert_threshold",
     .labels = {"alert"},
     .help = "Threshold of an alert that the session brings itself, in place of "
             "progress_alert_threshold.",
     .of_session = write_own_thresholds},
    {.name = "progress_session_alerts_followed",
     .help = "Always 1: the session's alerts are on.",
     .of_session = [](const Shown& s, Series& out) {
       if (s.snapshot.alerts) out.add(1);
     }},
    {.name = "progress_alert_active",
     .labels = {"alert", "severity"}, .values = alert::kSeverityNames,
     .help = "Always 1: an alert that fires now, as the agent itself sees it. Without a session: "
             "about the agent.",
     .of_session = [](const Shown& s, Series& out) {
       write_active_alerts(s.snapshot.alerts.get(), out);
     },
     .of_page = [](const Everything& e, Series& out) { write_active_alerts(e.own_alerts, out); }},
    {.name = "progress_alerts_fired_total", .type = Type::kCounter,
     .labels = {"alert", "severity"}, .values = alert::kSeverityNames,
     .help = "Times an alert began to fire.",
     .of_session = [](const Shown& s, Series& out) {
       write_fired_alerts(s.snapshot.alerts.get(), out);
     },
     .of_page = [](const Everything& e, Series& out) { write_fired_alerts(e.own_alerts, out); }},

    {.name = "progress_file_oldest_in_flight_seconds", .unit = "seconds",
     .help = "Age of the oldest file being processed; absent while there is none.",
     .of_session = [](const Shown& s, Series& out) { out.add(s.snapshot.oldest_in_flight); }},
    {.name = "progress_file_duration_seconds", .type = Type::kHistogram, .unit = "seconds",
     .labels = {"outcome"}, .values = kFileOutcomes,
     .help = "Time from the start of a file's processing to its final state.",
     .of_session = write_file_seconds},
    {.name = "progress_stage_duration_seconds", .type = Type::kHistogram, .unit = "seconds",
     .labels = {"processing_stage"},
     .help = "Time that files spent in a stage.",
     .of_session = write_stage_seconds},
    {.name = "progress_api_call_duration_seconds", .type = Type::kHistogram, .unit = "seconds",
     .labels = {"provider"},
     .help = "Duration of API calls; only when events say so.",
     .of_session = write_call_seconds},
    {.name = "progress_file_size_bytes", .type = Type::kHistogram, .unit = "bytes",
     .help = "Sizes of files; only when events say so.",
     .of_session = write_file_bytes},
    {.name = "progress_file_progress_ratio", .unit = "ratio",
     .labels = {"file", "processing_stage"},
     .help = "Progress of the slowest files being processed, 0 to 1; only with metrics.per_file: "
             "active.",
     .of_session = [](const Shown& s, Series& out) {
       for (const auto& f : s.files) {
         out.line().label("file", f.file).label("processing_stage", f.stage).value(f.ratio);
       }
     }},

    {.name = "progress_eta_error_ratio", .type = Type::kHistogram, .unit = "ratio",
     .labels = {"family", "method"}, .values = progress::kEtaMethodNames,
     .help = "How far predictions were off, as a share of the true total; filled in when a "
             "session ends.",
     .of_page = write_eta_errors},
};
// clang-format on

}  // namespace

std::span<const Family> families() { return kFamilies; }

}  // namespace agent::metrics
