"""The same stories, seen by the agent and by a real Prometheus with the shipped rules: the same alerts fire,
with the same labels, and the same resolve; both paths lead to the same receiver."""

import re
import tempfile
import threading
import time
import unittest
from pathlib import Path

from harness.agent import Agent, run
from harness.disk import Disk
from harness.polling import until
from harness.prometheus import Prometheus
from harness.receiver import Alertmanager, Receiver

RULES = ["HighErrorRate", "LowThroughput", "QualityDegradation", "RateLimited", "EtaDeviation", "DeadlineAtRisk",
         "WorkloadMemoryHigh", "WorkloadCpuHigh", "WorkloadNetworkErrors", "AgentStorageFailing",
         "AgentNotificationsFailing", "AgentNearLimit"]
MAX_ACTIVE = 17  # one more than there are
# As shipped, but that nobody waits for minutes.
CONFIG = "alerts:\n  rules:\n" + "".join(f"    {name}:\n      for: 1s\n" for name in RULES)


def files(session, count, failed=0, **more):
    return [{"event": "file", "session": session, "file": f"f{i}",
             "status": "failed" if i < failed else "completed", **more} for i in range(count)]


def slowing_down(session, now):
    """Files of 4 s, so many that the forecast is sure; then of 30 s."""
    at, told = now - 1_700, []
    for i in range(160):
        told.append({"event": "file", "session": session, "file": f"f{i}", "status": "processing", "ts": at})
        at += 4 if i < 120 else 30
        told.append({"event": "file", "session": session, "file": f"f{i}", "status": "completed", "ts": at})
    return told


def stories(now):
    """Each session's events; each has an alert of its own name."""
    def start(session, **facts):
        return {"event": "session.start", "session": session, "totalFiles": 100, "family": "of-" + session, **facts}

    def busy(session, ts=now):
        return {"event": "file", "session": session, "file": "busy", "status": "processing", "ts": ts}

    def limit(session, ts, remaining):
        return {"event": "rateLimit", "session": session, "ts": ts, "provider": "openai", "hits": 0, "limit": 1000,
                "remaining": remaining, "resetAt": now + 900}

    return [
        start("SlowProcessing", config={"alertThresholds": {"slowProcessingMs": 1000}}), busy("SlowProcessing", now - 5),
        start("HighErrorRate"), *files("HighErrorRate", 30, 10), busy("HighErrorRate"),
        start("LowThroughput", config={"alertThresholds": {"lowThroughput": 1000}}), busy("LowThroughput"),
        *files("LowThroughput", 3),
        start("QualityDegradation"), *files("QualityDegradation", 30, quality=0.2), busy("QualityDegradation"),
        start("RateLimited", concurrency=1), busy("RateLimited"),
        {"event": "rateLimit", "session": "RateLimited", "delayMs": 50000, "provider": "openai"},
        start("QuotaExhaustionAhead", ts=now - 40), limit("QuotaExhaustionAhead", now - 35, 900),
        limit("QuotaExhaustionAhead", now - 5, 600),
        start("EtaDeviation", ts=now - 1_700, totalFiles=200), *slowing_down("EtaDeviation", now),
        busy("EtaDeviation"),
        start("SessionStalled"), *files("SessionStalled", 3),
        start("DeadlineAtRisk", deadline=now - 60, ts=now - 100), busy("DeadlineAtRisk", now - 90),
        *files("DeadlineAtRisk", 10),
        start("CostOverBudget", costBudget=1, currency="USD"), *files("CostOverBudget", 30, cost=0.1),
        start("WorkloadMemoryHigh"),
        {"event": "resource", "session": "WorkloadMemoryHigh", "memoryBytes": 95, "memoryLimitBytes": 100},
        start("WorkloadCpuHigh"),
        start("WorkloadNetworkErrors"),
        {"event": "resource", "session": "WorkloadNetworkErrors", "networkErrors": 1},
        {"event": "resource", "session": "WorkloadNetworkErrors", "networkErrors": 9},
        start("SuccessRateBelowTarget"), *files("SuccessRateBelowTarget", 19, 2),
        {"event": "session.end", "session": "SuccessRateBelowTarget", "status": "failed"},
        # And some that nobody should hear of.
        start("well"), *files("well", 30, 3), busy("well"),
        start("quiet", config={"enablePerformanceAlerts": False}), *files("quiet", 30, 20), busy("quiet"),
        start("lenient", config={"alertThresholds": {"highErrorRate": 0.9}}), *files("lenient", 30, 20), busy("lenient"),
    ]


