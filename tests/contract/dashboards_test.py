"""Dashboards: as generated, by the rules of Grafana's dashboard-linter, and of metrics and labels that exist."""

import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from harness import dashboards, promql
from harness.dashboards import FOLDER

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS_OWN = {"up": {"job", "instance"}}
TARGET_LABELS = {"job", "instance", "namespace"}
# Units of Grafana that the dashboards use; the linter holds panels to Grafana's whole list.
UNITS = {"none", "short", "percentunit", "s", "dthms", "bytes", "Bps", "reqps", "dateTimeAsIso",
         "dateTimeAsIsoNoDateIfToday"}
KINDS = {"stat", "table", "timeseries", "gauge", "bargauge", "heatmap", "state-timeline"}
VARIABLES = {"fleet.json": ["datasource", "job", "namespace", "family", "session", "instance"],
             "session.json": ["datasource", "job", "namespace", "family", "session", "instance"],
             "families.json": ["datasource", "job", "namespace", "family", "instance"],
             "agent.json": ["datasource", "job", "namespace", "instance"]}


def families():
    """{metric: its labels} by the table in agent/metrics/README.md, which another test holds to the code."""
    found = {}
    series = {"histogram": {"_bucket": {"le"}, "_sum": set(), "_count": set()}}
    text = (ROOT / "agent" / "metrics" / "README.md").read_text()
    about_sessions, about_agents = text.split("### The agent and its process")
    for part, own in ((about_sessions, {"session"}), (about_agents, set())):
        for name, kind, labels in re.findall(r"^\| `(\w+)` \| (\w+) \| \w* \| (.*?) \|", part, re.MULTILINE):
            for suffix, more in series.get(kind, {"": set()}).items():
                found[name + suffix] = own | more | set(re.findall(r"`(\w+)`", labels))
    return found


def exclusions():
    """{rule: {(dashboard, panel)}} of dashboards/.lint"""
    found, rule = {}, None
    for line in (FOLDER / ".lint").read_text().splitlines():
        if match := re.fullmatch(r"  ([\w-]+):", line):
            rule = found.setdefault(match[1], set())
        elif match := re.fullmatch(r"    - dashboard: (.+)", line):
            dashboard = match[1]
        elif match := re.fullmatch(r"      panel: (.+)", line):
            rule.add((dashboard, match[1]))
    return found


class Linted(unittest.TestCase):
    """The rules by their names in the linter, for both the provisioned and the imported files."""

    def setUp(self):
        self.found = [(name, dashboard) for folder in (FOLDER, FOLDER / "import")
                      for name, dashboard in dashboards.load(folder).items()]
        self.assertEqual(sorted([*VARIABLES] * 2), sorted(name for name, _ in self.found))

    def each_variable(self):
        for name, dashboard in self.found:
            for one in dashboard["templating"]["list"]:
                if one["type"] == "query":
                    yield one, f"{name}: {one['name']}"

    def each_panel(self):
        for name, dashboard in self.found:
            for panel in dashboards.panels(dashboard):
                yield panel, f"{name}: {panel['title']}"

    def each_target(self):
        for name, dashboard in self.found:
            for panel, target in dashboards.targets(dashboard):
                yield target, f"{name}: {panel['title']} {target['refId']}"

    def test_template_datasource(self):
        for name, dashboard in self.found:
            sources = [one for one in dashboard["templating"]["list"] if one["type"] == "datasource"]
            self.assertEqual([("datasource", "Data source", "prometheus")],
                             [(one["name"], one["label"], one["query"]) for one in sources], name)

    def test_template_job_and_instance(self):
        for name, dashboard in self.found:
            variables = {one["name"]: one for one in dashboard["templating"]["list"]}
            for variable, label in {"job": "Job", "instance": "Instance"}.items():
                one = variables[variable]
                self.assertEqual(("query", label, "${datasource}", True, ".+"), (
                    one["type"], one["label"], one["datasource"]["uid"], one["multi"], one["allValue"]), name)

    def test_template_label_promql(self):
        for one, where in self.each_variable():
            self.assertRegex(one["query"], r"^label_values\(\w+(\{.*\})?, \w+\)$", where)

    def test_template_on_time_change_reload(self):
        for one, where in self.each_variable():
            self.assertEqual(2, one["refresh"], where)

    def test_variables(self):
        for name, dashboard in self.found:
            self.assertEqual(VARIABLES[name], [one["name"] for one in dashboard["templating"]["list"]])

    def test_uneditable(self):
        for name, dashboard in self.found:
            self.assertIs(False, dashboard["editable"], name)

    def test_panel_datasource(self):
        for panel, where in self.each_panel():
            for source in [panel["datasource"], *(target["datasource"] for target in panel["targets"])]:
                self.assertEqual({"type": "prometheus", "uid": "${datasource}"}, source, where)

    def test_panel_title_description(self):
        titles = [where for panel, where in self.each_panel() if panel["title"]]
        self.assertEqual(len(list(self.each_panel())), len(titles))
        self.assertEqual({2}, {titles.count(title) for title in titles}, "two panels have the same title")
        for panel, where in self.each_panel():
            self.assertRegex(panel["description"], r"^[A-Z].{10,}\.$", where)

    def test_panel_units(self):
        for panel, where in self.each_panel():
            self.assertIn(panel["type"], KINDS)
            given = {one["value"] for override in panel["fieldConfig"]["overrides"] for one in override["properties"]
                     if one["id"] == "unit"}
            if panel["type"] == "heatmap":
                given.add(panel["options"]["yAxis"]["unit"])
            elif panel["type"] != "state-timeline":  # which shows words
                given.add(panel["fieldConfig"]["defaults"].get("unit"))
            self.assertLessEqual(given, UNITS, where)

    def test_panel_no_targets(self):
        for panel, where in self.each_panel():
            self.assertTrue(panel["targets"], where)

    def test_target_promql(self):
        """promtool reads every expression, as a rule to record."""
        values = {"__rate_interval": "1m", "__range": "1h", "__range_s": "3600"}
        values |= {name: "x" for names in VARIABLES.values() for name in names}
        expressions = [target["expr"] for target, _ in self.each_target()]
        expressions += [one["expr"] for _, dashboard in self.found for one in dashboard["annotations"]["list"]]
        rules = [{"record": f"check_{number}", "expr": dashboards.filled_in(expression, values)}
                 for number, expression in enumerate(expressions)]
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            json.dump({"groups": [{"name": "dashboards", "rules": rules}]}, file)  # YAML takes JSON
            file.flush()
            done = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True,
                                  check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn(f"{len(rules)} rules found", done.stdout)

    def test_target_rate_interval(self):
        for target, where in self.each_target():
            for selector in promql.selectors(target["expr"]):
                if selector.function in {"rate", "irate"}:
                    self.assertEqual("$__rate_interval", selector.range, where)

    def test_target_job_and_instance(self):
        for target, where in self.each_target():
            found = promql.selectors(target["expr"])
            self.assertTrue(found, where)
            for selector in found:
                for label in ("job", "instance"):
                    self.assertEqual(("=~", f"${label}"), selector.matchers.get(label), f"{where}: {selector.name}")

    def test_target_counter_agg(self):
        """With the exclusions that dashboards/.lint gives a reason for, all of which must be needed."""
        found = {(dashboard["title"], panel["title"]) for _, dashboard in self.found
                 for panel, target in dashboards.targets(dashboard) for selector in promql.selectors(target["expr"])
                 if selector.name.endswith("_total") and selector.function not in {"rate", "irate", "increase"}}
        self.assertEqual(exclusions(), {"target-counter-agg-rule": found})


