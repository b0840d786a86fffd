"""A database that cannot be written, or not be read: metrics are served, nothing is acknowledged falsely, and it works
again by itself."""

import contextlib
import os
import sqlite3
import tempfile
import time
import unittest
from pathlib import Path

from harness.agent import Agent
from harness.disk import Disk
from harness.polling import until


def count(seq):
    return {"event": "progress", "session": "s", "seq": seq, "total": 1000, "completed": seq}


class Storage(unittest.TestCase):
    def hello(self, agent, last):
        stream = agent.stream()
        stream.send({"event": "hello", "producer": "p", "ack": True})
        self.assertEqual({"welcome": {"producer": "p", "lastSeq": last, "durable": True}}, stream.line())
        return stream

    def fails_and_recovers(self, agent, begin, end):
        """Storage fails from begin() to end(); `agent` has seen no event yet."""
        with self.hello(agent, 0) as stream:
            self.survives(agent, stream, begin, end)

    def survives(self, agent, stream, begin, end):
        stream.send(count(1))
        self.assertEqual({"ack": 1}, stream.line())
        self.assertEqual(0, agent.total("progress_agent_storage_degraded"))
        begin()
        stream.send(count(2))
        until(lambda: agent.total("progress_agent_storage_degraded") == 1, what=agent.log)
        until(lambda: agent.session("s")["metrics"]["filesCompleted"] == 2, what="metrics run ahead")
        self.assertLess(0, agent.total("progress_agent_storage_errors_total"))
        status = agent.get("/v1/status").json()["storage"]
        self.assertTrue(status["degraded"])
        self.assertNotEqual("", status["lastError"])
        stream.socket.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            stream.line()
        # Who was promised nothing is not kept waiting.
        self.assertEqual(200, agent.post([{"event": "progress", "session": "t", "completed": 1}]).status)
        end()
        began = time.monotonic()
        stream.socket.settimeout(20)
        self.assertEqual({"ack": 2}, stream.line())
        self.assertLess(time.monotonic() - began, 2)
        until(lambda: agent.total("progress_agent_storage_degraded") == 0)

    def test_a_full_disk(self):
        with Disk(2) as disk, Agent(f"--storage.path={disk.path}/db") as agent:
            self.fails_and_recovers(agent, disk.fill, lambda: (disk.path / "filler").unlink())

    def test_a_disk_that_is_full_from_the_start(self):
        with Disk(1) as disk:
            disk.fill()
            with Agent(f"--storage.path={disk.path}/db") as agent:
                agent.post([count(1)])
                self.assertEqual(1, agent.session("s")["metrics"]["filesCompleted"])
                self.assertEqual(1, agent.total("progress_agent_storage_degraded"))
                (disk.path / "filler").unlink()
                with self.hello(agent, 0) as stream:
                    stream.send(count(1))
                    self.assertEqual({"ack": 1}, stream.line())

    def test_a_database_that_another_program_holds(self):
        with Agent() as nowhere:
            self.assertEqual({"durable": False}, nowhere.get("/v1/status").json()["storage"])
        with tempfile.TemporaryDirectory() as folder, Agent(f"--storage.path={folder}") as agent:
            with contextlib.closing(sqlite3.connect(f"{folder}/agent.db", isolation_level=None)) as other:
                self.fails_and_recovers(agent, lambda: other.execute("BEGIN IMMEDIATE"),
                                        lambda: other.execute("ROLLBACK"))

    def test_a_read_only_database_is_tracked_without(self):
        """The agent that finds one serves what it hears, and stores it once it may."""
        with Disk(8) as disk:
            flags = (f"--storage.path={disk.path}/db",)
            with Agent(*flags) as agent:
                self.assertEqual({"h": 1}, agent.post([{**count(1), "producer": "h"}]).json()["acks"])
            disk.set_writable(False)
            with Agent(*flags) as agent:
                agent.post([{"event": "progress", "session": "t", "completed": 5}])
                self.assertEqual(5, agent.session("t")["metrics"]["filesCompleted"])
                self.assertEqual(1, agent.total("progress_agent_storage_degraded"))
                disk.set_writable(True)
                self.hello(agent, 0).close()
                until(lambda: agent.session("s"), what="what was stored is taken over late")
                self.assertEqual({"h": 2}, agent.post([{**count(2), "producer": "h"}]).json()["acks"])
            with Agent(*flags) as agent:
                self.assertEqual(2, agent.session("s")["metrics"]["filesCompleted"])
                self.assertEqual(5, agent.session("t")["metrics"]["filesCompleted"])

    def test_files_that_are_no_database_are_set_aside(self):
        for content in (b"", b"\0" * 5000, b"SQLite format 3\0" + os.urandom(8000), os.urandom(8192)):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "agent.db"
                file.write_bytes(content)
                with Agent(f"--storage.path={folder}") as agent:
                    with self.hello(agent, 0) as stream:
                        stream.send(count(1))
                        self.assertEqual({"ack": 1}, stream.line())
                    aside = list(Path(folder).glob("agent.db.unusable-*"))
                    if content:  # an empty file is an empty database
                        self.assertIn("begun anew", agent.log())
                        self.assertEqual([content], [path.read_bytes() for path in aside])
                        self.assertEqual(1, agent.get("/v1/status").json()["storage"]["filesSetAside"])

    def test_killed_while_storage_fails(self):
        """Nothing that was withheld is taken for stored afterwards."""
        with Disk(2) as disk:
            flags = (f"--storage.path={disk.path}/db",)
            with Agent(*flags) as agent:
                with self.hello(agent, 0) as stream:
                    stream.send(count(1))
                    self.assertEqual({"ack": 1}, stream.line())
                    filler = disk.fill()
                    stream.send(count(2))
                    until(lambda: agent.total("progress_agent_storage_degraded") == 1)
                agent.kill()
                filler.unlink()
            with Agent(*flags) as agent:
                self.hello(agent, 1).close()
                self.assertEqual(1, agent.session("s")["metrics"]["filesCompleted"])


if __name__ == "__main__":
    unittest.main()
