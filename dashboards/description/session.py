"""One session: how far, until when and how sure, how fast, where the time goes, what fails, what it costs."""

from grafana import (Column, Dashboard, Query, Row, annotation, bargauge, colored, fixed, gauge, heatmap, linked,
                     named, number, pill, stat, state_timeline, steps, table, timeseries)

from .vocabulary import (FAMILIES, FILE_STATES, SESSION, SEVERITY_WORDS, STATES, TARGET, WORDS, alert_annotation,
                         by_currency, family_url, family_variable,
                         instance_variable, links_from, progress, session_variable, severity_number, share,
                         state_number, target_variables)

METHODS = {"linear": "green", "exponential": "purple", "adaptive": "blue", "ml_based": "orange"}
ETA, BEST, WORST = (f"max(progress_session_eta{bound}_seconds)" for bound in ("", "_lower", "_upper"))
STARTED = "progress_session_start_timestamp_seconds"
ENDED = "progress_session_end_timestamp_seconds"
FINISHED = 'progress_session_files_ended_total{outcome=~"completed|failed"}'
FAILED = 'progress_session_files_ended_total{outcome="failed"}'
DASHED = {"fill": "dash", "dash": [8, 6]}


def band(low, high, middle):
    """The interval as a shaded band without lines, and the expected value as a line through it."""
    edge = {"custom__lineWidth": 0, "color": fixed("blue"),
            "custom__hideFrom": {"legend": True, "tooltip": False, "viz": False}}
    return [named(low, **edge), named(high, **edge, custom__fillBelowTo=low, custom__fillOpacity=22),
            named(middle, color=fixed("blue"), custom__lineWidth=2)]


def summary():
    done = 'sum(progress_session_files{state=~"completed|skipped"})'
    return [
        stat("State", "What the session is doing now, or how it ended.", [Query(state_number("session", STATES))], 3,
             words=WORDS, mode="background", text="value", empty="not seen now"),
        gauge("Progress", "Share of the work that is done: bytes if all files have them, else units, else files.",
              [Query(progress())], 3, "percentunit", steps(("blue", None), ("green", 1)), min=0, max=1, decimals=1),
        stat("Time left",
             "Until the session ends: expected, and the 80 % interval from best to worst. Nothing once it has ended.",
             [Query(BEST, "at best"), Query(ETA, "expected"), Query(WORST, "at worst")], 7, "dthms", empty="–",
             overrides=[named("expected", color=fixed("blue"))], color=fixed("#8e8e8e")),
        stat("Done at", "When it will probably end, or when it did.",
             [Query(f"max({ENDED} or progress_session_estimated_completion_timestamp_seconds) * 1000")], 3,
             "dateTimeAsIsoNoDateIfToday", empty="–"),
        stat("Sure", "The calibrated probability that the true remaining time is within 20 % of the expected one.",
             [Query("min(progress_session_eta_confidence_ratio)")], 2, "percentunit",
             steps(("orange", None), ("yellow", 0.5), ("green", 0.75)), decimals=0, empty="–"),
        stat("Files", "Done (completed or skipped), failed, and expected.",
             [Query(done, "done"), Query('sum(progress_session_files{state="failed"})', "failed"),
              Query("sum(progress_session_expected_files)", "of")], 3, "none",
             overrides=[*colored({"done": "green", "of": "#8e8e8e"}),
                        named("failed", thresholds=steps(("#8e8e8e", None), ("red", 1)))]),
        stat("Cost so far", "Money spent so far, over all attempts.",
             [Query(by_currency("progress_session_cost_total"), "{{currency}}")], 3, decimals=2,
             text="value_and_name", empty="–"),
    ]