class Dashboards(unittest.TestCase):
    def test_committed_is_generated(self):
        done = subprocess.run([sys.executable, FOLDER / "generate.py", "--check"], capture_output=True, text=True,
                              check=False)
        self.assertEqual((0, ""), (done.returncode, done.stdout + done.stderr))

    def test_metrics_and_labels_exist(self):
        known = families() | PROMETHEUS_OWN
        self.assertIn("progress_file_duration_seconds_bucket", known)
        for name, dashboard in dashboards.load().items():
            expressions = [(panel["title"], target["expr"]) for panel, target in dashboards.targets(dashboard)]
            expressions += [(one["name"], one["expr"]) for one in dashboard["annotations"]["list"]]
            expressions += [(one["name"], re.sub(r"^label_values\((.*), \w+\)$", r"\1", one["query"]))
                            for one in dashboard["templating"]["list"] if one["type"] == "query"]
            for where, expression in expressions:
                for selector in promql.selectors(expression):
                    with self.subTest(file=name, where=where, metric=selector.name):
                        self.assertIn(selector.name, known)
                        self.assertLessEqual(selector.matchers.keys(), known[selector.name] | TARGET_LABELS)

    def test_links_lead_to_dashboards(self):
        """And give variables that the dashboard they lead to has."""
        found = dashboards.load()
        names = {dashboard["uid"]: {one["name"] for one in dashboard["templating"]["list"]}
                 for dashboard in found.values()}
        for name, dashboard in found.items():
            urls = re.findall(r'"url": "([^"]+)"', json.dumps(dashboard))
            self.assertTrue(urls, name)
            for url in urls:
                uid = re.match(r"/d/([\w-]+)", url)[1]
                self.assertIn(uid, names)
                given = set(re.findall(r"var-(\w+)=", url)) | set(re.findall(r"\$\{(\w+):queryparam\}", url))
                self.assertLessEqual(given, names[uid], url)

    def test_overview_leads_to_the_session(self):
        tables = [panel for panel in dashboards.panels(dashboards.load()["fleet.json"]) if panel["type"] == "table"]
        self.assertEqual(3, len(tables))
        for panel in tables:
            self.assertIn("/d/progress-session?", json.dumps(panel["fieldConfig"]), panel["title"])

    def test_panels_neither_overlap_nor_leave_the_grid(self):
        for name, dashboard in dashboards.load().items():
            taken = set()
            for panel in [*dashboards.panels(dashboard),
                          *(row for row in dashboard["panels"] if row["type"] == "row")]:
                place = panel["gridPos"]
                self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
                cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                         for y in range(place["y"], place["y"] + place["h"])}
                self.assertFalse(taken & cells, f"{name}: {panel['title']} lies over another panel")
                taken |= cells

    def test_config_maps_hold_the_dashboards(self):
        text = (FOLDER / "kubernetes.yaml").read_text()
        held = {name: json.loads(content) for name,
                content in re.findall(r"^  (\S+\.json): \|\n    (.*)$", text, re.MULTILINE)}
        self.assertEqual({f"progress-{name}": dashboard for name, dashboard in dashboards.load().items()}, held)
        self.assertEqual(len(held), text.count('grafana_dashboard: "1"'))
        self.assertLess(max(map(len, text.split("\n---\n"))), 256 * 1024)

    def test_import_asks_for_the_data_source(self):
        for name, dashboard in dashboards.load(FOLDER / "import").items():
            self.assertEqual(["DS_PROMETHEUS"], [one["name"] for one in dashboard["__inputs"]], name)
            chosen = dashboard["templating"]["list"][0]["current"]
            self.assertEqual("${DS_PROMETHEUS}", chosen["value"])


if __name__ == "__main__":
    unittest.main()
