"""Fleet overview: what runs, how far it is, until when, what is wrong; and what ended lately."""

from grafana import (Column, Dashboard, Query, Row, bar, colored, fixed, linked, named, number, pill, stat,
                     state_timeline, steps, table, timeseries)

from .vocabulary import (ACTIVE, ACTIVE_STATES, FAMILIES, FINAL_STATES, FLEET, SEVERITIES, SEVERITY_WORDS, STATES,
                         TARGET, WORDS,
                         by_currency, family_url, family_variable, instance_variable, links_from, progress, session_url,
                         session_variable, share,
                         state_number, target_variables)

KEY = "namespace, session"
FEW = steps(("text", None), ("orange", 0.02), ("red", 0.1))
NONE = steps(("text", None), ("red", 1))
# States that are wrong though no alert says so.
HELD_UP = {"failed": "critical", "stale": "critical", "stalled": "warning", "rate_limited": "info"}
# Info carries the family; every other series is of it when its info is.
OURS = "and on (job, instance, session) progress_session_info"
ENDED = "last_over_time(progress_session_end_timestamp_seconds[$__range])"


def ours(expr):
    return f"({expr} {OURS})"


def ours_lately(expr):
    """The same for what looks back over the time range: sessions that have left since count too."""
    return f"({expr} and on (job, instance, session) last_over_time(progress_session_info[$__range]))"


def running(expr):
    """One value for each session that runs now, and is of the chosen families."""
    return f"({expr}) and on ({KEY}) (progress_session_state{{{ACTIVE}}} {OURS})"


def ended(expr):
    """One value for each session that ended in the time range, and does not run again."""
    return f"({expr}) and on ({KEY}) {ours_lately(ENDED)} unless on ({KEY}) progress_session_state{{{ACTIVE}}}"


def latest(name, matchers="", reduce="sum"):
    return f"{reduce} by ({KEY}) (last_over_time({name}{matchers}[$__range]))"


def stats():
    working = ours(f"progress_session_state{{{ACTIVE}}}")
    lost = 'progress_session_files_ended_total{outcome="failed"}'
    finished = 'progress_session_files_ended_total{outcome=~"completed|failed"}'
    outcomes = ended(state_number(KEY, FINAL_STATES, lately=True))
    return [
        stat("Running", "Sessions that have not ended, over the time range.",
             [Query(f"count(group by ({KEY}) {working}) or vector(0)")], 3, sparkline=True, color=fixed("blue")),
        stat("Doing", "What the running sessions do now.",
             [Query(f"count by (state) (group by ({KEY}, state) {working})", "{{state}}")], 4, text="value_and_name",
             overrides=colored({state: color for state, (_, color) in STATES.items()}), empty="nothing runs"),
        stat("Alerts", "Alerts of sessions that fire now; the table below names them.",
             [Query(f"count{ours('progress_alert_active')} or vector(0)")], 3,
             thresholds=steps(("green", None), ("red", 1)), mode="background"),
        stat("All done in",
             "Until the last running session ends: expected, and at worst (the upper end of the 80 % interval).",
             [Query(f"max{ours('progress_session_eta_seconds')}", "expected"),
              Query(f"max{ours('progress_session_eta_upper_seconds')}", "at worst")], 4, "dthms", empty="–",
             overrides=[named("at worst", color=fixed("#8e8e8e"))], color=fixed("blue")),
        stat("Ended",
             "Sessions that ended in the time range: well, and otherwise (failed, cancelled, or silent for too long).",
             [Query(f"count(({outcomes}) == {FINAL_STATES['completed'][0]}) or vector(0)", "well"),
              Query(f"count(({outcomes}) != {FINAL_STATES['completed'][0]}) or vector(0)", "otherwise")], 4,
             overrides=[*colored({"well": "green"}),
                        named("otherwise", thresholds=steps(("#8e8e8e", None), ("red", 1)))]),
        stat("Files failed",
             "Share of files that failed, of all that finished in the time range; retries count again.",
             [Query(share(*(f"sum{ours_lately(f'increase({counter}[$__range])')}" for counter in (lost, finished))))],
             3, "percentunit", steps(("green", None), ("orange", 0.02), ("red", 0.1)), decimals=1, empty="–"),
        stat("Cost", "Money spent in the time range.",
             [Query(by_currency(ours_lately("increase(progress_session_cost_total[$__range])")), "{{currency}}")], 3,
             decimals=2, text="value_and_name", empty="–"),
    ]


def family_column():
    return Column("Family", label="family", width=130, properties=linked(
        "All runs of ${__value.raw}", family_url(FAMILIES, with_range=False)))


