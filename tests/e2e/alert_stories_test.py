"""Every story in tests/scenario/alerts leaves the alerts that it must, through `replay`."""

import json
import tempfile
import unittest
from pathlib import Path

from harness import exposition
from harness.agent import ROOT, run

STORIES = sorted((ROOT / "tests" / "scenario" / "alerts").glob("*.ndjson"))


class AlertStories(unittest.TestCase):
    def replay(self, story, *flags):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "metrics"
            done = run("replay", str(story), f"--metrics.out={page}", *flags)
            self.assertEqual((0, ""), (done.returncode, done.stderr))
            sessions = {s["session"]["id"]: s for s in map(json.loads, done.stdout.splitlines())}
            return sessions, exposition.samples(page.read_text())

    def check(self, story, *flags):
        expected = json.loads(story.with_suffix(".expected.json").read_text())
        sessions, samples = self.replay(story, *flags)
        name = expected.get("session", story.stem)
        if expected.get("off"):
            self.assertNotIn("alerts", sessions[name])
            self.assertFalse([s for s in samples if "alert" in s[0]])
            return
        alerts = sessions[name]["alerts"]
        # Most stories are told in a hurry, which moves the predicted end.
        if story.stem != "eta-deviation":
            alerts = [a for a in alerts if a["name"] != "EtaDeviation"]
        self.assertEqual(expected["active"], [[a["name"], a["state"], a["severity"]] for a in alerts])
        if "recommendation" in expected:
            self.assertEqual(expected["recommendation"], alerts[0]["recommendation"])
        firing = {(a["name"], a["severity"]) for a in alerts if a["state"] == "firing"}
        shown = {(labels["alert"], labels["severity"]) for family, labels, _ in samples
                 if family == "progress_alert_active" and labels["session"] == name
                 and (story.stem == "eta-deviation" or labels["alert"] != "EtaDeviation")}
        self.assertEqual(firing, shown)
        fired = {labels["alert"]: value for family, labels, value in samples
                 if family == "progress_alerts_fired_total" and labels["session"] == name
                 and (story.stem == "eta-deviation" or labels["alert"] != "EtaDeviation")}
        self.assertEqual(expected.get("fired", {n: 1 for n, _ in firing}), fired)

    def test_stories(self):
        self.assertGreater(len(STORIES), 20)
        for story in STORIES:
            with self.subTest(story=story.stem):
                self.check(story)

    def test_with_the_eta_log_too(self):
        """The log asks at its own times; what fires is the same."""
        for story in STORIES:
            with self.subTest(story=story.stem), tempfile.TemporaryDirectory() as folder:
                self.check(story, f"--eta.log={folder}/eta")

    def test_each_rule_has_a_story(self):
        told = {name for story in STORIES
                for name in [a[0] for a in json.loads(story.with_suffix(".expected.json").read_text()).get("active", [])]
                + list(json.loads(story.with_suffix(".expected.json").read_text()).get("fired", {}))}
        # The limit of the CPU comes from the workload's own control group, in no event.
        names = {"SlowProcessing", "HighErrorRate", "LowThroughput", "QualityDegradation", "RateLimited",
                 "QuotaExhaustionAhead", "EtaDeviation", "SessionStalled", "DeadlineAtRisk", "CostOverBudget",
                 "WorkloadMemoryHigh", "WorkloadNetworkErrors", "SuccessRateBelowTarget"}
        self.assertLessEqual(names, told)


if __name__ == "__main__":
    unittest.main()
