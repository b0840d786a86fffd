"""Every query of every dashboard, against a real Prometheus that scrapes the demo and one job of the test's own."""

import itertools
import json
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
from pathlib import Path

from harness import dashboards, promql
from harness.agent import Agent
from harness.polling import until
from harness.prometheus import Prometheus
from harness.receiver import Receiver

JOB = "report-1"  # has what the demo's sessions lack: a deadline, resources, quotas, and it overspends
VALUES = {"job": ".+", "instance": ".+", "namespace": ".*", "family": ".*", "datasource": "prometheus",
          "__rate_interval": "2s", "__range": "1m", "__range_s": "60"}
# Families without a series here, and why. Once the agent shows one, its queries must give data.
UNFILLED = {
    "progress_file_progress_ratio": "the agent does not single out files yet",
}

# Queries that these sessions cannot fill, and why.
BEYOND = {
    "agent.json: Sessions by state: stalled": "takes a minute of silence",
    "session.json: annotation Ended": "its session goes on",
    "agent.json: annotation Alerts": "nothing is wrong with the agent",
}


def events_of_job(deadline):
    """Endless batches: one file after another, every third of which fails at first, with a pause now and then."""
    def event(kind, **fields):
        return {"event": kind, "session": JOB, **fields}

    yield [event("session.start", name="Monthly report", family="report", totalFiles=1000, concurrency=2,
                 currency="EUR",
                 costBudget=0.01, deadline=deadline),
           event("file", file="cover", status="skipped"), event("file", file="appendix", status="cancelled"),
           {"event": "session.start", "session": "report-0"},
           {"event": "session.end", "session": "report-0", "status": "cancelled"},
           {"event": "session.start", "session": "forgotten"}]
    for number in itertools.count():
        file = f"page-{number:04d}"
        api = event("api", provider="openai", ok=number % 3 != 2, durationMs=40, tokensIn=900, tokensOut=120,
                    cost=0.01)
        begin = event("file", file=file, status="processing", bytes=65536, progress=50, stage="render")
        yield [begin, event("resource", cpu=0.5, memoryBytes=2**28, memoryLimitBytes=2**29),
               event("rateLimit", provider="openai", delayMs=20, limit=100, remaining=99 - number % 99),
               {"event": "file", "session": JOB}]  # refused: no file
        if number % 3 == 2:
            yield [api, event("file", file=file, status="failed", error="timed out"), {**begin, "progress": 10}]
            yield [event("session.pause")]
            yield [event("session.resume")]
        yield [{**begin, "progress": 90, "stage": "print"}]
        yield [api, event("file", file=file, status="completed", quality=0.9)]


class Panels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        told = cls.enterClassContext(Receiver())
        folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="dashboards-")))
        (folder / "agent.yaml").write_text(f"notify: {{webhooks: [{{url: 'http://127.0.0.1:{told.port}/'}}]}}\n")
        cls.agent = cls.enterClassContext(Agent(
            "--speed=60", "--metrics.per-file=active", "--sessions.stale-after=3s", f"--storage.path={folder}",
            f"--config.file={folder}/agent.yaml", command="demo"))
        cls.prometheus = cls.enterClassContext(Prometheus(f"127.0.0.1:{cls.agent.web_port}", beside=True))
        cls.began = time.time()
        cls.events = events_of_job(cls.began + 3600)

    def ask(self, path, **parameters):
        """The data of Prometheus' answer; its error fails the test."""
        try:
            return json.loads(self.prometheus.fetch(f"{path}?{urllib.parse.urlencode(parameters)}"))["data"]
        except urllib.error.HTTPError as error:
            self.fail(f"{parameters}: {error.read().decode()}")

    def has_data(self, expression, instant):
        if instant:
            result = self.ask("/api/v1/query", query=expression)["result"]
        else:
            result = self.ask("/api/v1/query_range", query=expression, start=self.began, end=time.time(),
                              step=1)["result"]
        samples = [value for series in result for _, value in series.get("values") or [series["value"]]]
        return any(value != "NaN" for value in samples)

    def wanted(self):
        """{where: (expression, instant)}: the queries of all panels, and those of annotations."""
        found = {}
        for name, dashboard in dashboards.load().items():
            several = next((one["multi"] for one in dashboard["templating"]["list"] if one["name"] == "session"),
                           True)
            values = {**VALUES, "session": ".+" if several else JOB}
            for panel, target in dashboards.targets(dashboard):
                where = f"{name}: {panel['title']}: {target['legendFormat'] or target['refId']}"
                found[where] = (dashboards.filled_in(target["expr"], values), target["instant"])
            for mark in dashboard["annotations"]["list"]:
                found[f"{name}: annotation {mark['name']}"] = (dashboards.filled_in(mark["expr"], values), False)
        self.assertGreater(len(found), 100)
        return found

    def excused(self, expression, shown):
        names = {selector.name for selector in promql.selectors(expression)}
        return bool(names & UNFILLED.keys() - shown)

    def test_every_query_gives_data(self):
        missing = self.wanted()
        for where in BEYOND:
            self.has_data(*missing.pop(where))  # gives no error

        def look():
            self.agent.post(next(self.events))
            for where, query in list(missing.items()):
                if self.has_data(*query):
                    del missing[where]
            shown = {name for name, _, _ in self.agent.samples()}
            return all(self.excused(expression, shown) for expression, _ in missing.values())

        until(look, 120, lambda: "no data: " + "\n".join(missing), every=0.2)

    def test_other_targets_are_left_out(self):
        """All agents are chosen by `.+`, which every target of Prometheus matches."""
        until(lambda: self.prometheus.query('up{job="beside"} == 1'), 20, "Prometheus does not scrape itself")
        instance = {"instance": f"127.0.0.1:{self.agent.web_port}"}
        wanted = self.wanted()
        for where, labels in {"Agents reached: up": {}, "Memory: {{instance}}": instance, "CPU: {{instance}}": instance,
                              "Files tracked: {{instance}}": instance}.items():
            expression, _ = wanted[f"agent.json: {where}"]
            until(lambda expression=expression: self.prometheus.query(expression), 20, where)
            self.assertEqual([labels], [found for found, _ in self.prometheus.query(expression)], where)
        self.assertEqual([({}, 1)], self.prometheus.query(wanted["agent.json: Agents reached: up"][0]))

    def test_variables_have_values(self):
        for name, dashboard in dashboards.load().items():
            for one in dashboard["templating"]["list"]:
                if one["type"] != "query" or one["name"] == "namespace":  # which the target does not have
                    continue
                series, label = one["query"].removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
                query = {"match[]": dashboards.filled_in(series, VALUES)}
                until(lambda path=f"/api/v1/label/{label}/values", query=query: self.ask(path, **query), 20,
                      f"{name}: {one['name']} has no values")


if __name__ == "__main__":
    unittest.main()