def running_table():
    eta = "progress_session_eta{}_seconds"
    return table(
        "Running sessions",
                 "Every session that has not ended; click one to see why it is so. The range is the 80 % interval "
        "of the remaining time.", [
            Column("", running(f"group by ({KEY}, family) (progress_session_info)")),
            Column("Session", label="session",
                   properties=linked("Open ${__value.raw}",
                                     session_url("from=${__data.fields.Started.numeric}&to=now"))),
            family_column(),
            Column("State", running(state_number(KEY, ACTIVE_STATES)), width=95, properties=pill(WORDS)),
            # 239 of 240 are not all.
            Column("Progress", running(progress(KEY)), width=150, properties=bar(decimals=1)),
            Column("Left", running(f"max by ({KEY}) ({eta.format('')})"), width=75, properties=number("dthms")),
            Column("at best", running(f"max by ({KEY}) ({eta.format('_lower')})"), width=75,
                   properties=number("dthms")),
            Column("at worst", running(f"max by ({KEY}) ({eta.format('_upper')})"), width=75,
                   properties=number("dthms")),
            Column("Done at",
                   running(f"max by ({KEY}) (progress_session_estimated_completion_timestamp_seconds) * 1000"),
                   width=85, properties=number("dateTimeAsIsoNoDateIfToday")),
            Column("Sure", running(f"min by ({KEY}) (progress_session_eta_confidence_ratio)"), width=60,
                   properties=number("percentunit", 0, steps(("orange", None), ("yellow", 0.5), ("green", 0.75)))),
            Column("Alerts", running(f"count by ({KEY}) (progress_alert_active)"), width=62,
                   properties=number("none", 0, steps(("red", None)))),
            Column("Errors", running(f"max by ({KEY}) (progress_session_error_ratio)"), width=66,
                   properties=number("percentunit", 1, FEW)),
            Column("Cost", running(f"sum by ({KEY}) (progress_session_cost_total)"), width=64,
                   properties=number("none", 2)),
            Column("Files", running(f'sum by ({KEY}) (progress_session_files{{state=~"completed|skipped"}})'),
                   width=58),
            Column("failed", running(f'sum by ({KEY}) (progress_session_files{{state="failed"}})'), width=60,
                   properties=number("none", 0, NONE)),
            Column("of", running(f"sum by ({KEY}) (progress_session_expected_files)"), width=58),
            Column("per min", running(f"sum by ({KEY}) (progress_session_throughput_files_per_second) * 60"),
                   width=75, properties=number("none", 1)),
            Column("Started", running(f"min by ({KEY}) (progress_session_start_timestamp_seconds) * 1000"), width=85,
                   properties=number("dateTimeAsIsoNoDateIfToday")),
            Column("Namespace", label="namespace", width=95),
        ], 24, sort="State")


def ended_table():
    began, over = (latest(f"progress_session_{which}_timestamp_seconds", reduce="max") for which in ("start", "end"))
    return table(
        "Ended sessions", "Sessions that ended in the time range, the latest first.", [
            Column("", ended(f"group by ({KEY}, family) (last_over_time(progress_session_info[$__range]))")),
            Column("Session", label="session", properties=linked("Open ${__value.raw}", session_url(
                "from=${__data.fields.Started.numeric}&to=${__data.fields.Ended.numeric}"))),
            family_column(),
            Column("Outcome", ended(state_number(KEY, FINAL_STATES, lately=True)), width=95, properties=pill(WORDS)),
            Column("Progress", ended(latest("progress_session_progress_ratio", reduce="avg")), width=150,
                   properties=bar("green")),
            Column("Took", ended(f"{over} - {began}"), width=80, properties=number("dthms")),
            Column("Errors", ended(latest("progress_session_error_ratio", reduce="max")), width=70,
                   properties=number("percentunit", 1, FEW)),
            Column("Quality", ended(latest("progress_session_quality_score_ratio", reduce="min")), width=75,
                   properties=number(
                "percentunit", 0, steps(("red", None), ("orange", 0.7), ("text", 0.85)))),
            Column("Cost", ended(latest("progress_session_cost_total")), width=75, properties=number("none", 2)),
            Column("Files", ended(latest("progress_session_files", '{state=~"completed|skipped"}')), width=70),
            Column("failed", ended(latest("progress_session_files", '{state="failed"}')), width=65,
                   properties=number("none", 0, NONE)),
            Column("of", ended(latest("progress_session_expected_files")), width=70),
            Column("Started", ended(f"{began} * 1000"), width=90, properties=number("dateTimeAsIsoNoDateIfToday")),
            Column("Ended", ended(f"{over} * 1000"), width=90, properties=number("dateTimeAsIsoNoDateIfToday")),
            Column("Namespace", label="namespace", width=95),
        ], 24, sort="Ended", descending=True)


