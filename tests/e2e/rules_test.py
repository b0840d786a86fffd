"""The shipped Prometheus rules: as the agent writes them, accepted by promtool, and each alert fires,
does not fire beside its condition, and resolves."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from harness.agent import ROOT, Agent, run

RULES = ROOT / "alerts" / "rules.yaml"
TARGET = 'job="agents",instance="10.0.0.7:19900",namespace="batch",pod="nightly-x"'
SESSION = TARGET + ',session="run-7"'
# How long a story goes on, in samples of 15 s.
FOREVER = 200


def series(metric, values, labels=SESSION, **more):
    extra = "".join(f',{key}="{value}"' for key, value in more.items())
    return f"{metric}{{{labels}{extra}}}", values


def info(values=f"1x{FOREVER}", family="nightly"):
    return series("progress_session_info", values, family=family, name="n", mode="comprehensive", attempt="1")


def steady(value, until=None, after=None):
    """A value up to a sample, then another one, or none at all ("_")."""
    if until is None:
        return f"{value}x{FOREVER}"
    return f"{value}x{until} {after}x{FOREVER}" if after != "_" else f"{value}x{until} stale"


def threshold(alert, value):
    return series("progress_session_alert_threshold", steady(value), alert=alert)


def default_threshold(alert, value):
    return series("progress_alert_threshold", steady(value), TARGET, alert=alert)


def followed():
    return series("progress_session_alerts_followed", steady(1))


# alert: (threshold in force, what it is held against: [(series, labels, breach, near, mended)], further series)
def finished(count=30):
    return [series("progress_session_files", steady(count), state="completed"),
            series("progress_session_files", steady(0), state="failed")]


def working():
    return [series("progress_session_state", steady(1), state="working")]


RUNNING = {
    "SlowProcessing": (60, "progress_file_oldest_in_flight_seconds", {}, 61, 60, 5, []),
    "HighErrorRate": (0.1, "progress_session_error_ratio", {}, 0.2, 0.1, 0.05, finished()),
    "LowThroughput": (0.5, "progress_session_throughput_files_per_second", {}, 0.4, 0.5, 1, working()),
    "QualityDegradation": (0.7, "progress_session_quality_score_ratio", {}, 0.6, 0.7, 0.9, finished()),
    "RateLimited": (0.25, "progress_session_rate_limited_ratio", {}, 0.5, 0.25, 0, []),
    "QuotaExhaustionAhead": (0, "progress_session_quota_shortfall_seconds", {"provider": "openai"}, 90, None, "_", []),
    "EtaDeviation": (0.5, "progress_session_eta_deviation_ratio", {}, 0.6, 0.5, 0.1, []),
    "DeadlineAtRisk": (0.5, "progress_session_deadline_miss_probability_ratio", {}, 0.9, 0.5, 0.1, []),
    "CostOverBudget": (10, "progress_session_cost_forecast_lower", {"currency": "USD"}, 11, 10, 9, []),
    "WorkloadMemoryHigh": (0.9, "progress_session_memory_bytes", {}, 950, 900, 500,
                           [series("progress_session_memory_limit_bytes", steady(1000))]),
    "WorkloadCpuHigh": (0.95, "progress_session_cpu_cores", {}, 2, 1.9, 1,
                        [series("progress_session_cpu_limit_cores", steady(2))]),
    "WorkloadNetworkErrors": (0, "progress_session_network_recent_errors", {}, 3, 0, 0, []),
}
AGENT = {
    "AgentStorageFailing": ("progress_agent_storage_degraded", {}, 1, 0),
    "AgentNotificationsFailing": ("progress_agent_notifications_failing", {}, 1, 0),
    "AgentNearLimit": ("progress_agent_limit_used_ratio", {"limit": "files"}, 0.95, 0.9),
}
LABELS = {"job": "agents", "instance": "10.0.0.7:19900", "namespace": "batch", "pod": "nightly-x"}
SEVERITY = {"HighErrorRate": "critical", "SessionStalled": "critical", "SuccessRateBelowTarget": "critical",
            "AgentStorageFailing": "critical", "AgentDown": "critical"}
MENDED = 32  # the sample at which a condition ends: 8 minutes, longer than any `for`
MENDED_MINUTES, OVER_MINUTES = 7, 12


class Stories:
    """Test cases for promtool, one file for all."""

    def __init__(self):
        self.tests = []

    def add(self, alert, inputs, at, fires, session=True, labels=None, family="nightly"):
        expected = {"severity": SEVERITY.get(alert, "warning"), **LABELS}
        if session:
            expected |= {"session": "run-7", **({"family": family} if family else {})}
        self.tests.append((alert, inputs, at, {**expected, **(labels or {})} if fires else None))

    def write(self, path):
        out = [f"rule_files: [{RULES}]", "evaluation_interval: 15s", "tests:"]
        by_inputs = {}
        for alert, inputs, at, expected in self.tests:
            by_inputs.setdefault((alert, tuple(inputs)), []).append((at, expected))
        for (alert, inputs), looks in by_inputs.items():
            out += ["- interval: 15s", f"  name: {alert}", "  input_series:"]
            for name, values in inputs:
                out += [f"  - series: '{name}'", f"    values: '{values}'"]
            out += ["  promql_expr_test:"]
            firing = f'alertname="Progress{alert}",alertstate="firing"'
            for at, expected in looks:
                out += [f"  - expr: 'ALERTS{{{firing}}}'", f"    eval_time: {at}m"]
                if expected:
                    labels = ",".join(f'{key}="{value}"' for key, value in sorted(expected.items()))
                    out += ["    exp_samples:", f"    - labels: 'ALERTS{{{firing},{labels}}}'", "      value: 1"]
                else:
                    out += ["    exp_samples: []"]
        path.write_text("\n".join(out) + "\n")


def sessions(stories):
    for alert, (limit, name, labels, breach, near, mended, others) in RUNNING.items():
        common = [info(), threshold(alert, limit), *others]
        broken = series(name, steady(breach, MENDED, mended), **labels)
        stories.add(alert, [*common, broken], MENDED_MINUTES, True)
        stories.add(alert, [*common, broken], OVER_MINUTES, False)  # resolved
        if near is not None:
            stories.add(alert, [*common, series(name, steady(near), **labels)], MENDED_MINUTES, False)
        still = series(name, steady(breach), **labels)
        # The agent's threshold, where the session brings none; its own goes before it.
        usual = default_threshold(alert, limit)
        stories.add(alert, [info(), *others, still, followed(), usual], MENDED_MINUTES, True)
        if near is not None:
            lenient = default_threshold(alert, mended)
            stories.add(alert, [info(), *others, series(name, steady(near), **labels), followed(), lenient,
                                threshold(alert, limit)], MENDED_MINUTES, False)
        # Switched off, for this session or for all.
        stories.add(alert, [info(), *others, still, usual], MENDED_MINUTES, False)
        stories.add(alert, [info(), *others, still, followed()], MENDED_MINUTES, False)
        # A good end resolves it, whatever the figures say.
        ended = [series("progress_session_end_timestamp_seconds", f"_x{MENDED} 480x{FOREVER}"),
                 series("progress_session_start_timestamp_seconds", steady(0)),
                 series("progress_session_state", f"_x{MENDED} 1x{FOREVER}", state="completed")]
        stories.add(alert, [*common, *ended, still], OVER_MINUTES, False)


def special(stories):
    stalled = [info(), threshold("SessionStalled", 0),
               series("progress_session_last_event_timestamp_seconds", steady(0)),
               series("progress_session_state", steady(1, MENDED, "_"), state="stalled")]
    stories.add("SessionStalled", stalled, MENDED_MINUTES, True)
    stories.add("SessionStalled", stalled, OVER_MINUTES, False)
    stories.add("SessionStalled", stalled[:-1] + working(), MENDED_MINUTES, False)
    few = [series("progress_session_files", steady(19), state="completed")]
    stories.add("HighErrorRate", [info(), threshold("HighErrorRate", 0.1), *few,
                                  series("progress_session_error_ratio", steady(0.5))], MENDED_MINUTES, False)
    # One without a family.
    stories.add("RateLimited", [info(family=""), threshold("RateLimited", 0.25),
                                series("progress_session_rate_limited_ratio", steady(0.5))], MENDED_MINUTES, True,
                family="")
    bad_end(stories)


def ended(ratio, state="failed"):
    return [info(), threshold("SuccessRateBelowTarget", 0.95), threshold("HighErrorRate", 0.1), *finished(),
            series("progress_session_error_ratio", steady(ratio)),
            series("progress_session_start_timestamp_seconds", steady(0)),
            series("progress_session_end_timestamp_seconds", steady(60)),
            series("progress_session_state", steady(1), state=state)]


def bad_end(stories):
    rate, errors = "SuccessRateBelowTarget", "HighErrorRate"
    stories.add(rate, ended(0.06), MENDED_MINUTES, True)
    stories.add(rate, ended(0.06, "completed"), MENDED_MINUTES, True)
    stories.add(rate, ended(0.05), MENDED_MINUTES, False)
    stories.add(rate, [info(), threshold(rate, 0.95), series("progress_session_error_ratio", steady(0.5)), *working()],
                MENDED_MINUTES, False)
    stories.add(errors, ended(0.2), MENDED_MINUTES, True)  # a bad end does not mend it
    stories.add(errors, ended(0.2, "completed"), MENDED_MINUTES, False)
    # A later run of the family, in another Pod, takes its place.
    other = 'job="agents",instance="10.0.0.8:19900",namespace="batch",pod="nightly-y",session="run-8"'
    later = [("progress_session_info{" + other + ',family="nightly"}', f"_x{MENDED} 1x{FOREVER}"),
             ("progress_session_start_timestamp_seconds{" + other + "}", f"_x{MENDED} 480x{FOREVER}")]
    for alert in (rate, errors):
        stories.add(alert, [*ended(0.2), *later], MENDED_MINUTES, True)
        stories.add(alert, [*ended(0.2), *later], OVER_MINUTES, False)
    elsewhere = [(name.replace('namespace="batch"', 'namespace="other"'), values) for name, values in later]
    stories.add(rate, [*ended(0.2), *elsewhere], OVER_MINUTES, True)


def agents(stories):
    for alert, (name, labels, breach, near) in AGENT.items():
        broken = series(name, steady(breach, MENDED, near), TARGET, **labels)
        stories.add(alert, [broken], MENDED_MINUTES, True, session=False)
        stories.add(alert, [broken], OVER_MINUTES, False)
        stories.add(alert, [series(name, steady(near), TARGET, **labels)], MENDED_MINUTES, False)
    build = series("progress_agent_build_info", f"1x4 stale", TARGET, version="1")
    down = series("up", "1x4 0x20 1x100", TARGET)
    stories.add("AgentDown", [build, down], 4, True, session=False)
    stories.add("AgentDown", [build, down], 8, False)
    stories.add("AgentDown", [series("up", steady(0), TARGET)], 10, False)  # some other target
    reload = series("progress_agent_config_last_reload_successful", "1x4 0x40 1x100", TARGET)
    stories.add("ConfigReloadFailed", [reload], 10, True, session=False)
    stories.add("ConfigReloadFailed", [reload], 3, False)
    stories.add("ConfigReloadFailed", [reload], 20, False)
    rejected = series("progress_agent_events_rejected_total", "0x20 5x200", TARGET, source="http", reason="invalid_json")
    stories.add("EventsRejected", [rejected], 8, True, session=False)
    stories.add("EventsRejected", [rejected], 3, False)
    stories.add("EventsRejected", [rejected], 30, False)


def vanished(stories):
    seen = [info(f"1x20 stale"), series("progress_session_progress_ratio", "0.4x20 stale")]
    stories.add("FinalStateNotScraped", seen, 8, True)
    stories.add("FinalStateNotScraped", seen, 4, False)  # still there
    stories.add("FinalStateNotScraped", seen, 40, False)  # long ago
    end = series("progress_session_end_timestamp_seconds", "_x10 100x10 stale")
    stories.add("FinalStateNotScraped", [*seen, end], 8, False)


def promtool(*arguments):
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False)


class Rules(unittest.TestCase):
    def test_files_are_as_the_agent_writes_them(self):
        for name, format_name in (("rules.yaml", "yaml"), ("prometheus-rule.yaml", "kubernetes")):
            written = run("docs", "rules", f"--format={format_name}")
            self.assertEqual((0, ""), (written.returncode, written.stderr))
            self.assertEqual(written.stdout, (ROOT / "alerts" / name).read_text(),
                             f"write it anew: progress-agent docs rules --format={format_name} > alerts/{name}")

    def test_promtool_accepts_them(self):
        done = promtool("check", "rules", RULES)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        done = promtool("check", "config", ROOT / "config" / "prometheus.yml")
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_amtool_accepts_its_configuration(self):
        done = subprocess.run(["amtool", "check-config", ROOT / "config" / "alertmanager.yml"], capture_output=True,
                              text=True, check=False)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_alerts_fire_and_resolve(self):
        stories = Stories()
        for write in (sessions, special, agents, vanished):
            write(stories)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "stories.yaml"
            stories.write(path)
            done = promtool("test", "rules", path)
            self.assertEqual(0, done.returncode, (done.stdout + done.stderr)[-6000:])

    def test_every_alert_has_a_story_and_a_section_of_the_runbook(self):
        stories = Stories()
        for write in (sessions, special, agents, vanished):
            write(stories)
        firing = {alert for alert, _, _, expected in stories.tests if expected}
        names = {line.split("alert: Progress")[1] for line in RULES.read_text().splitlines() if "- alert: " in line}
        self.assertEqual(names, firing)
        with Agent() as agent:
            page = agent.get("/runbooks").body.decode()
        self.assertEqual([], [name for name in sorted(names) if
                              f'<h2 id="progress{name.lower()}">Progress{name}</h2>' not in page])
        self.assertNotIn("**", page)
        self.assertNotIn("`", page)

    def test_the_configuration_has_its_say(self):
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "agent.yaml"
            config.write_text("alerts:\n  rules:\n    RateLimited:\n      for: 7m\n      severity: critical\n"
                              "    EtaDeviation:\n      enabled: false\nmetrics:\n  session_labels: [team]\n")
            text = run("docs", "rules", f"--config.file={config}").stdout
            self.assertNotIn("ProgressEtaDeviation", text)
            self.assertIn('runbook_url: "http://{{ $labels.instance }}/runbooks#progressratelimited"', text)
            limited = text.split("- alert: ProgressRateLimited")[1].split("- alert:")[0]
            self.assertIn("for: 7m", limited)
            self.assertIn("severity: critical", limited)
            self.assertIn("group_left (family, team) progress_session_info", limited)

    def test_the_fleet_sees_a_session_once_for_each_shard(self):
        """Three Pods; the one of shard 1 failed and was begun anew in another Pod."""
        inputs = []
        for pod, shard, started, progress, eta, cost in (("a", 0, 100, 0.5, 60, 2), ("b", 1, 100, 0.9, 10, 7),
                                                         ("c", 1, 200, 0.1, 300, 1)):
            labels = f'job="agents",instance="{pod}",namespace="batch",session="big"'
            inputs += [series("progress_session_info", steady(1), labels, shard=shard, family="big"),
                       series("progress_session_start_timestamp_seconds", steady(started), labels),
                       series("progress_session_expected_files", steady(100), labels),
                       series("progress_session_progress_ratio", steady(progress), labels),
                       series("progress_session_eta_seconds", steady(eta), labels),
                       series("progress_session_files", steady(10), labels, state="completed"),
                       series("progress_session_cost_total", steady(cost), labels, currency="USD")]
        expected = {'session:progress_session_progress_ratio:avg{namespace="batch",session="big"}': 0.3,
                    'session:progress_session_eta_seconds:max{namespace="batch",session="big"}': 300,
                    'session:progress_session_cost_total:sum{namespace="batch",session="big",currency="USD"}': 3,
                    'session_state:progress_session_files:sum{namespace="batch",session="big",state="completed"}': 20}
        out = [f"rule_files: [{RULES}]", "evaluation_interval: 15s", "tests:", "- interval: 15s", "  input_series:"]
        for name, values in inputs:
            out += [f"  - series: '{name}'", f"    values: '{values}'"]
        out += ["  promql_expr_test:"]
        for name, value in expected.items():
            out += [f"  - expr: '{name.split('{')[0]}'", "    eval_time: 5m", "    exp_samples:",
                    f"    - labels: '{name}'", f"      value: {value}"]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "fleet.yaml"
            path.write_text("\n".join(out) + "\n")
            done = promtool("test", "rules", path)
            self.assertEqual(0, done.returncode, (done.stdout + done.stderr)[-6000:])


if __name__ == "__main__":
    unittest.main()
