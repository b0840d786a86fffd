"""Agent health: do the agents run, do they hear everything, do they keep it, and what do they cost?"""

from grafana import Column, Dashboard, Query, Row, colored, named, number, pill, stat, steps, table, timeseries

from .vocabulary import AGENT, STATES, TARGET, alert_annotation, instance_variable, links_from, share, target_variables

CALM = steps(("green", None), ("red", 1))
KEY = "namespace, instance"
# With All chosen these would be those of every target: only agents have build information.
UP = "(up and on (job) last_over_time(progress_agent_build_info[$__range]))"
CPU = "(rate(process_cpu_seconds_total[$__rate_interval]) and on (job, instance) progress_agent_build_info)"
ALERT = 'progress_alert_active{session=""}'


def own(metric):
    return f"({metric} and on (job, instance) progress_agent_build_info)"


def summary():
    def sum_in_range(name):
        return f"sum(increase({name}[$__range]))"

    scrapes = sum_in_range("progress_agent_scrape_duration_seconds_count")

    return [
        stat("Agents reached", "Agents that Prometheus reaches, and those that it does not.",
             [Query(f"sum({UP})", "up"), Query(f"count({UP} == 0) or vector(0)", "down")], 3,
             overrides=[*colored({"up": "green"}), named("down", thresholds=steps(("#8e8e8e", None), ("red", 1)))]),
        stat("Alerts", "Alerts about agents that fire now; those about sessions are in the fleet overview.",
             [Query(f"count({ALERT}) or vector(0)")], 2, thresholds=CALM, mode="background"),
        stat("Events/s", "Events applied per second.",
             [Query("sum(rate(progress_agent_events_total[$__rate_interval]))")], 3, "short",
             sparkline=True, decimals=1),
        stat("Refused", "Events refused in the time range: they are lost unless their sender sends them again.",
             [Query(f"round({sum_in_range('progress_agent_events_rejected_total')})")], 3, "short", CALM, decimals=0),
        stat("Given up", "Events that their producers gave up, in the time range: gaps in sequence numbers.",
             [Query(f"round({sum_in_range('progress_agent_events_gap_total')})")], 3, "short", CALM, decimals=0),
        stat("Settings", "Agents whose last reload was refused: they run with the configuration before it.",
             [Query("count(progress_agent_config_last_reload_successful == 0) or vector(0)")], 3,
             thresholds=CALM, words={0: ("good", "green")}, mode="background"),
        stat("Disk", "Agents that cannot write to their database: they track on, and acknowledgements wait.",
             [Query("sum(progress_agent_storage_degraded)")], 2, thresholds=CALM, words={0: ("good", "green")},
             mode="background", empty="off"),
        stat("Told", "Agents whose last call to an Alertmanager or webhook failed.",
             [Query("sum(progress_agent_notifications_failing)")], 2, thresholds=CALM, words={0: ("good", "green")},
             mode="background", empty="off"),
        stat("Left out",
             "Label values, sessions and files that had no place on a page of metrics, on the mean of all pages.",
             [Query(share(sum_in_range("progress_agent_series_dropped_total"), scrapes))], 3, "short",
             steps(("green", None), ("orange", 0.001)), decimals=1),
    ]


def agents():
    rejected = "increase(progress_agent_events_rejected_total[$__range])"
    return table("Agents", "Every agent that Prometheus knows.", [
        Column("", f"group by ({KEY}, version, revision) (progress_agent_build_info)"),
        Column("Namespace", label="namespace", width=140), Column("Instance", label="instance"),
        Column("Version", label="version", width=90), Column("Revision", label="revision", width=130),
        Column("Reached", f"min by ({KEY}) {UP}", width=90,
               properties=pill({1: ("up", "green"), 0: ("down", "red")})),
        Column("Runs since", f"min by ({KEY}) {own('process_start_time_seconds')} * 1000", width=160,
               properties=number("dateTimeAsIso")),
        Column("Sessions", f"sum by ({KEY}) (progress_agent_sessions)", width=90),
        Column("Files", f"sum by ({KEY}) (progress_agent_files)", width=100, properties=number("short")),
        Column("Events/s", f"sum by ({KEY}) (rate(progress_agent_events_total[$__rate_interval]))", width=100,
               properties=number("short", 1)),
        Column("Refused", f"round(sum by ({KEY}) ({rejected}))", width=90, properties=number("short", 0, CALM)),
        Column("CPU", f"sum by ({KEY}) {CPU}", width=90,
               properties=number("percentunit", 1)),
        Column("Memory", f"sum by ({KEY}) {own('process_resident_memory_bytes')}", width=100, properties=number("bytes")),
        Column("Open files", share(*(f"sum by ({KEY}) {own(f'process_{which}_fds')}" for which in ("open", "max"))),
               width=100, properties=number("percentunit", 1, steps(("text", None), ("orange", 0.6), ("red", 0.8)))),
    ], 24, sort="Instance", empty="Prometheus scrapes no agent")


