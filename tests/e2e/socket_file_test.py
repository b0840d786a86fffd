"""The socket's file: stale, live, something else; its mode; who may use it."""

import os
import socket
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from harness.agent import Agent, free_ports, lines, run
from harness.polling import until

EVENT = {"event": "progress", "session": "s", "completed": 1}
NOBODY = 65534
SEND_AS = """
import os, socket, sys
os.setgroups([]); os.setgid({uid}); os.setuid({uid})
s = socket.socket(socket.AF_UNIX); s.settimeout(10)
try:
    s.connect(sys.argv[1]); s.sendall(sys.stdin.buffer.read()); s.shutdown(socket.SHUT_WR); print(s.recv(4096))
except OSError as e:
    print("refused", e)
"""


def send_as(uid, path):
    return subprocess.run([sys.executable, "-c", SEND_AS.format(uid=uid), str(path)], input=lines([EVENT]),
                          capture_output=True, check=True, timeout=30).stdout


def start_on(path):
    """Runs an agent that cannot start because of the file at `path`; its exit."""
    web, ingest = free_ports(2)
    return run("serve", f"--web.listen-address=127.0.0.1:{web}", f"--ingest.listen-address=127.0.0.1:{ingest}",
               f"--ingest.socket={path}")


class SocketFile(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="socket-")
        self.addCleanup(temporary.cleanup)
        self.path = Path(temporary.name) / "agent.sock"

    def test_a_stale_one_is_replaced(self):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.path))
        with Agent(f"--ingest.socket={self.path}") as agent:
            agent.socket_path = self.path
            with agent.stream() as stream:
                stream.send(EVENT)
                until(lambda: agent.session("s"))
        self.assertFalse(self.path.exists(), "a clean stop takes the file away")

    def test_a_live_one_is_refused(self):
        with Agent(f"--ingest.socket={self.path}") as first:
            second = start_on(self.path)
            self.assertIn(second.returncode, (1, 2))
            self.assertIn(str(self.path), second.stderr)
            first.socket_path = self.path
            with first.stream() as stream:
                stream.send(EVENT)
                until(lambda: first.session("s"), what="the first agent still has it")

    def test_anything_else_is_refused(self):
        self.path.write_text("precious")
        refused = start_on(self.path)
        self.assertIn(refused.returncode, (1, 2))
        self.assertIn(str(self.path), refused.stderr)
        self.assertEqual("precious", self.path.read_text())

    def test_a_link_is_refused(self):
        """Whatever it points at: a socket that is alive, a file, nothing."""
        with Agent() as first:
            for target in (first.socket_path, self.path.parent / "precious", self.path.parent / "nothing"):
                self.path.unlink(missing_ok=True)
                self.path.symlink_to(target)
                if target.name == "precious":
                    target.write_text("precious")
                refused = start_on(self.path)
                self.assertIn(refused.returncode, (1, 2))
                self.assertIn("not a socket", refused.stderr)
                self.assertTrue(self.path.is_symlink())
            self.assertFalse((self.path.parent / "nothing").exists())
            with first.stream() as stream:
                stream.send(EVENT)
                until(lambda: first.session("s"))

    def test_of_many_that_start_at_once_one_has_it(self):
        for _ in range(5):
            with socket.socket(socket.AF_UNIX) as listener:  # left over: all want to replace it
                listener.bind(str(self.path))
            agents = [Agent(f"--ingest.socket={self.path}", ready=False) for _ in range(4)]
            try:
                until(lambda: sum(agent.process.poll() is not None for agent in agents) == 3, 30)
                one = next(agent for agent in agents if agent.process.poll() is None)
                one.socket_path = self.path
                with one.stream() as stream:
                    stream.send(EVENT)
                    until(lambda: one.session("s"), what="its socket is the one that is there")
            finally:
                for agent in agents:
                    agent.stop()
                    agent.temporary.cleanup()
            self.assertFalse(self.path.exists())

    def test_mode(self):
        for flag, mode in (((), 0o660), (("--ingest.socket-mode=0600",), 0o600)):
            with Agent(*flag) as agent:
                self.assertEqual(mode, stat.S_IMODE(agent.socket_path.stat().st_mode))

    def test_off(self):
        with Agent("--ingest.socket=") as agent:
            self.assertEqual(["log"], os.listdir(agent.folder))

    @unittest.skipUnless(os.geteuid() == 0, "needs to become another user")
    def test_allowed_uids(self):
        with Agent("--ingest.socket-mode=0666", f"--ingest.socket-allowed-uids={NOBODY}") as agent:
            os.chmod(agent.folder, 0o755)
            for _ in range(3):
                send_as(0, agent.socket_path)
            self.assertIsNone(agent.session("s"), "root is not on the list")
            self.assertEqual(3, agent.total("progress_agent_access_refused_total", listener="unix", reason="user"))
            self.assertEqual(1, agent.log().count("user 0 is not in ingest.socket_allowed_uids"))
            told = run("emit", "progress", "--session=s", "--completed=1", f"--ingest.socket={agent.socket_path}")
            self.assertEqual(0, told.returncode)
            self.assertIn("ingest.socket_allowed_uids", told.stderr)
            send_as(NOBODY, agent.socket_path)
            until(lambda: agent.session("s"), what="nobody is on the list")


if __name__ == "__main__":
    unittest.main()
