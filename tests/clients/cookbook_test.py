"""The programs of agent/clients/README.md, as they stand there: with an agent all arrives, without one they end well."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from harness.agent import ROOT, Agent
from harness.polling import until

DOCUMENT = ROOT / "agent" / "clients" / "README.md"
# By the language of the block: the file it is saved as, and how that is run.
PROGRAMS = {
    "sh": ("job.sh", ["sh", "-eu"]), "bash": ("job.bash", ["bash", "-eu"]), "python": ("job.py", [sys.executable]),
    "javascript": ("job.js", ["node"]), "go": ("job.go", ["go", "run"]), "java": ("Job.java", ["java"]),
}


def blocks():
    return dict(re.findall(r"^```(\w+)\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL))


class Cookbook(unittest.TestCase):
    def execute(self, language, environment):
        """Runs the program of that language to its end."""
        name, command = PROGRAMS[language]
        if not shutil.which(command[0]):
            self.skipTest(f"there is no {command[0]} here")
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / name).write_text(blocks()[language])
            done = subprocess.run([*command, name], cwd=folder, env={**os.environ, "GO111MODULE": "off", **environment},
                                  capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual((0, "", ""), (done.returncode, done.stdout, done.stderr))

    def test_each_language_is_there(self):
        self.assertEqual(PROGRAMS.keys(), blocks().keys())

    def test_with_an_agent(self):
        with Agent() as agent:
            environment = {"PROGRESS_AGENT_INGEST_SOCKET": str(agent.socket_path),
                           "PROGRESS_AGENT_URL": f"http://127.0.0.1:{agent.ingest_port}"}
            for language in PROGRAMS:
                with self.subTest(language=language):
                    self.execute(language, environment)
                    name = {"sh": "shell", "javascript": "node"}.get(language, language)
                    until(lambda: (agent.session(name) or {}).get("state") == "completed")
                    metrics = agent.session(name)["metrics"]
                    self.assertEqual((3, 3), (metrics["totalFiles"], metrics["filesCompleted"]))
            self.assertEqual(0, agent.total("progress_agent_events_rejected_total"))

    def test_without_one(self):
        environment = {"PROGRESS_AGENT_INGEST_SOCKET": "/nonexistent/agent.sock", "PROGRESS_AGENT_URL": "http://127.0.0.1:9"}
        for language in PROGRAMS:
            with self.subTest(language=language):
                self.execute(language, environment)


if __name__ == "__main__":
    unittest.main()