def about():
    key = "session"
    ago = f"time() - max by ({key}) (progress_session_last_event_timestamp_seconds)"
    return table("About", "Who this session is. The family leads to its other runs.", [
        Column("", f"group by ({key}, name, family, attempt, mode, namespace) (progress_session_info)"),
        Column("Name", label="name"),
        Column("Family", label="family", width=170, properties=linked(
            "All runs of ${__value.raw}", family_url(FAMILIES))),
        Column("Attempt", label="attempt", width=80), Column("Mode", label="mode", width=130),
        Column("State", state_number(key, STATES), width=110, properties=pill(WORDS)),
        Column("Started", f"min by ({key}) ({STARTED}) * 1000", width=160, properties=number("dateTimeAsIso")),
        Column("Last event", f"({ago}) and on ({key}) (progress_session_info)", width=120,
               properties=number("dthms")),
        Column("Oldest file in flight", f"max by ({key}) (progress_file_oldest_in_flight_seconds)", width=170,
               properties=number("dthms", None, steps(("text", None), ("orange", 900)))),
        Column("Retries", f"sum by ({key}) (increase(progress_session_retries_total[$__range]))", width=80,
               properties=number("none", 0)),
        *(Column("", label=label) for label in ("session", "namespace")),
        Column("Alerts", f"count by ({key}) (progress_alert_active)", width=70,
               properties=number("none", 0, steps(("red", None)))),
    ], 24, empty="no agent shows this session now")


def course():
    return [
        state_timeline("State over time", "What the session was doing, and how it ended.",
                       [Query(state_number("session", STATES), "{{session}}")], 12, WORDS),
        state_timeline("Alerts", "Which alerts fired, and for how long.",
                       [Query(severity_number("alert"), "{{alert}}")], 12, SEVERITY_WORDS, noValue="no alert fired"),
    ]


def forecast():
    elapsed = f"max(({ENDED} or timestamp({STARTED})) - {STARTED})"

    def whole(bound):
        eta = f"progress_session_eta{bound}_seconds"
        return f"max(timestamp({eta}) + {eta} - {STARTED})"

    return [
        timeseries("Progress over time",
                   "Share of the work that is done. It falls only when work is added or a file is reopened.",
                   [Query(progress(), "progress")], 8, "percentunit", fill=25, min=0, max=1, legend=False,
                   color=fixed("blue")),
        timeseries("Forecast",
                   "The remaining time as it was forecast at each moment, with the 80 % interval as a band, and "
                   "the time to the deadline where there is one.",
                   [Query(WORST, "at worst"), Query(BEST, "at best"), Query(ETA, "expected"),
                    Query(f"max(progress_session_deadline_timestamp_seconds - timestamp({STARTED}))", "deadline")], 8,
                   "dthms",
                   [*band("at best", "at worst", "expected"),
                    named("deadline", color=fixed("red"), custom__lineStyle=DASHED)], min=0),
        timeseries("Will it hold?",
                   "The whole duration as it was forecast at each moment: time passed plus time left. A flat line "
                   "is a forecast that held; the session ends where both lines meet.",
                   [Query(whole("_upper"), "at worst"), Query(whole("_lower"), "at best"),
                    Query(whole(""), "expected"),
                    Query(elapsed, "passed"),
                    Query(f"max(progress_session_deadline_timestamp_seconds - {STARTED})", "deadline")], 8, "dthms",
                   [*band("at best", "at worst", "expected"), named("passed", color=fixed("green")),
                    named("deadline", color=fixed("red"), custom__lineStyle=DASHED)],
                   min=0),
    ]


def work():
    return [
        timeseries("Files by state", "Each file is in exactly one state; together they are the files expected.",
                   [Query(f'sum(progress_session_files{{state="{state}"}}) > 0', state) for state in FILE_STATES], 8,
                   "none", colored(FILE_STATES), stack=True, min=0),
        timeseries("Throughput", "Files completed per minute over the throughput window, and the most so far.",
                   [Query("sum(progress_session_throughput_files_per_second) * 60", "now"),
                    Query("sum(progress_session_throughput_peak_files_per_second) * 60", "peak")], 8, "short",
                   [named("now", color=fixed("blue"), custom__fillOpacity=20),
                    named("peak", color=fixed("#8e8e8e"), custom__lineWidth=1,
                          custom__lineStyle=DASHED)],
                   axis="files per minute", min=0),
        timeseries("Data", "Bytes done per second over the throughput window.",
                   [Query("sum(progress_session_throughput_bytes_per_second)", "bytes")], 8, "Bps", fill=20, min=0,
                   legend=False, color=fixed("blue")),
    ]


