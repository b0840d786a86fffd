"""As a service of systemd: what the agent tells a socket that stands for systemd, and what systemd-analyze says of the unit."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness.agent import BINARY, ROOT, Agent

UNIT = ROOT / "config" / "systemd" / "progress-agent.service"
EVENT = {"event": "progress", "session": "s", "completed": 1, "total": 2}


class Systemd:
    """The side of sd_notify(3) that listens."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(20)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)

    def next(self):
        """One message as a dictionary."""
        return dict(line.split("=", 1) for line in self.socket.recv(65536).decode().splitlines())

    def next_with(self, name):
        while name not in (said := self.next()):
            pass
        return said

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


class Notify(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.address = str(Path(folder.name) / "notify")

    def test_ready_reload_and_stop(self):
        with Systemd(self.address) as systemd, Agent(environment={"NOTIFY_SOCKET": self.address}, ready=False) as agent:
            said = systemd.next()
            self.assertEqual("1", said["READY"])
            self.assertEqual("0 sessions running, 0 over", said["STATUS"])
            self.assertEqual(200, agent.get("/-/ready").status, "ready is said when it is so")
            agent.post([EVENT])
            agent.signal(signal.SIGHUP)
            said = systemd.next()
            self.assertEqual("1", said["RELOADING"])
            self.assertGreater(int(said["MONOTONIC_USEC"]), 0)
            said = systemd.next()
            self.assertEqual(("1", "1 session running, 0 over"), (said["READY"], said["STATUS"]))
            agent.signal(signal.SIGTERM)
            said = systemd.next()
            self.assertEqual("1", said["STOPPING"])
            self.assertIn("leaving", said["STATUS"])

    def test_a_refused_reload_ends_too(self):
        file = Path(self.address).parent / "agent.yaml"
        file.write_text("{}\n")
        with Systemd(self.address) as systemd, Agent(f"--config.file={file}", environment={"NOTIFY_SOCKET": self.address}) as agent:
            systemd.next_with("READY")
            file.write_text("log: {level: loud}\n")
            agent.signal(signal.SIGHUP)
            systemd.next_with("RELOADING")
            said = systemd.next()
            self.assertEqual("1", said["READY"])
            self.assertIn("agent.yaml:1:14", said["STATUS"])

    def test_an_abstract_socket(self):
        address = f"@progress-agent-test-{os.getpid()}"
        with Systemd(address) as systemd, Agent(environment={"NOTIFY_SOCKET": address}):
            self.assertEqual("1", systemd.next()["READY"])

    def test_signs_of_life_come_from_the_loop(self):
        environment = {"NOTIFY_SOCKET": self.address, "WATCHDOG_USEC": "2000000"}
        with Systemd(self.address) as systemd, Agent(environment=environment) as agent:
            for _ in range(3):
                self.assertIn("STATUS", systemd.next_with("WATCHDOG"))
            agent.signal(signal.SIGSTOP)  # a loop that hangs
            systemd.socket.settimeout(3)  # longer than the watchdog has patience
            with self.assertRaises(TimeoutError):
                for _ in range(3):  # what was under way
                    systemd.next()
            agent.signal(signal.SIGCONT)
            systemd.socket.settimeout(20)
            systemd.next_with("WATCHDOG")

    def test_a_watchdog_of_another_process_is_none(self):
        environment = {"NOTIFY_SOCKET": self.address, "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}
        with Systemd(self.address) as systemd, Agent(environment=environment) as agent:
            systemd.next_with("READY")
            systemd.socket.settimeout(2.5)  # ticks in which one would be due
            with self.assertRaises(TimeoutError):
                systemd.next()
            self.assertIsNone(agent.process.poll())

    def test_nobody_listening_is_no_fault(self):
        with Agent(environment={"NOTIFY_SOCKET": self.address}) as agent:
            self.assertIn("systemd cannot be told", agent.log())


@unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze")
class Unit(unittest.TestCase):
    def analyze(self, *arguments):
        return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False,
                              env={**os.environ, "SYSTEMD_COLORS": "0"})

    def test_verify(self):
        with tempfile.TemporaryDirectory() as folder:
            unit = Path(folder) / UNIT.name
            # The binary of this build, in the place of the installed one.
            unit.write_text(UNIT.read_text().replace("/usr/bin/progress-agent", str(BINARY)))
            done = self.analyze("verify", "--man=no", unit)
        self.assertEqual((0, "", ""), (done.returncode, done.stdout, done.stderr))

    def test_exposure(self):
        done = self.analyze("security", "--offline=true", "--threshold=20", UNIT)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+) OK", done.stdout).group(1))
        self.assertLessEqual(exposure, 1.5)


if __name__ == "__main__":
    unittest.main()
