"""What the API says of the past: snapshots, analytics, families, exports."""

import csv
import io
import json
import tempfile
import unittest
from pathlib import Path

from harness.agent import Agent, lines, run
from harness.polling import until
from harness.sessions import generate

START = 1_750_000_000


def job(name, start, files=30, seconds=10.0, cost=0.5):
    """A run of the family `nightly`: one file after the other."""
    def event(kind, at, **fields):
        return {"event": kind, "session": name, "ts": start + at, **fields}

    yield event("session.start", 0, family="nightly", totalFiles=files, currency="EUR")
    for number in range(files):
        file = f"{number}.pdf"
        yield event("file", number * seconds, file=file, status="processing", stage="read", bytes=1000)
        yield event("file", (number + 1) * seconds, file=file, status="completed", tokens=10, cost=cost, model="m")
    yield event("api", files * seconds, provider="p", ok=True, calls=3, tokens=7, cost=0.25)
    yield event("session.end", files * seconds, status="completed")


class Remembered(unittest.TestCase):
    """Without storage the agent remembers the past for as long as it runs."""

    stored = False

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="analytics-")
        cls.addClassCleanup(folder.cleanup)
        cls.agent = cls.enterClassContext(Agent(*[f"--storage.path={folder.name}"] if cls.stored else []))
        for number in range(10):  # the last four take a fifth longer
            seconds = (10.0 if number < 6 else 12.0) * (1 + 0.01 * (-1) ** number)
            cls.agent.post(lines(job(f"run-{number}", START + 86_400 * number, seconds=seconds)))
        until(lambda: cls.family("nightly").get("runCount") == 10, what=lambda: cls.family("nightly"))

    @classmethod
    def family(cls, name):
        return cls.agent.get(f"/v1/families/{name}").json()

    def test_families(self):
        listed = self.agent.get("/v1/families").json()
        self.assertIn(("nightly", 10), [(item["family"], item["runs"]) for item in listed["items"]])
        self.assertEqual(404, self.agent.get("/v1/families/unheard-of").status)

    def test_a_family_tells_its_runs_and_what_became_worse(self):
        family = self.family("nightly")
        self.assertEqual([f"run-{n}" for n in range(10)], [run["session"] for run in family["runs"]])
        self.assertAlmostEqual(family["durations"]["minMs"], 297_000, delta=1)
        self.assertAlmostEqual(10 * 15.25, family["cost"]["total"])
        (regression,) = family["regressions"]
        self.assertEqual(("slowdown", "run-6"), (regression["code"], regression["session"]))
        self.assertAlmostEqual(20, regression["changePercent"], delta=1.5)

    def test_analytics(self):
        analytics = self.agent.get("/v1/sessions/run-9/analytics").json()
        self.assertEqual({"throughputTrends", "qualityMetrics", "costAnalysis", "performanceHistory", "etaAccuracy",
                          "stageBreakdown", "comparison"}, analytics.keys())
        self.assertEqual("steady", analytics["throughputTrends"]["direction"])
        self.assertEqual(1.0, analytics["qualityMetrics"]["overallQuality"])
        self.assertEqual(("EUR", 15.25), (analytics["costAnalysis"]["currency"], analytics["costAnalysis"]["totalCost"]))
        self.assertEqual([("m", 15.0)], [(m["model"], m["cost"]) for m in analytics["costAnalysis"]["byModel"]])
        self.assertEqual([("p", 0.25)], [(p["provider"], p["cost"]) for p in analytics["costAnalysis"]["byProvider"]])
        self.assertEqual([("read", 15.0)], [(s["stage"], s["cost"]) for s in analytics["costAnalysis"]["byStage"]])
        (stage,) = analytics["stageBreakdown"]
        self.assertEqual(("read", 30, 1.0), (stage["stage"], stage["filesLeft"], stage["share"]))
        self.assertEqual(9, analytics["comparison"]["runs"])
        self.assertAlmostEqual(10 / 11.88, analytics["comparison"]["throughputRatio"], delta=0.03)

    def test_snapshots(self):
        items = self.agent.get("/v1/sessions/run-9/snapshots").json()["items"]
        self.assertEqual(30, items[-1]["metrics"]["filesCompleted"])
        self.assertTrue(all(a["timestamp"] < b["timestamp"] for a, b in zip(items, items[1:])))

    def test_what_a_mode_leaves_out_is_not_enabled(self):
        self.agent.post([{"event": "session.start", "session": "plain", "mode": "basic"}])
        for part in ("snapshots", "analytics"):
            reply = self.agent.get(f"/v1/sessions/plain/{part}")
            self.assertEqual((404, "not_enabled"), (reply.status, reply.json()["error"]["code"]))


class Stored(Remembered):
    stored = True


class Exported(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.agent = cls.enterClassContext(Agent())
        cls.sessions, events = generate(6, "export", START)
        for i in range(0, len(events), 2000):
            cls.agent.post(lines(events[i:i + 2000]))
        cls.agent.post(lines(job("with-calls", START)))
        cls.agent.post([{"event": "progress", "session": "counts", "completed": 5, "failed": 2, "total": 9}])

    def export(self, name, form):
        reply = self.agent.get(f"/v1/sessions/{name}/export?format={form}")
        self.assertEqual(200, reply.status)
        return reply

    def test_an_export_replayed_gives_equal_totals(self):
        names = [session.name for session in self.sessions] + ["with-calls", "counts"]
        for name in names:
            with self.subTest(session=name), tempfile.TemporaryDirectory() as folder:
                told = Path(folder) / "told.ndjson"
                told.write_bytes(self.export(name, "ndjson").body)
                done = run("replay", told)
                self.assertEqual("", done.stderr)
                again, first = json.loads(done.stdout), self.agent.session(name)
                self.assertEqual(first["state"] if name != "counts" else again["state"], again["state"])
                for key in ("totalFiles", "filesCompleted", "filesFailed", "filesPending", "filesProcessing",
                            "filesSkipped", "apiCallsTotal", "totalTokensUsed", "rateLimitHits"):
                    self.assertEqual(first["metrics"].get(key), again["metrics"].get(key), key)
                self.assertAlmostEqual(first["metrics"]["estimatedCost"], again["metrics"]["estimatedCost"])

    def test_csv(self):
        rows = list(csv.DictReader(io.StringIO(self.export("with-calls", "csv").body.decode(), newline="")))
        self.assertEqual(30, len(rows))
        self.assertEqual(("0.pdf", "completed", "1000", "10", "0.5", "m"),
                         tuple(rows[0][key] for key in ("file", "status", "bytes", "tokens", "cost", "model")))

    def test_json(self):
        whole = self.export("with-calls", "json").json()
        self.assertEqual(30, len(whole["files"]))
        self.assertEqual(self.agent.session("with-calls")["metrics"]["filesCompleted"],
                         whole["metrics"]["filesCompleted"])

    def test_faults(self):
        self.assertEqual(400, self.agent.get("/v1/sessions/counts/export?format=xml").status)
        self.assertEqual(404, self.agent.get("/v1/sessions/nobody/export").status)
        self.assertEqual("unknown_family", self.agent.get("/v1/families/f").json()["error"]["code"])


if __name__ == "__main__":
    unittest.main()
