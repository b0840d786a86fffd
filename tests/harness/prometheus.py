"""A Prometheus of the test's own, scraping one agent or several."""

import json
import subprocess
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

from harness.agent import free_port
from harness.polling import until


class Prometheus:
    """With `beside`, it scrapes itself too, as a target that is no agent. `job`: further keys of the agents' job."""

    def __init__(self, *targets, interval="250ms", beside=False, rules=None, alertmanager=None, job=None):
        self.temporary = tempfile.TemporaryDirectory(prefix="prometheus-")
        self.port = free_port()
        folder = Path(self.temporary.name)
        alerting = (f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}\n"
                    if alertmanager else "")
        (folder / "prometheus.yml").write_text(
            f"global: {{scrape_interval: {interval}, scrape_timeout: {interval}, evaluation_interval: {interval}}}\n"
            f"rule_files: [{rules or ''}]\n" + alerting + "scrape_configs:\n"
            "- " + json.dumps({"job_name": "agent", "honor_labels": True, "static_configs": [{"targets": targets}],
                               **(job or {})}) + "\n"
            + (f"- {{job_name: beside, static_configs: [{{targets: ['127.0.0.1:{self.port}']}}]}}\n" if beside else ""))
        self.log_path = folder / "log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
                 f"--web.listen-address=127.0.0.1:{self.port}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(self.is_ready, 60, lambda: "Prometheus: " + self.log_path.read_text()[-2000:], every=0.05)

    def fetch(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as reply:
            return reply.read()

    def is_ready(self):
        try:
            return self.fetch("/-/ready")
        except OSError:
            return None

    def query(self, expression):
        """[(labels, value)] now."""
        path = "/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        result = json.loads(self.fetch(path))["data"]["result"]
        return [(row["metric"], float(row["value"][1])) for row in result]

    def target(self):
        """What it thinks of the agent: health, lastError, lastScrape, and more; None before the first scrape."""
        known = json.loads(self.fetch("/api/v1/targets"))["data"]["activeTargets"]
        active = [target for target in known if target["labels"]["job"] == "agent"]
        return active[0] if active and active[0]["health"] != "unknown" else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self.temporary.cleanup()