def found_wrong():
    """A row for each thing that is wrong, labelled `what`; the value is how bad it is."""
    def row(expr, severity, what, source="session"):
        return f"""label_replace(({expr}) * {SEVERITIES[severity][0]}, "what", "{what}", "{source}", "(.*)")"""

    alerts = [row(f"""max by ({KEY}, alert) {ours(f'progress_alert_active{{severity="{severity}"}}')}""", severity,
                  "$1", "alert")
              for severity in SEVERITIES]
    states = [row(f"""group by ({KEY}, state) {ours(f'progress_session_state{{state="{state}"}}')}
                  unless on ({KEY}) progress_alert_active""", severity, "$1", "state") for state,
              severity in HELD_UP.items()]
    vanished = f"""group by ({KEY}) (last_over_time(progress_session_info[$__range]))
        unless on ({KEY}) progress_session_info unless on ({KEY}) {ENDED}"""
    return " or ".join([*alerts, *states, row(vanished, "critical", "gone without an end")])


def wrong():
    heard = f"time() - max by ({KEY}) (last_over_time(progress_session_last_event_timestamp_seconds[$__range]))"
    return table("What is wrong",
                 "Alerts that fire; sessions that are held up or failed; and sessions whose agent went before "
                 "they ended. Click the session to see why.", [
        Column("Severity", found_wrong(), width=80, properties=pill(SEVERITY_WORDS)),
        Column("What", label="what"),
        Column("Session", label="session", properties=linked("Open ${__value.raw}", session_url())),
        Column("Heard", f"0 * ({found_wrong()}) + on ({KEY}) group_left () ({heard})", width=75,
               properties=number("dthms")),
        Column("Namespace", label="namespace"),
        *(Column("", label=label) for label in ("alert", "state")),
    ], 9, sort="Severity", empty="nothing is wrong")


def timeline():
    """The sessions that started last: at work until they end, then a cap that says how."""
    newest = f"topk(18, max by ({KEY}) (last_over_time(progress_session_start_timestamp_seconds[$__range] @ end())))"
    cap = f"time() - max by ({KEY}) (progress_session_end_timestamp_seconds) < $__range_s / 25"
    return state_timeline(
        "Sessions over time", "What the sessions that started last were doing, and how they ended.",
        [Query(f"""(({state_number(KEY, ACTIVE_STATES)}) or on ({KEY}) ({state_number(KEY, FINAL_STATES)})
                   and on ({KEY}) ({cap})) and on ({KEY}) {newest} and on ({KEY}) progress_session_info""",
               "{{session}}")], 15, WORDS)


def trends():
    lost = 'progress_session_files_ended_total{outcome="failed"}'
    # Only what runs now: an ended session keeps its last throughput while it is shown.
    at_work = f"and on (job, instance, session) progress_session_state{{{ACTIVE}}}"

    def by_family(expr):
        info = "on (job, instance, session) group_left (family) progress_session_info"
        return f"sum by (family) (({expr} {at_work}) * {info})"

    return [
        timeseries("Throughput", "Files completed per minute, by family.",
                   [Query(f"{by_family('progress_session_throughput_files_per_second')} * 60", "{{family}}")], 8,
                   stack=True, axis="files per minute", min=0),
        timeseries("Files failing", "Files that failed, per minute, by family.",
                   [Query(f"{by_family(f'rate({lost}[$__rate_interval])')} * 60", "{{family}}")], 8,
                   stack=True, axis="files per minute", min=0),
        timeseries("Spending", "Money per hour at the present rate, by family.",
                   [Query(f"{by_family('rate(progress_session_cost_total[$__rate_interval])')} * 3600 > 0",
                          "{{family}}")], 8,
                   stack=True, axis="per hour", min=0, decimals=0, noValue="nothing is spent"),
    ]


def dashboard():
    session = f'{TARGET}, session=~"$session"'
    return Dashboard(
        FLEET, "Progress / Fleet overview", "What runs, how far it is, until when, and what is wrong.",
        [*target_variables(), family_variable(), session_variable(several=True), instance_variable()],
        {"progress_": session, "progress_session_info": f'{session}, family=~"$family"'},
        [Row(4, stats()), Row(10, [running_table()]), Row(10, [wrong(), timeline()]), Row(9, [ended_table()]),
         Row(8, trends(), "Trends")],
        links=links_from(FLEET))
