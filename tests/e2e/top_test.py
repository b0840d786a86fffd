"""`top` over a real agent: once without a terminal, and live in one."""

import json
import os
import pty
import unittest

from harness.agent import BINARY, Agent, run
from harness.polling import until

EVENTS = [{"event": "session.start", "session": "nightly", "totalFiles": 4},
          {"event": "file", "session": "nightly", "file": "a.pdf", "status": "completed"},
          {"event": "file", "session": "nightly", "file": "b.pdf", "status": "processing", "progress": 50},
          {"event": "progress", "session": "other", "completed": 3, "total": 3},
          {"event": "session.end", "session": "other", "status": "completed"}]


class Top(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.agent = Agent()
        with cls.agent.stream() as stream:
            stream.send(*EVENTS)
            stream.finish()
        cls.flag = f"--url=http://127.0.0.1:{cls.agent.web_port}"

    @classmethod
    def tearDownClass(cls):
        cls.agent.__exit__(None, None, None)

    def test_once(self):
        done = run("top", self.flag)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertRegex(done.stdout, r"nightly .* 1/4 ")
        self.assertRegex(done.stdout, r"other .*completed.* 100\.0%")
        self.assertNotIn("\x1b", done.stdout)
        self.assertNotIn("other", run("top", self.flag, "--once", "--filter=night").stdout)
        self.assertRegex(run("top", self.flag, "--session=nightly").stdout, r"(?s)1 of 4 done.*In flight.*50\.0%.*b\.pdf")

    def test_the_address_comes_from_the_settings(self):
        done = run("top", f"--web.listen-address=127.0.0.1:{self.agent.web_port}")
        self.assertIn("nightly", done.stdout)

    def test_json(self):
        items = json.loads(run("top", self.flag, "--format=json").stdout)["items"]
        self.assertEqual(["nightly", "other"], [item["session"]["id"] for item in items])

    def test_faults(self):
        done = run("top", "--url=http://127.0.0.1:1")
        self.assertEqual(1, done.returncode)
        self.assertIn("cannot reach the agent at http://127.0.0.1:1", done.stderr)
        for wrong in ("--format=xml", "--sort=size", "--url=localhost", "--no-such"):
            self.assertEqual(2, run("top", wrong).returncode, wrong)

    def test_live(self):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(BINARY, [BINARY, "top", self.flag], {**os.environ, "NO_COLOR": "1"})
        said = b""

        def shows(text):
            def heard():
                nonlocal said
                said += os.read(terminal, 65536)
                return text in said
            until(heard, 20, lambda: said.decode(errors="replace"))

        shows(b"nightly")
        self.assertNotIn(b"\x1b[3", said.replace(b"\x1b[?", b""))  # no colour
        os.write(terminal, b"/nigh\n")
        shows(b"filter: nigh")
        os.write(terminal, b"\r")
        shows(b"In flight")
        os.write(terminal, b"q")
        try:
            while os.read(terminal, 65536):
                pass
        except OSError:  # how a terminal ends
            pass
        self.assertEqual(0, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    unittest.main()