def methods():
    return [
        timeseries("Methods compared",
                   "The remaining time as each method says; the area is the one that was chosen. Where they "
                   "part, the forecast is uncertain.",
                   [Query(ETA, "chosen"), *(Query(f'max(progress_session_eta_method_seconds{{method="{method}"}})',
                                                  method)
                                            for method in METHODS)], 12, "dthms",
                   [*(named(method, color=fixed(color), custom__lineWidth=1) for method, color in METHODS.items()),
                    named("chosen", color=fixed("#8e8e8e"), custom__lineWidth=0, custom__fillOpacity=25)], min=0),
        timeseries("How sure",
                   "The probability that the forecast is within 20 % of the truth, and that of missing the deadline "
                   "where there is one.",
                   [Query("min(progress_session_eta_confidence_ratio)", "forecast within 20 %"),
                    Query("max(progress_session_deadline_miss_probability_ratio)", "deadline missed")], 12,
                   "percentunit", colored({"forecast within 20 %": "green", "deadline missed": "red"}), min=0, max=1),
    ]


def durations():
    buckets = "sum by (le) (increase(progress_file_duration_seconds_bucket[$__rate_interval]))"

    def quantile(q):
        return f"histogram_quantile({q}, sum by (le) (rate(progress_file_duration_seconds_bucket[$__rate_interval])))"

    return [
        heatmap("File durations", "How many files took how long, from the start of processing to the end.",
                Query(buckets), 8, "s"),
        timeseries("Slow files",
                   "Duration of half and of 95 % of the files that ended, and the age of the oldest that has not.",
                   [Query(quantile(0.5), "half"), Query(quantile(0.95), "95 %"),
                    Query("max(progress_file_oldest_in_flight_seconds)", "oldest in flight")], 8, "s",
                   colored({"half": "green", "95 %": "orange", "oldest in flight": "red"}), min=0, span=True),
        timeseries("Where the time goes",
                   "Files at work at the same time, by stage. The thickest band is the bottleneck.",
                   [Query("sum by (processing_stage) (rate(progress_stage_duration_seconds_sum[$__rate_interval]))",
                          "{{processing_stage}}")], 8, "short", stack=True, axis="files at work", min=0,
                   noValue="no stages are reported"),
        bargauge("Stages", "Mean time that a file spends in each stage, in the time range.",
                 [Query(share("sum by (processing_stage) (increase(progress_stage_duration_seconds_sum[$__range]))",
                              "sum by (processing_stage) (increase(progress_stage_duration_seconds_count[$__range]))"),
                        "{{processing_stage}}")], 8, "s", min=0, noValue="no stages are reported"),
        heatmap("File sizes", "How many files were how large.",
                Query("sum by (le) (increase(progress_file_size_bytes_bucket[$__rate_interval]))"), 8, "bytes",
                "Purples"),
        timeseries("Failures", "Files that failed and files that are tried again, per minute.",
                   [Query(f"sum(rate({FAILED}[$__rate_interval])) * 60", "failed"),
                    Query("sum(rate(progress_session_retries_total[$__rate_interval])) * 60", "tried again")], 8,
                   "short",
                   colored({"failed": "red", "tried again": "orange"}), bars=True, axis="files per minute", min=0),
    ]


def calls():
    def called(outcome):
        calls_of = f'progress_session_api_calls_total{{outcome="{outcome}"}}'
        return f"sum by (provider) (rate({calls_of}[$__rate_interval]))"

    return [
        timeseries("API calls", "Calls per second, by provider and outcome.",
                   [Query(called("success"),
                          "{{provider}}"),
                    Query(called("failure"),
                          "{{provider}} failed")], 6, "reqps", [named("", color=fixed("blue")), {
                              "matcher": {"id": "byRegexp", "options": ".* failed"},
                              "properties": [{"id": "color", "value": fixed("red")}]}], stack=True, min=0,
                   noValue="no API is called"),
        timeseries("API latency", "Duration of half and of 95 % of the calls, by provider.",
                   [Query(f"histogram_quantile({q}, sum by (le, provider) "
                          "(rate(progress_api_call_duration_seconds_bucket[$__rate_interval])))",
                          f"{{{{provider}}}} {name}")
                    for q, name in ((0.5, "half"), (0.95, "95 %"))], 6, "s", min=0, span=True,
                   noValue="no API is called"),
        timeseries("Waiting for rate limits",
                   "Seconds per second that workers spend waiting; the number of workers is the most.",
                   [Query("sum by (provider) (rate(progress_session_rate_limit_delay_seconds_total[$__rate_interval]))",
                          "{{provider}}")], 6, "short", fill=30, axis="workers waiting", min=0, soft_max=1,
                   color=fixed("orange"),
                   noValue="no rate limit was hit"),
        timeseries("Quota left", "Share of the provider's quota that remained when it was last announced.",
                   [Query("min by (provider) (progress_session_rate_limit_remaining_ratio)", "{{provider}}")], 6,
                   "percentunit", fill=20, min=0, max=1, noValue="no quota was announced"),
    ]


