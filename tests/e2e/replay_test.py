"""`replay` gives exactly the values of the scenarios, in JSON and in the metrics that it writes."""

import json
import math
import tempfile
import unittest
from pathlib import Path

from harness import exposition
from harness.agent import ROOT, run

SCENARIOS = sorted((ROOT / "tests" / "scenario").glob("*.expected.json"))
STATES = {"filesCompleted": "completed", "filesFailed": "failed", "filesPending": "pending",
          "filesProcessing": "processing"}
# JSON field: family, labels, and what a unit of the field is in the family's.
FAMILIES = {
    "totalFiles": ("progress_session_expected_files", {}, 1),
    **{field: ("progress_session_files", {"state": state}, 1) for field, state in STATES.items()},
    "progressPercentage": ("progress_session_progress_ratio", {}, 0.01),
    "currentThroughput": ("progress_session_throughput_files_per_second", {}, 1 / 60),
    "peakThroughput": ("progress_session_throughput_peak_files_per_second", {}, 1 / 60),
    "errorRate": ("progress_session_error_ratio", {}, 1),
    "qualityScore": ("progress_session_quality_score_ratio", {}, 1),
    "apiEfficiency": ("progress_session_api_efficiency_ratio", {}, 1),
}
SUMS = {
    "rateLimitHits": ("progress_session_rate_limit_hits_total", {}, 1),
    "rateLimitDelayMs": ("progress_session_rate_limit_delay_seconds_total", {}, 0.001),
    "apiCallsSuccessful": ("progress_session_api_calls_total", {"outcome": "success"}, 1),
    "apiCallsFailed": ("progress_session_api_calls_total", {"outcome": "failure"}, 1),
    "totalTokensUsed": ("progress_session_tokens_total", {}, 1),
    "estimatedCost": ("progress_session_cost_total", {}, 1),
    "retryCount": ("progress_session_retries_total", {}, 1),
}


def leaves(tree, path=()):
    """((key, key...), value) of every value in nested objects."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, path + (key,))
        else:
            yield path + (key,), value


def at(tree, path):
    for key in path:
        tree = tree[key]
    return tree


class Replay(unittest.TestCase):
    def replay(self, expected_path):
        story = str(expected_path).replace(".expected.json", ".ndjson")
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "metrics"
            done = run("replay", story, f"--metrics.out={page}")
            self.assertEqual(0, done.returncode, done.stderr)
            return done.stdout.splitlines(), page.read_bytes()

    def test_json(self):
        self.assertTrue(SCENARIOS)
        for path in SCENARIOS:
            expected = json.loads(path.read_text())
            printed = [json.loads(line) for line in self.replay(path)[0]]
            self.assertEqual([expected["session"]], [line["session"]["id"] for line in printed])
            for part in ("metrics", "eta"):
                for keys, value in leaves(expected[part]):
                    with self.subTest(scenario=path.name, field=(part, *keys)):
                        found = at(printed[0][part], keys)
                        if isinstance(value, str):
                            self.assertEqual(value.rstrip("Z"), found.rstrip("Z").removesuffix(".000"))
                        else:
                            self.assert_close(value, found, expected["tolerance"])

    def assert_close(self, value, found, tolerance):
        self.assertTrue(math.isclose(value, found, rel_tol=tolerance, abs_tol=tolerance), f"{found} is not {value}")

    def test_metrics(self):
        for path in SCENARIOS:
            expected = json.loads(path.read_text())
            page = self.replay(path)[1]
            exposition.check_text(page)
            found = exposition.samples(page.decode())
            for field, value in expected["metrics"].items():
                with self.subTest(scenario=path.name, field=field):
                    if field in FAMILIES:
                        family, labels, unit = FAMILIES[field]
                        sample = exposition.one(found, family, session=expected["session"], **labels)
                        self.assert_close(value * unit, sample, expected["tolerance"])
                    elif field in SUMS:
                        family, labels, unit = SUMS[field]
                        sample = exposition.total(found, family, session=expected["session"], **labels)
                        self.assert_close(value * unit, sample, expected["tolerance"])

    def test_the_page_says_who_made_it_and_how_good_the_etas_were(self):
        event = '{"event":"%s","session":"s","ts":%d%s}\n'
        lines = [event % ("session.start", 1767603600, ',"family":"f","totalFiles":4')]
        lines += [event % ("file", 1767603600 + 10 * i, f',"file":"{i // 2}","status":"{status}"')
                  for i, status in enumerate(("processing", "completed") * 4)]
        lines.append(event % ("session.end", 1767603680, ""))
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "metrics"
            run("replay", "-", f"--metrics.out={page}", input="".join(lines))
            found = exposition.samples(page.read_text())
        build = next(labels for name, labels, _ in found if name == "progress_agent_build_info")
        for value in build.values():
            self.assertIn(value, run("--version").stdout)
        graded = [value for name, labels, value in found
                  if name == "progress_eta_error_ratio_count" and labels == {"family": "f", "method": "linear"}]
        self.assertEqual(1, len(graded))
        self.assertGreater(graded[0], 0)

    def test_standard_input_is_a_file_too(self):
        story = str(SCENARIOS[0]).replace(".expected.json", ".ndjson")
        with open(story, encoding="utf-8") as text:
            self.assertEqual(run("replay", story).stdout, run("replay", "-", stdin=text).stdout)

    def test_a_missing_file_is_said(self):
        done = run("replay", "/nowhere/story.ndjson")
        self.assertNotEqual(0, done.returncode)
        self.assertIn("/nowhere/story.ndjson", done.stderr)

    def test_a_bad_line_is_said_and_does_not_stop_the_others(self):
        good = '{"event":"progress","session":"s","ts":1767603600,"completed":%d,"total":4}\n'
        done = run("replay", "-", input=good % 1 + "{bad\n" + good % 3)
        self.assertEqual(3, json.loads(done.stdout)["metrics"]["filesCompleted"])
        self.assertIn("2", done.stderr)
        self.assertIn("invalid_json", done.stderr)


if __name__ == "__main__":
    unittest.main()
