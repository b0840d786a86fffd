"""ETAs of the real binary: the same input gives the same log, byte for byte; deadlines show on the page; a model that
does not fit is refused before anything starts."""

import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from harness import exposition
from harness.agent import BINARY, ROOT, lines, run

MODEL = ROOT / "config" / "eta_model.txt"


def generated_jobs():
    traces = ROOT / "tests" / "bench" / "eta_traces.py"
    return subprocess.run([sys.executable, traces, "--repeats", "1"], capture_output=True, check=True).stdout


def story(deadline, files=20):
    """A session that runs: half of its files are done, one every ten seconds."""
    start = 1_760_000_000
    yield {"event": "session.start", "session": "s", "ts": start, "totalFiles": files, "deadline": start + deadline}
    for i in range(files // 2):
        yield {"event": "file", "session": "s", "ts": start + 10 * i, "file": f"f{i}", "status": "processing"}
        yield {"event": "file", "session": "s", "ts": start + 10 * i + 10, "file": f"f{i}", "status": "completed"}


class Eta(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def log_of(self, events, *more, by_pipe=False):
        log = self.folder / "eta.jsonl"
        arguments = [BINARY, "replay", "-", f"--eta.log={log}", *more]
        if by_pipe:  # in pieces that end anywhere
            with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as replay:
                for i in range(0, len(events), 7919):
                    replay.stdin.write(events[i:i + 7919])
                    replay.stdin.flush()
                replay.stdin.close()
            self.assertEqual(0, replay.wait())
        else:
            subprocess.run(arguments, input=events, stdout=subprocess.DEVNULL, check=True)
        return log.read_bytes()

    def page_of(self, events):
        (self.folder / "events").write_bytes(lines(events))
        page = self.folder / "metrics"
        done = run("replay", self.folder / "events", f"--metrics.out={page}")
        self.assertEqual(0, done.returncode, done.stderr)
        return exposition.samples(page.read_text())

    def test_a_replay_is_repeatable(self):
        events = generated_jobs()
        first = self.log_of(events)
        self.assertGreater(first.count(b"\n"), 1000)
        self.assertEqual(first, self.log_of(events))
        self.assertEqual(first, self.log_of(events, by_pipe=True))

    def test_every_line_says_something_sound(self):
        for line in self.log_of(generated_jobs()).splitlines():
            said = json.loads(line, parse_constant=lambda constant: self.fail(f"{constant} in {line}"))
            if said["t"] == 0:
                continue
            self.assertLessEqual(0, said["lo_s"])
            self.assertLessEqual(said["lo_s"], said["remaining_s"])
            self.assertLessEqual(said["remaining_s"], said["hi_s"])
            self.assertTrue(0 <= said["confidence"] <= 1, line)
            self.assertLessEqual({"adaptive", "ml_based"}, set(said["methods"]))

    def test_deadlines_are_on_the_page(self):
        risk = "progress_session_deadline_miss_probability_ratio"
        for deadline, low, high in ((110, 0.9, 1.0), (3_600, 0.0, 0.05)):
            page = self.page_of(story(deadline))
            self.assertEqual(1_760_000_000 + deadline, exposition.one(page, "progress_session_deadline_timestamp_seconds"))
            self.assertTrue(low <= exposition.one(page, risk) <= high, (deadline, exposition.one(page, risk)))
            self.assertGreater(exposition.one(page, "progress_session_eta_seconds"), 0)
        without = self.page_of({k: v for k, v in event.items() if k != "deadline"} for event in story(1))
        self.assertIsNone(exposition.one(without, risk))

    def test_the_model_may_be_another_one(self):
        events = generated_jobs()
        copy = self.folder / "model.txt"
        copy.write_text(MODEL.read_text())
        self.assertEqual(self.log_of(events), self.log_of(events, f"--eta.model-file={copy}"))
        copy.write_text(re.sub(r"^(forest correction )\S+", r"\g<1>0.7", MODEL.read_text(), flags=re.MULTILINE))
        self.assertNotEqual(self.log_of(events), self.log_of(events, f"--eta.model-file={copy}"))

    def test_a_model_that_does_not_fit_is_refused(self):
        text = MODEL.read_text()
        path = self.folder / "model.txt"
        for content, word in ((text.replace("eta-model 1", "eta-model 9", 1), "version"),
                              (re.sub(r"^(features \d+) \w+", r"\g<1> 0123456789abcdef", text, flags=re.MULTILINE),
                               "other features"),
                              (text[:9000], "not sound"),
                              ("hello", "does not begin")):
            path.write_text(content)
            for command in (("serve",), ("replay", "-")):
                refused = run(*command, f"--eta.model-file={path}", stdin=subprocess.DEVNULL)
                self.assertEqual(2, refused.returncode, refused.stderr)
                self.assertIn(f"--eta.model-file: eta.model_file: {path}: ", refused.stderr)
                self.assertIn(word, refused.stderr)
        refused = run("serve", f"--eta.model-file={self.folder}/none")
        self.assertEqual(2, refused.returncode)
        self.assertIn("No such file", refused.stderr)


if __name__ == "__main__":
    unittest.main()