def intake():
    return [
        timeseries("Events by source", "Events applied per second, by the way they came.",
                   [Query("sum by (source) (rate(progress_agent_events_total[$__rate_interval])) > 0", "{{source}}")],
                   8, "short", stack=True, axis="per second", min=0),
        timeseries("Events by kind", "Events applied per second, by kind.",
                   [Query("sum by (event) (rate(progress_agent_events_total[$__rate_interval])) > 0", "{{event}}")],
                   8, "short", stack=True, axis="per second", min=0),
        timeseries("Refused by reason", "Events refused per second, by error code. The sender was told why.",
                   [Query("sum by (reason) (rate(progress_agent_events_rejected_total[$__rate_interval])) > 0",
                          "{{reason}}")], 8,
                   "short", bars=True, stack=True, axis="per second", min=0, noValue="none"),
        timeseries("Sent twice, late, or never",
                   "Events not applied because their producer sent them before, or because a newer one "
                   "of the file was there; and those that producers gave up.",
                   [Query(f"sum(rate(progress_agent_events_{kind}_total[$__rate_interval]))", name) for kind, name in
                    {"duplicate": "sent twice", "stale": "late", "gap": "given up"}.items()], 8, "short",
                   colored({"sent twice": "blue", "late": "orange", "given up": "red"}), axis="per second",
                   soft_max=1, min=0, span=True),
        timeseries("Connections", "Open connections on which events come in.",
                   [Query("sum by (source) (progress_agent_connections)", "{{source}}")], 8, "none", min=0,
                   decimals=0, soft_max=4),
        timeseries("Sessions by state", "Sessions in each state, those left out of /metrics included.",
                   [Query(f'sum(progress_agent_sessions{{state="{state}"}}) > 0',
                          state.replace("_", " ")) for state in STATES], 8, "none",
                   colored({state.replace("_", " "): color for state, (_, color) in STATES.items()}), stack=True,
                   min=0, decimals=0),
    ]


def outlets():
    buckets = "sum by (le) (rate(progress_agent_scrape_duration_seconds_bucket[$__rate_interval]))"
    return [
        timeseries("Scrapes", "Time to make a page of metrics: half, and 99 %.",
                   [Query(f"histogram_quantile({q}, {buckets})",
                          name) for q, name in ((0.5, "half"), (0.99, "99 %"))], 6, "s", min=0, span=True,
                   overrides=colored({"half": "green", "99 %": "orange"})),
        timeseries("Storage", "Commits that wait for the disk, and failed attempts per second.",
                   [Query("sum(progress_agent_storage_queue_length)", "waiting"),
                    Query("sum(rate(progress_agent_storage_errors_total[$__rate_interval]))", "errors/s")], 6,
                   "short", colored({"waiting": "blue", "errors/s": "red"}), min=0, noValue="storage is off"),
        timeseries("Notifications", "Notifications per minute, by target and outcome.",
                   [Query("sum by (target, outcome) (rate(progress_agent_notifications_total[$__rate_interval])) * 60",
                          "{{target}} {{outcome}}")], 6, "short", bars=True, stack=True, axis="per minute", min=0,
                   noValue="none were due"),
        timeseries("Live clients",
                   "Clients of the live feed, and messages per second that were dropped for slow ones.",
                   [Query("sum(progress_agent_live_clients)", "clients"),
                    Query("sum(rate(progress_agent_live_messages_dropped_total[$__rate_interval]))", "dropped/s")], 6,
                   "short", colored({"clients": "blue", "dropped/s": "red"}), min=0, noValue="no live feed"),
    ]


def cost():
    return [
        timeseries("CPU", "Cores that each agent uses.",
                   [Query(f"sum by (instance) {CPU}", "{{instance}}")], 8, "percentunit", min=0),
        timeseries("Memory", "Resident memory of each agent.",
                   [Query(f"sum by (instance) {own('process_resident_memory_bytes')}", "{{instance}}")], 8, "bytes", min=0),
        timeseries("Files tracked",
                   "Files in memory, by agent; with the memory beside it this is the cost of a file.",
                   [Query("sum by (instance) (progress_agent_files)", "{{instance}}")], 8, "short", min=0),
    ]


def dashboard():
    return Dashboard(
        AGENT, "Progress / Agent health",
                     "Do the agents run, do they hear everything, do they keep it, and what do they cost?",
        [*target_variables(), instance_variable()],
        {"progress_": TARGET, "process_": TARGET, "up": TARGET},
        [Row(4, summary()), Row(6, [agents()]), Row(8, intake(), "What comes in"), Row(8, outlets(), "What goes out"),
         Row(8, cost(), "What it costs")],
        [alert_annotation(ALERT)], links_from(AGENT), refresh="30s")