def worth():
    def threshold(alert):
        return (f'min(progress_session_alert_threshold{{alert="{alert}"}})'
                f' or min(progress_alert_threshold{{alert="{alert}"}})')

    return [
        timeseries("Quality",
                   "The quality score (reported quality, errors, API success, retries), the share of failed files, and API "
                   "efficiency (successful calls, less time lost to rate limits); dashed, where their alerts begin.",
                   [Query("min(progress_session_quality_score_ratio)", "quality"),
                    Query("max(progress_session_error_ratio)", "errors"),
                    Query("min(progress_session_api_efficiency_ratio)", "API efficiency"),
                    Query(threshold("QualityDegradation"), "too low"), Query(threshold("HighErrorRate"), "too many")],
                   8, "percentunit",
                   [*colored({"quality": "green", "errors": "red", "API efficiency": "blue"}),
                    named("too low", color=fixed("green"), custom__lineWidth=1, custom__lineStyle=DASHED),
                    named("too many", color=fixed("red"), custom__lineWidth=1, custom__lineStyle=DASHED)], min=0, max=1),
        timeseries("Cost over time", "Money spent so far.",
                   [Query(by_currency("progress_session_cost_total"), "{{currency}}")], 8,
                   "short", fill=25, decimals=2, min=0, color=fixed("green"), noValue="nothing is spent"),
        timeseries("Tokens", "Tokens per minute, by direction.",
                   [Query("sum by (direction) (rate(progress_session_tokens_total[$__rate_interval])) * 60 > 0",
                          "{{direction}}")],
                   8, "short", stack=True, axis="per minute", min=0, noValue="no tokens are used"),
    ]


def workload():
    return [
        timeseries("Memory", "Memory that the job says it uses, and its limit.",
                   [Query("sum(progress_session_memory_bytes)", "used"),
                    Query("sum(progress_session_memory_limit_bytes)", "limit")],
                   8, "bytes", [named("used", color=fixed("blue"), custom__fillOpacity=20),
                                named("limit", color=fixed("red"))], min=0,
                   noValue="the job does not report it"),
        timeseries("CPU", "Cores that the job says it uses.", [Query("sum(progress_session_cpu_cores)", "cores")], 8,
                   "short", fill=20, min=0, legend=False, color=fixed("blue"), noValue="the job does not report it"),
        bargauge("Slowest files in flight", "Progress of single files; only with metrics.per_file: active.",
                 [Query("min by (file) (progress_file_progress_ratio)", "{{file}}")], 8, "percentunit", min=0, max=1,
                 noValue="set metrics.per_file: active"),
    ]


def dashboard():
    session = f'{TARGET}, session="$session"'
    marks = [alert_annotation(),
             annotation("Started", f"{STARTED} * 1000", "green", "Started", "{{session}}", at_value=True),
             annotation("Ended", f"{ENDED} * 1000", "blue", "Ended", "{{session}}", at_value=True)]
    return Dashboard(
        SESSION, "Progress / Session",
                     "One session: how far, until when and how sure, where the time goes, what fails, what it costs.",
        [*target_variables(), family_variable(), session_variable(several=False), instance_variable()],
        {"progress_": session, "progress_alert_threshold": TARGET},
        [Row(4, summary()), Row(4, [about()]), Row(9, forecast()), Row(5, course()), Row(8, work(), "Work"),
         Row(8, methods(), "How good the forecast is"), Row(8, durations(), "Durations and failures"),
         Row(8, calls(), "APIs and rate limits"), Row(8, worth(), "Quality and cost"),
         Row(8, workload(), "Workload and single files", collapsed=True)],
        marks, links_from(SESSION))
