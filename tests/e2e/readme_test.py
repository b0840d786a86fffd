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
SERVICE = re.compile(r"apt install \./build/release/progress-agent_(\S+)_amd64\.deb\nsystemctl enable --now progress-agent")


class Readme(unittest.TestCase):
    def test_commands(self):
        blocks = BLOCK.findall(README.read_text())
        self.assertTrue(blocks)
        with Agent() as agent:
            for marked, text in blocks:
                with self.subTest(block=text):
                    if not marked:
                        self.assertTrue(text.strip() in BY_HAND or SERVICE.fullmatch(text.strip()))
                        continue
                    self.execute(agent, text)
            mine = agent.session("mine")
            self.assertEqual(30, mine["metrics"]["progressPercentage"])
            self.assertLess(mine["eta"]["interval"]["lowMs"], mine["eta"]["interval"]["highMs"])
            metrics = agent.session("nightly")["metrics"]
            self.assertEqual((3, 1, 1), (metrics["totalFiles"], metrics["filesCompleted"], metrics["filesProcessing"]))
            for name, count in (("backup", 4), ("rows", 1000)):
                self.assertEqual(count, agent.session(name)["metrics"]["filesCompleted"])

    def test_the_package_is_named_as_it_is_built(self):
        version = SERVICE.search(README.read_text()).group(1)
        changelog = (ROOT / "config" / "debian" / "changelog").read_text()
        self.assertIn(f"progress-agent ({version}) ", changelog)
        self.assertIn(f"VERSION {version.split('-')[0]} ", (ROOT / "CMakeLists.txt").read_text())

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
