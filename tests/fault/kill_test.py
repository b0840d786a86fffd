"""The agent killed at random instants under load: nothing acknowledged is lost, nothing counts twice."""

import os
import random
import signal
import tempfile
import threading
import time
import unittest

from harness.agent import Agent, Stream

KILLS = int(os.environ.get("AGENT_KILLS", "200" if os.environ.get("AGENT_FULL") else "20"))
PRODUCERS = 8


class Producer(threading.Thread):
    """Sends numbered events until it is told to stop; sends again what was not acknowledged."""

    def __init__(self, name, path):
        super().__init__(daemon=True)
        self.producer, self.path = name, path
        self.sent = self.acknowledged = 0
        self.forgets = random.Random(name).random() < 0.3  # goes on from an older acknowledgement
        self.stopping = threading.Event()
        self.fault = None

    def event(self, seq):
        return {"event": "api", "session": f"of-{self.producer}", "seq": seq, "provider": "p", "tokens": 1}

    def run(self):
        while not (self.stopping.is_set() and self.acknowledged == self.sent):
            try:
                self.connect_and_send()
            except (OSError, AttributeError, TypeError):
                time.sleep(0.005)
            except AssertionError as fault:
                self.fault = fault
                return

    def connect_and_send(self):
        with Stream(self.path, timeout=5) as stream:
            stream.send({"event": "hello", "producer": self.producer, "ack": True})
            welcome = stream.line()["welcome"]
            if not welcome["durable"]:
                raise AssertionError("not durable")
            if welcome["lastSeq"] < self.acknowledged:
                raise AssertionError(f"{self.producer}: {welcome['lastSeq']} after ack {self.acknowledged}")
            first = max(1, welcome["lastSeq"] + 1 - (50 if self.forgets else 0))
            while True:
                last = self.sent if self.stopping.is_set() else max(self.sent, first - 1) + 20
                if last >= first:
                    stream.send(*(self.event(seq) for seq in range(first, last + 1)))
                    self.sent = max(self.sent, last)
                    first = last + 1
                while self.acknowledged < self.sent:
                    self.acknowledged = max(self.acknowledged, stream.line()["ack"])
                if self.stopping.is_set() and self.acknowledged == self.sent:
                    return


class Kill(unittest.TestCase):
    def test_nothing_acknowledged_is_lost_and_nothing_counts_twice(self):
        chance = random.Random(4)
        with tempfile.TemporaryDirectory(prefix="kill-") as folder:
            socket = f"{folder}/agent.sock"
            producers = [Producer(f"p{i}", socket) for i in range(PRODUCERS)]
            for producer in producers:
                producer.start()
            for _ in range(KILLS):
                agent = Agent(f"--ingest.socket={socket}", f"--storage.path={folder}/db", folder=folder)
                time.sleep(chance.random() * 0.3)
                agent.signal(signal.SIGKILL)
                agent.process.wait()
            with Agent(f"--ingest.socket={socket}", f"--storage.path={folder}/db", folder=folder) as agent:
                for producer in producers:
                    producer.stopping.set()
                for producer in producers:
                    producer.join(60)
                    self.assertIsNone(producer.fault)
                    self.assertFalse(producer.is_alive())
                    calls = agent.session(f"of-{producer.producer}")["metrics"]["apiCallsTotal"]
                    self.assertEqual(producer.sent, calls)
                    self.assertLess(0, calls)


if __name__ == "__main__":
    unittest.main()
