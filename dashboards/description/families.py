"""Families over time: runs of the same job compared. Is it slower than it was, do its forecasts hold, what does it
cost?

A run is known by what its agent showed last. The agent may have left with its Pod seconds after the end, so nothing
here asks what is shown now: each value is the last one in a window, either the time range or one step of a chart.
"""

from grafana import Column, Dashboard, Query, Row, bar, heatmap, linked, number, steps, table, timeseries

from .vocabulary import (ACTIVE, FAMILIES, FLEET, TARGET, family_url, family_variable, instance_variable, links_from,
                         target_variables)

RUN = "family, namespace, session"
STEP = "[$__rate_interval]"
RANGE = "[$__range]"
WHOLE = "[$__range] @ end()"  # in charts: the whole time range, whatever the step
SLOWER = steps(("green", None), ("text", -0.1), ("orange", 0.2), ("red", 0.5))
WRONG = steps(("text", None), ("orange", 0.02), ("red", 0.1))
OFF = steps(("green", None), ("orange", 0.2), ("red", 0.4))
BUCKETS = "progress_eta_error_ratio_bucket"


def last(series, window):
    return f"last_over_time({series}{window})"


def of_family(expr, window):
    """The expression with its session's family; of attempts that name different ones, one."""
    key = "job, instance, session"
    family = f"topk by ({key}) (1, max by ({key}, family) ({last('progress_session_info', window)}))"
    return f"max by ({RUN}) (({expr}) * on ({key}) group_left (family) {family})"


def ends(window):
    return last("progress_session_end_timestamp_seconds", window)


def ended(expr, window):
    """Only runs that ended in the window: an agent goes on to show an ended one for a while."""
    before = f" unless {ends(f'{STEP} offset $__rate_interval')}" if window == STEP else ""
    return f"{expr} and on (job, instance, session) ({ends(window)}{before})"


def took(window):
    """Duration of each run that completed: one that broke off says nothing of how long the job takes. A run that goes
    on after its last end began again after it."""
    length = f"{ends(window)} - {last('progress_session_start_timestamp_seconds', window)} > 0"
    completed = last('progress_session_state{state="completed"}', window)
    return of_family(f"{ended(length, window)} and on (job, instance, session) {completed}", window)


def each_run(series, window):
    return of_family(ended(last(series, window), window), window)


def spent(window):
    return of_family(ended(f"sum without (currency) ({last('progress_session_cost_total', window)})", window), window)


def mean(runs):
    return f"avg by (family) ({runs})"


def grown(buckets):
    """Growth of a histogram in the time range. A Pod's agent may live for one run, whose end is the first sample that
    Prometheus sees: increase() would miss it, so what was before the range is taken off the last value instead."""
    newest = f"max_over_time({buckets}[$__range])"
    return f"({newest} - ({buckets} offset $__range or 0 * {newest}))"


def median(buckets, by):
    return f"histogram_quantile(0.5, sum by (le, {by}) ({buckets})) >= 0"


def overview():
    runs = took(RANGE)
    began = last("progress_session_start_timestamp_seconds", RANGE)
    newest = f"topk by (family) (1, {of_family(f'{ends(RANGE)} > {began}', RANGE)})"
    latest = f"max by (family) ({runs} and on ({RUN}) {newest})"
    completed = last('progress_session_state{state="completed"}', RANGE)
    failed = of_family(f"{last('''progress_session_state{state=~'failed|cancelled'}''', RANGE)} "
                       f"unless on (job, instance, session) {completed}", RANGE)
    return table("Families",
                 "All runs that ended in the time range; durations are of those that completed. Drift is the last "
                 "run against the mean of all: 20 % is a fifth slower. ETA off by: how far half of the forecasts were "
                 "from the truth.", [
        Column("Family", label="family", properties=linked(
            "Running and recent sessions of ${__value.raw}", family_url(FLEET))),
        Column("Completed", f"count by (family) ({runs})", width=95),
        Column("Failed", f"count by (family) ({failed})", width=75,
               properties=number("none", 0, steps(("red", None)))),
        Column("Mean", mean(runs), width=100, properties=number("dthms")),
        Column("Shortest", f"min by (family) ({runs})", width=100, properties=number("dthms")),
        Column("Longest", f"max by (family) ({runs})", width=100, properties=number("dthms")),
        Column("Last", latest, width=100, properties=number("dthms")),
        Column("Drift", f"{latest} / {mean(runs)} - 1", width=90, properties=number("percentunit", 0, SLOWER)),
        Column("Files", mean(each_run("progress_session_expected_files", RANGE)), width=85,
               properties=number("none", 0)),
        Column("Errors", mean(each_run("progress_session_error_ratio", RANGE)), width=85,
               properties=number("percentunit", 1, WRONG)),
        Column("Quality", mean(each_run("progress_session_quality_score_ratio", RANGE)), width=190,
               properties=bar("green")),
        Column("Cost of a run", f"{mean(spent(RANGE))} > 0", width=115, properties=number("none", 2)),
        Column("ETA off by", median(grown(BUCKETS), "family"), width=100, properties=number("percentunit", 0, OFF)),
    ], 24, sort="Drift", descending=True)


