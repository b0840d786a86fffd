"""Events in through every transport; what the API and /metrics then say; what refusals look like."""

import json
import socket
import unittest

from harness.agent import Agent, lines
from harness.polling import until

GOOD = {"event": "progress", "session": "good", "completed": 1, "total": 10}


def good(completed, session="good"):
    return {**GOOD, "session": session, "completed": completed}


class Ingest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.agent = Agent()
        cls.addClassCleanup(cls.agent.__exit__, None, None, None)

    def completed(self, session):
        found = self.agent.session(session)
        return found and found["metrics"]["filesCompleted"]

    def test_socket_to_api_and_metrics(self):
        with self.agent.stream() as stream:
            stream.send({"event": "session.start", "session": "s1", "name": "one", "totalFiles": 4},
                        {"event": "file", "session": "s1", "file": "a", "status": "completed", "bytes": 10},
                        {"event": "file", "session": "s1", "file": "b", "status": "failed", "error": "no"},
                        {"event": "file", "session": "s1", "file": "c", "status": "processing", "progress": 50})
            self.assertEqual([], stream.finish())
        metrics = self.agent.session("s1")["metrics"]
        self.assertEqual([4, 1, 1, 1, 1], [metrics[field] for field in (
            "totalFiles", "filesCompleted", "filesFailed", "filesProcessing", "filesPending")])
        self.assertEqual(62.5, metrics["progressPercentage"])
        states = {state: self.agent.total("progress_session_files", session="s1", state=state)
                  for state in ("pending", "processing", "completed", "failed")}
        self.assertEqual({"pending": 1, "processing": 1, "completed": 1, "failed": 1}, states)
        files = self.agent.get("/v1/sessions/s1/files").json()["items"]
        self.assertEqual(["a", "b", "c"], [file["file"] for file in files])

    def test_http_to_api(self):
        reply = self.agent.post([good(2, "http"), {"event": "nonsense", "session": "http"}])
        self.assertEqual(200, reply.status)
        answer = reply.json()
        self.assertEqual((1, 1), (answer["accepted"], answer["rejected"]))
        self.assertEqual((2, "unknown_event"), (answer["errors"][0]["line"], answer["errors"][0]["code"]))
        self.assertEqual(2, self.completed("http"))

    def test_http_json(self):
        one = self.agent.post(json.dumps(good(1, "json")).encode(), "application/json")
        self.assertEqual((200, 1), (one.status, one.json()["accepted"]))
        array = self.agent.post(json.dumps([good(2, "json"), 7, good(3, "json")]).encode(), "application/json")
        self.assertEqual((2, 1), (array.json()["accepted"], array.json()["rejected"]))
        self.assertEqual((2, "not_an_object"), (array.json()["errors"][0]["line"], array.json()["errors"][0]["code"]))
        self.assertEqual(3, self.completed("json"))
        broken = self.agent.post(b'[{"event":"progress","session":"json","completed":9},', "application/json")
        self.assertEqual((400, 0), (broken.status, broken.json()["accepted"]))
        self.assertEqual(3, self.completed("json"))

    def test_http_statuses(self):
        self.assertEqual(200, self.agent.post(b"").status)
        self.assertEqual(400, self.agent.post(b"nonsense\n").status)
        self.assertEqual(415, self.agent.post(b"a=b", "application/x-www-form-urlencoded").status)
        self.assertEqual(413, self.agent.post(b" " * (9 << 20)).status)
        self.assertEqual(404, self.agent.get("/metrics", port=self.agent.ingest_port).status)
        self.assertEqual(404, self.agent.request("POST", "/v1/events", b"{}").status)
        gzip = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
        self.assertEqual(415, self.agent.request("POST", "/v1/events", b"x", gzip, self.agent.ingest_port).status)
        rebound = {"Content-Type": "application/x-ndjson", "Host": "rebound.example"}
        self.assertEqual(421, self.agent.request("POST", "/v1/events", b"", rebound, self.agent.ingest_port).status)
        self.assertEqual(404, self.agent.get("/v1/sessions/nobody").status)
        self.assertEqual("unknown_session", self.agent.get("/v1/sessions/nobody").json()["error"]["code"])

    def test_refusals_on_a_stream(self):
        with self.agent.stream() as stream:
            stream.send_bytes(b'{"event":"file","session":"r"}\n\n{"event":\r\n[]\n' + lines([good(4, "r")]))
            refusals = [line["error"] for line in stream.finish()]
        self.assertEqual([(1, "missing_field", "file"), (3, "invalid_json", None), (4, "not_an_object", None)],
                         [(error["line"], error["code"], error.get("field")) for error in refusals])
        self.assertTrue(all(error["message"] for error in refusals))
        self.assertEqual(4, self.completed("r"))

    def test_an_over_long_line_costs_itself_only(self):
        with self.agent.stream() as stream:
            stream.send_bytes(b'{"event":"' + b"x" * 200_000 + b'"}\n' + lines([good(5, "long")]))
            self.assertEqual([(1, "line_too_long")],
                             [(line["error"]["line"], line["error"]["code"]) for line in stream.finish()])
        self.assertEqual(5, self.completed("long"))

    def test_unfinished_lines(self):
        half = b'{"event":"progress","session":"half","completed":1,"total":2}'
        with self.agent.stream() as stream:
            stream.send_bytes(lines([good(1, "whole")]) + half)
            stream.finish()
        self.assertEqual(1, self.completed("whole"))
        self.assertIsNone(self.agent.session("half"), "applied although it may have been cut")
        self.assertEqual(1, self.agent.post(half).json()["accepted"])
        self.assertEqual(1, self.completed("half"))

    def test_split_anywhere(self):
        """Lines arrive in pieces of every size."""
        data = lines(good(number, "pieces") for number in range(1, 40))
        with self.agent.stream() as stream:
            for size in range(1, 60):
                piece, data = data[:size], data[size:]
                stream.send_bytes(piece)
            stream.send_bytes(data)
            self.assertEqual([], stream.finish())
        self.assertEqual(39, self.completed("pieces"))

    def test_a_client_that_never_reads_slows_nobody(self):
        before = self.agent.total("progress_agent_events_rejected_total")
        count = 100_000
        with self.agent.stream() as deaf:
            deaf.send_bytes(b"nonsense\n" * count + lines([good(7, "deaf")]))
            until(lambda: self.completed("deaf") == 7, what="its good event is applied")
            with self.agent.stream() as other:
                other.send(good(8, "other"))
                until(lambda: self.completed("other") == 8, what="another client's event is applied")
        self.assertEqual(count, self.agent.total("progress_agent_events_rejected_total") - before)

    def test_datagrams(self):
        path = self.agent.folder / "datagram.sock"
        with Agent(f"--ingest.datagram-socket={path}") as agent, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(lines([good(1, "d"), {"event": "nonsense"}, good(2, "d")])[:-1], str(path))
            until(lambda: agent.session("d") and agent.session("d")["metrics"]["filesCompleted"] == 2)
            self.assertEqual(1, agent.total("progress_agent_events_rejected_total"))

    def test_delete_stops_a_session(self):
        self.agent.post([good(1, "gone")])
        reply = self.agent.request("DELETE", "/v1/sessions/gone", port=self.agent.ingest_port)
        self.assertEqual(204, reply.status)
        refused = self.agent.post([good(2, "gone")])
        self.assertEqual("session_stopped", refused.json()["errors"][0]["code"])
        self.assertEqual(1, self.agent.post([{"event": "session.start", "session": "gone"}]).json()["accepted"])


if __name__ == "__main__":
    unittest.main()