class Group:
    """The control group of a workload that uses all the CPU it may."""

    def __init__(self, folder):
        self.folder, self.began, self.burns = folder, time.monotonic(), True
        self.folder.mkdir()
        (folder / "cpu.max").write_text("200000 100000\n")
        (folder / "memory.current").write_text("1000\n")
        (folder / "memory.max").write_text("max\n")
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.burn)
        self.thread.start()

    def burn(self):
        burned = 0.0
        while not self.over.wait(0.1):
            now = time.monotonic()
            burned += 2e6 * (now - self.began) if self.burns else 0
            self.began = now
            fresh = self.folder / "fresh"
            fresh.write_text(f"usage_usec {int(burned)}\n")
            fresh.rename(self.folder / "cpu.stat")

    def close(self):
        self.over.set()
        self.thread.join()


def refuse(handler):
    handler.send_response(503)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


class Paths(unittest.TestCase):
    """An agent with a receiver that hears of its alerts from itself and from a Prometheus with its rules."""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="parity-")))
        self.receiver = self.enterContext(Receiver())
        self.manager = self.enterContext(Alertmanager(self.receiver.port))

    def begin(self, *flags, webhook=None, sections="", change=lambda rules: rules):
        """`sections`: more of the configuration; `change`: of the rules, so that nobody waits."""
        config = self.folder / "agent.yaml"
        config.write_text(CONFIG + f"notify:\n  alertmanagers:\n    - url: http://127.0.0.1:{self.manager.port}\n"
                          + (f"  webhooks:\n    - url: http://127.0.0.1:{webhook}\n" if webhook else "")
                          + "  external_labels:\n    path: agent\n" + sections)
        written = run("docs", "rules", f"--config.file={config}")
        self.assertEqual(0, written.returncode, written.stderr)
        (self.folder / "rules.yaml").write_text(change(re.sub(r" *keep_firing_for: \w+\n", "", written.stdout)))
        self.agent = self.enterContext(Agent(f"--config.file={config}", *flags))
        self.prometheus = self.enterContext(Prometheus(
            f"127.0.0.1:{self.agent.web_port}", interval="1s", rules=self.folder / "rules.yaml",
            alertmanager=f"127.0.0.1:{self.manager.port}"))

    def as_the_agent_sees_it(self):
        return {("Progress" + a["name"], a["severity"], a.get("session"))
                for a in self.agent.get("/v1/alerts").json()["items"] if a["state"] == "firing"}

    def as_prometheus_sees_it(self):
        rows = self.prometheus.query('ALERTS{alertstate="firing"}')
        for labels, _ in rows:
            if "session" in labels:
                self.assertEqual("of-" + labels["session"], labels["family"])
        return {(labels["alertname"], labels["severity"], labels.get("session")) for labels, _ in rows}

    def heard(self, status):
        """The (alert, path) pairs that the receiver was last told of as firing, or as resolved."""
        last = {}
        for alert in self.receiver.alerts():
            labels = alert["labels"]
            key = labels["alertname"], labels.get("session"), labels.get("path", "prometheus")
            last[key] = alert["status"]
        return {(name, session, path) for (name, session, path), was in last.items() if was == status}

    def differences(self):
        return (f"agent {sorted(map(str, self.as_the_agent_sees_it()))}\n"
                f"prometheus {sorted(map(str, self.as_prometheus_sees_it()))}")

    def wait_until_both_paths_tell(self, expected, seconds, others):
        """The alerts (name, session) fire for the agent and for Prometheus, and the receiver hears it from both.
        `others`: no further ones fire for one of them alone."""
        def both_fire():
            agent, prometheus = self.as_the_agent_sees_it(), self.as_prometheus_sees_it()
            common = {(name, session) for name, _, session in agent & prometheus}
            return expected <= common and (not others or agent == prometheus)

        until(both_fire, seconds, self.differences)
        wanted = {(name, session, path) for name, session in expected for path in ("agent", "prometheus")}
        until(lambda: wanted <= self.heard("firing"), 60, lambda: str(wanted - self.heard("firing")))
        return wanted

    def wait_until_nobody_is_told_any_more(self):
        until(lambda: not self.as_the_agent_sees_it() and not self.as_prometheus_sees_it(), 100, self.differences)
        until(lambda: not self.heard("firing"), 90, lambda: str(self.heard("firing")))


