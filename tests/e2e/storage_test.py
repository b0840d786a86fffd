"""Acknowledged delivery into a database, and what an agent that is started again knows."""

import re
import sqlite3
import tempfile
import unittest

from harness.agent import Agent, lines
from harness.exposition import samples
from harness.polling import until
from harness.sessions import generate

COUNTERS = ("_total", "_count", "_sum", "_bucket")


def count(seq, session="s"):
    return {"event": "progress", "session": session, "seq": seq, "total": 100, "completed": seq}


def counters(page):
    return {(name, *sorted(labels.items())): value for name, labels, value in samples(page)
            if "session" in labels and name.endswith(COUNTERS)}


class Storage(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="storage-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def agent(self, *flags):
        return Agent(f"--storage.path={self.folder}", *flags)

    def test_a_stream_is_acknowledged_after_the_commit(self):
        with self.agent() as agent, agent.stream() as stream:
            stream.send({"event": "hello", "producer": "p", "ack": True})
            self.assertEqual({"producer": "p", "lastSeq": 0, "durable": True}, stream.line()["welcome"])
            stream.send(*map(count, range(1, 21)))
            while stream.line()["ack"] < 20:
                pass
            self.assertEqual(20, agent.session("s")["metrics"]["filesCompleted"])
            agent.kill()
        with self.agent() as agent, agent.stream() as stream:
            stream.send({"event": "hello", "producer": "p", "ack": "each"})
            self.assertEqual(20, stream.line()["welcome"]["lastSeq"])
            stream.send(count(20), count(21))
            self.assertEqual([{"ack": 20}, {"ack": 21}], [stream.line(), stream.line()])
            self.assertEqual(1, agent.total("progress_agent_events_duplicate_total"))
            agent.kill()
        with self.agent() as agent:
            self.assertEqual(21, agent.session("s")["metrics"]["filesCompleted"])

    def test_http_is_answered_after_the_commit(self):
        with self.agent() as agent:
            reply = agent.post([{**count(seq), "producer": "h"} for seq in (1, 2)])
            self.assertEqual((200, {"h": 2}), (reply.status, reply.json()["acks"]))
            # Who asks next finds what was told, acknowledged or not.
            for seq in range(3, 30):
                self.assertEqual(200, agent.post([{"event": "progress", "session": "t", "completed": seq}]).status)
                self.assertEqual(seq, agent.session("t")["metrics"]["filesCompleted"])
            agent.kill()
        with self.agent() as agent:
            self.assertEqual({"h": 2}, agent.post([{**count(2), "producer": "h"}]).json()["acks"])
            self.assertEqual(2, agent.session("s")["metrics"]["filesCompleted"])

    def test_an_agent_that_starts_again_shows_what_it_showed(self):
        _, events = generate(8, "storage", 1_750_000_000)
        told = events[:len(events) * 2 // 3]  # some have ended, some have not
        with self.agent() as agent:
            for i in range(0, len(told), 500):
                agent.post(lines(told[i:i + 500]))
            before, page = self.everything(agent), agent.get("/metrics").body.decode()
            agent.kill()
        with self.agent() as agent:
            self.assertEqual(before, self.everything(agent))
            self.assertEqual(counters(page), counters(agent.get("/metrics").body.decode()))

    @staticmethod
    def everything(agent):
        """Sessions and files, without what only time changes."""
        sessions = agent.get("/v1/sessions?limit=1000").json()["items"]
        known = {}
        for listed in sessions:
            name = listed["session"]["id"]
            metrics = {key: value for key, value in agent.session(name)["metrics"].items()
                       if re.search("^files|^total|bytes|apiCalls|Cost|Tokens|retry|quality", key)}
            files = agent.get(f"/v1/sessions/{name}/files?limit=1000").json()["items"]
            known[name] = (listed["session"]["startTime"], metrics, files)
        return known

    def test_deleted_sessions_stay_deleted(self):
        with self.agent() as agent:
            agent.post([count(1, "a")])
            self.assertEqual(204, agent.request("DELETE", "/v1/sessions/a", port=agent.ingest_port).status)
            until(lambda: agent.get("/v1/status").json()["storage"]["queueLength"] == 0)
            agent.post([{**count(1, "b"), "producer": "h"}])  # committed after it
            agent.kill()
        with self.agent() as agent:
            self.assertEqual(400, agent.post([count(2, "a")]).status)

    def test_history_is_for_anybody_with_sqlite(self):
        with self.agent() as agent:
            agent.post([{"event": "session.start", "session": "s", "family": "nightly"},
                        {"event": "file", "session": "s", "file": "a", "status": "completed", "bytes": 5},
                        {"event": "session.end", "session": "s", "status": "completed"}])
        with sqlite3.connect(f"{self.folder}/agent.db") as database:
            self.assertEqual([("s", "nightly", "completed", 1)], database.execute(
                "SELECT session_id, family, state, files_completed FROM batch_upload_sessions").fetchall())
            self.assertEqual([("a", "completed", 5)], database.execute(
                "SELECT file, status, bytes FROM batch_upload_files").fetchall())

    def test_alerts_are_history_too(self):
        with self.agent() as agent:
            agent.post([{"event": "session.start", "session": "s", "family": "nightly"},
                        *({"event": "file", "session": "s", "file": f"{number}.pdf",
                           "status": "failed" if number < 10 else "completed"} for number in range(100)),
                        {"event": "session.end", "session": "s", "status": "failed"}])
            (alert,) = [alert for alert in agent.get("/v1/sessions/s/alerts").json()["items"]
                        if alert["name"] == "SuccessRateBelowTarget"]
            reply = agent.request("POST", f"/v1/alerts/{alert['id']}/dismiss", port=agent.ingest_port)
            self.assertEqual(200, reply.status)
        with sqlite3.connect(f"{self.folder}/agent.db") as database:
            self.assertEqual([("s", alert["id"], "firing", alert["value"], True, True)], database.execute(
                "SELECT session_id, alert_id, a.state, value, fired_at >= breached_at, dismissed_at >= fired_at "
                "FROM alerts a JOIN batch_upload_sessions USING (session, attempt) "
                "WHERE a.name = 'SuccessRateBelowTarget'").fetchall())


if __name__ == "__main__":
    unittest.main()
