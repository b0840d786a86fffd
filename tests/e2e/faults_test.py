"""What jobs do by nature alerts nobody but of what their own events show; what goes wrong with them does, by the right
alert: jobs of every kind, and fifteen faults, as tests/bench/alert_traces.py judges recorded sessions."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from harness import faults
from harness.agent import BINARY, ROOT, lines
from harness.jobs import jobs

TOOL = ROOT / "tests" / "bench" / "alert_traces.py"
sys.path.insert(0, str(TOOL.parent))
import alert_traces  # noqa: E402


class Faults(unittest.TestCase):
    def judge(self, sessions):
        """The tool's word on them."""
        with tempfile.TemporaryDirectory() as folder:
            events = Path(folder) / "events.ndjson"
            events.write_bytes(lines(faults.told(sessions)))
            return subprocess.run([sys.executable, TOOL, f"--agent={BINARY}", events], capture_output=True, text=True,
                                  check=False)

    def test_silence_and_each_fault(self):
        done = self.judge({job.name: job.events() for job in jobs()})
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertIn("that stall: 3", done.stdout)
        for inject, alert in faults.FAULTS:
            row = next(line.split() for line in done.stdout.splitlines() if line.startswith(inject.__name__ + " "))
            self.assertEqual(alert, row[1])
            self.assertGreaterEqual(int(row[4]), 4, f"{inject.__name__} can be seen in too few jobs")

    def test_of_jobs_that_just_run_nobody_is_told(self):
        """But where what comes takes far longer than all before it, the end moves, and the silence is a stall by what
        was known."""
        fired = alert_traces.fired(BINARY, {job.name: job.events() for job in jobs()}, alone=False)
        for job in jobs():
            with self.subTest(job.name):
                self.assertLessEqual({alert.name for alert in fired[job.name]},
                                     {"EtaDeviation", "SessionStalled"} if job.surprises else set())

    def test_a_fault_that_nobody_tells_of_is_told_by_the_tool(self):
        """Jobs that report too little for any alert: what could fire and does not is a failure of the tool."""
        silenced = {job.name: [{**job.events()[0], "mode": "minimal"}, *job.events()[1:]] for job in jobs()}
        done = self.judge(silenced)
        self.assertEqual(1, done.returncode, done.stdout)
        for inject, alert in faults.FAULTS:
            self.assertIn(f"{inject.__name__}: {alert} missed", done.stderr)


if __name__ == "__main__":
    unittest.main()
