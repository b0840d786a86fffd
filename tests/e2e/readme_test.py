"""The commands of the README, as a newcomer would type them. Blocks marked `sh ci` are run here; the others are what
continuous integration runs itself (`./dev test`) or the same script's other commands."""

import os
import re
import subprocess
import unittest

from harness.agent import BINARY, ROOT, Agent

README = ROOT / "README.md"
BLOCK = re.compile(r"^```sh( ci)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STANDARD = {"19900": "web_port", "19901": "ingest_port"}
# What continuous integration runs itself, and what needs a cluster (tests/kubernetes renders it and runs its Pod).
BY_HAND = {"./dev run", "./dev test", "kubectl apply -k config/kubernetes/examples/job"}


class Readme(unittest.TestCase):
    def test_commands(self):
        blocks = BLOCK.findall(README.read_text())
        self.assertTrue(blocks)
        with Agent() as agent:
            for marked, text in blocks:
                with self.subTest(block=text):
                    if not marked:
                        self.assertIn(text.strip(), BY_HAND)
                        continue
                    self.execute(agent, text)
            metrics = agent.session("nightly")["metrics"]
            self.assertEqual((3, 1, 1), (metrics["totalFiles"], metrics["filesCompleted"], metrics["filesProcessing"]))
            for name, count in (("backup", 4), ("rows", 1000)):
                self.assertEqual(count, agent.session(name)["metrics"]["filesCompleted"])

    def execute(self, agent, text):
        for port, attribute in STANDARD.items():
            text = text.replace(f":{port}", f":{getattr(agent, attribute)}")
        path = f"{BINARY.parent}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "PROGRESS_AGENT_INGEST_SOCKET": str(agent.socket_path),
                       "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(["bash", "-euc", text], cwd=ROOT, env=environment, timeout=60, capture_output=True,
                              text=True, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertNotIn('"error"', done.stdout)


if __name__ == "__main__":
    unittest.main()
