"""Acknowledged delivery over a stream and over HTTP, in memory mode."""

import unittest

from harness.agent import Agent
from harness.polling import until


def count(seq, session, completed=None, **fields):
    return {"event": "progress", "session": session, "seq": seq, "total": 1000,
            "completed": seq if completed is None else completed, **fields}


class Delivery(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.agent = Agent()
        cls.addClassCleanup(cls.agent.__exit__, None, None, None)

    def hello(self, producer, ack=True):
        stream = self.agent.stream()
        self.addCleanup(stream.close)
        stream.send({"event": "hello", "producer": producer, "ack": ack})
        welcome = stream.line()["welcome"]
        self.assertEqual((producer, False), (welcome["producer"], welcome["durable"]))
        return stream, welcome["lastSeq"]

    def await_ack(self, stream, seq):
        """Reads cumulative acknowledgements up to `seq`; anything else is a fault."""
        while True:
            ack = stream.line()["ack"]
            self.assertLessEqual(ack, seq)
            if ack == seq:
                return

    def completed(self, session):
        return self.agent.session(session)["metrics"]["filesCompleted"]

    def test_acknowledged_and_never_twice(self):
        stream, last = self.hello("p1")
        self.assertEqual(0, last)
        stream.send(*(count(seq, "p1") for seq in range(1, 501)))
        self.await_ack(stream, 500)
        self.assertEqual(500, self.completed("p1"))
        stream.close()

        duplicates = self.agent.total("progress_agent_events_duplicate_total")
        again, last = self.hello("p1")
        self.assertEqual(500, last)
        again.send(*(count(seq, "p1", completed=1) for seq in range(401, 501)), count(501, "p1"))
        self.await_ack(again, 501)
        self.assertEqual(501, self.completed("p1"))
        self.assertEqual(100, self.agent.total("progress_agent_events_duplicate_total") - duplicates)

    def test_a_refused_event_uses_up_its_seq(self):
        stream, _ = self.hello("p2")
        stream.send(count(1, "p2"), {"event": "nonsense", "session": "p2", "seq": 2}, count(3, "p2"))
        replies = [stream.line()]
        while "ack" not in replies[-1] or replies[-1]["ack"] < 3:
            replies.append(stream.line())
        self.assertEqual(["unknown_event"], [reply["error"]["code"] for reply in replies if "error" in reply])
        stream.close()
        self.assertEqual(3, self.hello("p2")[1])

    def test_each(self):
        """One reply for each line, in order."""
        stream, _ = self.hello("p3", "each")
        stream.send(count(1, "p3"), {"event": "progress", "session": "p3", "completed": 2}, count(2, "p3"))
        stream.send_bytes(b"nonsense\n")
        self.assertEqual([{"ack": 1}, {"ok": 3}, {"ack": 2}], [stream.line() for _ in range(3)])
        self.assertEqual((5, "invalid_json"), (lambda e: (e["line"], e["code"]))(stream.line()["error"]))

    def test_gaps_are_applied(self):
        stream, _ = self.hello("p4")
        stream.send(count(1, "p4"), count(10, "p4"))
        self.await_ack(stream, 10)
        self.assertEqual(10, self.completed("p4"))

    def test_another_producer_on_the_stream_is_refused(self):
        stream, _ = self.hello("p5")
        stream.send(count(1, "p5", producer="p6"))
        error = stream.line()["error"]
        self.assertEqual(("invalid_field", "producer"), (error["code"], error["field"]))

    def test_a_new_hello_takes_over(self):
        older, _ = self.hello("p7")
        older.send(count(1, "p7"))
        self.await_ack(older, 1)
        newer, last = self.hello("p7")
        self.assertEqual(1, last)
        self.assertIsNone(older.line(), "the older stream is closed")
        newer.send(count(2, "p7"))
        self.await_ack(newer, 2)

    def test_http(self):
        reply = self.agent.post([count(seq, "h", producer="h1") for seq in (1, 2, 3)])
        self.assertEqual((3, {"h1": 3}), (reply.json()["accepted"], reply.json()["acks"]))
        again = self.agent.post([count(seq, "h", completed=1, producer="h1") for seq in (2, 3)] +
                                [count(4, "h", producer="h1")])
        self.assertEqual({"h1": 4}, again.json()["acks"])
        self.assertEqual(4, self.completed("h"))

    def test_acknowledgements_to_a_client_that_does_not_read_are_kept(self):
        stream, _ = self.hello("p8")
        for start in range(1, 20001, 1000):
            stream.send(*(count(seq, "p8") for seq in range(start, start + 1000)))
        until(lambda: self.completed("p8") == 20000, what="all applied though no reply was read")
        self.await_ack(stream, 20000)


if __name__ == "__main__":
    unittest.main()