def durations():
    return [
        timeseries("Durations", "How long the runs took that completed at each moment, on the mean.",
                   [Query(mean(took(STEP)), "{{family}}")], 12, "dthms", points=True, min=0,
                   calcs=["lastNotNull", "mean", "max"]),
        timeseries("Regressions",
                   "Those runs against the mean of the whole time range: a fifth slower, or a half, is above the lines.",
                   [Query(f"{mean(took(STEP))} / {mean(took(WHOLE))} - 1", "{{family}}")], 12, "percentunit",
                   points=True, thresholds=steps(("transparent", None), ("orange", 0.2), ("red", 0.5)), soft_max=0.6),
    ]


def accuracy():
    return [
        timeseries("Forecast error",
                   "How far half of the forecasts were off, as a share of the true duration, by family.",
                   [Query(median(BUCKETS, "family"), "{{family}}")], 8, "percentunit", min=0,
                   noValue="no run ended yet"),
        timeseries("Methods compared", "The same for each method: the lowest line forecasts best.",
                   [Query(median(BUCKETS, "method"), "{{method}}")], 8, "percentunit", min=0,
                   noValue="no run ended yet"),
        heatmap("Forecast errors", "How many forecasts were off by how much, as runs ended.",
                Query(f"sum by (le) (increase({BUCKETS}[$__rate_interval]))"), 8, "percentunit", "Oranges"),
    ]


def speed():
    at_work = f"""progress_session_throughput_files_per_second
        and on (job, instance, session) progress_session_state{{{ACTIVE}}}"""
    info = "on (job, instance, session) group_left (family) progress_session_info"
    return [
        timeseries("Throughput", "Files completed per minute, by family.",
                   [Query(f"sum by (family) (({at_work}) * {info}) * 60", "{{family}}")], 8, axis="files per minute",
                   stack=True, min=0),
        timeseries("Errors", "Share of files that failed, in the runs that ended at each moment.",
                   [Query(mean(each_run("progress_session_error_ratio", STEP)), "{{family}}")], 8, "percentunit",
                   points=True, min=0),
        timeseries("Quality", "Quality score of the runs that ended at each moment.",
                   [Query(mean(each_run("progress_session_quality_score_ratio", STEP)), "{{family}}")], 8,
                   "percentunit", points=True, min=0, max=1),
    ]


def money():
    info = "on (job, instance, session) group_left (family) progress_session_info"
    spending = f"sum by (family) (rate(progress_session_cost_total[$__rate_interval]) * {info})"
    return [
        timeseries("Cost of a run", "Money that the runs spent that ended at each moment, on the mean.",
                   [Query(f"{mean(spent(STEP))} > 0", "{{family}}")], 12, points=True, min=0, decimals=2,
                   noValue="nothing is spent"),
        timeseries("Spending", "Money per hour at the present rate.",
                   [Query(f"{spending} * 3600 > 0", "{{family}}")],
                   12, stack=True, axis="per hour", min=0, decimals=0, noValue="nothing is spent"),
    ]


def dashboard():
    family = f'{TARGET}, family=~"$family"'
    return Dashboard(
        FAMILIES, "Progress / Families",
                     "Runs of the same job compared: durations, accuracy of forecasts, cost, regressions.",
        [*target_variables(), family_variable(), instance_variable()],
        {"progress_": TARGET, "progress_session_info": family, "progress_eta_error_ratio": family},
        [Row(9, [overview()]), Row(9, durations(), "Durations"), Row(8, accuracy(), "Accuracy of forecasts"),
         Row(8, speed(), "Speed and quality"), Row(8, money(), "Cost")],
        links=links_from(FAMILIES), refresh="1m", since="now-7d")