class Parity(Paths):
    def test_both_fire_and_resolve_the_same(self):
        broken = self.enterContext(Receiver(behave=refuse))
        group = Group(self.folder / "group")
        self.addCleanup(group.close)
        self.begin(webhook=broken.port, sections=f"workload:\n  cgroup: {group.folder}\n"
                                                 f"sessions:\n  max_active: {MAX_ACTIVE}\n")
        events = stories(time.time())
        self.assertEqual(200, self.agent.post(events).status)
        sessions = {event["session"] for event in events} - {"well", "quiet", "lenient"}
        stalled = {("ProgressSessionStalled", "SessionStalled")}
        expected = {("Progress" + name, name) for name in sessions} - stalled
        expected |= {("ProgressAgentNotificationsFailing", None), ("ProgressAgentNearLimit", None)}
        wanted = self.wait_until_both_paths_tell(expected, 60, others=True)
        # What makes the others ring makes these not.
        only = {"ProgressHighErrorRate", "ProgressEtaDeviation"}
        silent = {(name, session) for name, _, session in self.as_the_agent_sees_it()
                  if session == "quiet" or name in only and name != f"Progress{session}"}
        self.assertEqual(set(), silent)
        # A minute of silence. What looks at the last minute ends meanwhile; in these rules, without keep_firing_for,
        # sooner than for the agent.
        wanted |= self.wait_until_both_paths_tell(stalled, 90, others=False)

        # The target recovers, and every session ends well, and so does a later run of its family.
        broken.behave = None
        group.burns = False
        every = sessions | {"well", "quiet", "lenient"}
        ends = [{"event": "session.end", "session": s, "status": "completed"} for s in every]
        again = [{"session": s + "-again", "ts": time.time() + 1, **event} for s in every for event in (
            {"event": "session.start", "family": "of-" + s}, {"event": "session.end", "status": "completed"})]
        self.assertEqual(200, self.agent.post([*ends, *again]).status)
        self.wait_until_nobody_is_told_any_more()
        self.assertLessEqual(wanted, self.heard("resolved"))

    def test_storage_that_fails_for_a_while(self):
        with Disk(2) as disk:
            self.begin(f"--storage.path={disk.path}/db")
            self.assertEqual(200, self.agent.post([{"event": "progress", "session": "s", "completed": 1}]).status)
            filler = disk.fill()
            self.assertEqual(200, self.agent.post([{"event": "progress", "session": "s", "completed": 2}]).status)
            wanted = self.wait_until_both_paths_tell({("ProgressAgentStorageFailing", None)}, 30, others=True)
            filler.unlink()
            self.wait_until_nobody_is_told_any_more()
            self.assertLessEqual(wanted, self.heard("resolved"))
            self.agent.stop()

    def test_what_only_prometheus_can_see(self):
        """An agent that refuses events and a configuration, and goes away in the middle of a session."""
        def soon(rules):
            rules = re.sub(r"\[1[05]m\]", "[15s]", rules)
            return re.sub(r"( *for:) \w+\n", r"\1 1s\n", rules)

        self.begin(change=soon)
        config = self.folder / "agent.yaml"
        good = config.read_text()
        until(lambda: self.prometheus.query("progress_agent_build_info"), 20)
        config.write_text("nonsense: true\n")
        self.assertNotEqual(200, self.agent.post(b"", path="/-/reload").status)
        self.agent.post([{"event": "progress", "session": "s", "completed": 1, "total": 3}, {"event": "nonsense"}])
        here = {"ProgressConfigReloadFailed", "ProgressEventsRejected"}
        until(lambda: {(name, None, "prometheus") for name in here} <= self.heard("firing"), 60,
              lambda: str(self.receiver.alerts()))
        config.write_text(good)
        self.assertEqual(200, self.agent.post(b"", path="/-/reload").status)
        until(lambda: {(name, None, "prometheus") for name in here} <= self.heard("resolved"), 60,
              lambda: str(self.heard("firing")))
        self.agent.kill()
        gone = {("ProgressAgentDown", None, "prometheus"), ("ProgressFinalStateNotScraped", "s", "prometheus")}
        until(lambda: gone <= self.heard("firing"), 60, lambda: str(self.receiver.alerts()))
        with Agent(f"--config.file={config}", web_port=self.agent.web_port):
            until(lambda: gone <= self.heard("resolved"), 60, lambda: str(self.heard("firing")))


if __name__ == "__main__":
    unittest.main()
