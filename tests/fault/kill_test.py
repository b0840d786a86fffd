"""The agent killed at random instants under load: nothing acknowledged is lost, nothing counts twice, and no counter
that anybody saw goes backwards."""

import os
import random
import tempfile
import threading
import time
import unittest

from harness.agent import Agent, Stream

KILLS = int(os.environ.get("AGENT_KILLS", "200" if os.environ.get("AGENT_FULL") else "20"))
PRODUCERS = 8
PIECE = 20  # events sent before their acknowledgements are awaited
COUNTERS = ("_total", "_count", "_sum", "_bucket")


class Producer(threading.Thread):
    """Sends numbered events until it is told to stop; after a reconnect sends again what the agent may not have."""

    def __init__(self, number, path):
        super().__init__(daemon=True)
        self.producer, self.path = f"p{number}", path
        self.again = 50 if number % 3 == 0 else 0  # events before the last acknowledged one, sent again all the same
        self.sent = self.acknowledged = 0
        self.stopping = threading.Event()
        self.fault = None

    def event(self, seq):
        """Each event adds to counters, so that one lost or applied twice shows."""
        common = {"session": f"of-{self.producer}", "seq": seq}
        if seq % 2:
            return {**common, "event": "api", "provider": "p", "tokens": 1, "durationMs": seq % 100}
        return {**common, "event": "file", "file": f"{seq}.pdf", "status": "completed", "tokens": 1}

    def run(self):
        while not (self.stopping.is_set() and self.acknowledged == self.sent):
            try:
                self.connect_and_send()
            except OSError:
                time.sleep(0.005)
            except AssertionError as fault:
                self.fault = fault
                return

    def connect_and_send(self):
        with Stream(self.path, timeout=5) as stream:
            stream.send({"event": "hello", "producer": self.producer, "ack": True})
            welcome = self.reply(stream)["welcome"]
            if not welcome["durable"] or not self.acknowledged <= welcome["lastSeq"] <= self.sent:
                raise AssertionError(f"{welcome} after {self.sent} sent, {self.acknowledged} acknowledged")
            self.acknowledged = welcome["lastSeq"]
            following = max(1, welcome["lastSeq"] + 1 - self.again)
            while not (self.stopping.is_set() and self.acknowledged == self.sent):
                last = self.sent if self.stopping.is_set() else max(self.sent, following - 1) + PIECE
                stream.send(*map(self.event, range(following, last + 1)))
                self.sent = max(self.sent, last)
                following = last + 1
                while self.acknowledged < self.sent:
                    self.acknowledged = max(self.acknowledged, self.reply(stream)["ack"])

    @staticmethod
    def reply(stream):
        said = stream.line()
        if said is None:
            raise ConnectionError
        if "error" in said:
            raise AssertionError(said)
        return said


class Watch(threading.Thread):
    """Scrapes one agent until it is gone; no counter of a session may be lower than it ever was."""

    def __init__(self, agent, highest):
        super().__init__(daemon=True)
        self.agent, self.highest = agent, highest
        self.pages = 0
        self.falls = []
        self.start()

    def run(self):
        try:
            while True:
                for name, labels, value in self.agent.samples():
                    if not name.endswith(COUNTERS) or "session" not in labels:
                        continue
                    key = (name, *sorted(labels.items()))
                    if value < self.highest.get(key, 0):
                        self.falls.append((key, self.highest[key], value))
                    self.highest[key] = value
                self.pages += 1
        except (OSError, AttributeError):  # killed, perhaps in the middle of a page
            return


class Kill(unittest.TestCase):
    def test_nothing_acknowledged_is_lost_and_nothing_counts_twice(self):
        chance = random.Random(4)
        highest = {}
        pages = 0
        with tempfile.TemporaryDirectory(prefix="kill-") as folder:
            flags = (f"--ingest.socket={folder}/agent.sock", f"--storage.path={folder}/db")
            producers = [Producer(number, f"{folder}/agent.sock") for number in range(PRODUCERS)]
            for producer in producers:
                producer.start()
            for _ in range(KILLS):
                agent = Agent(*flags, folder=folder)
                watch = Watch(agent, highest)
                time.sleep(chance.random() * 0.3)
                agent.kill()
                watch.join(60)
                self.assertEqual([], watch.falls)
                pages += watch.pages
            with Agent(*flags, folder=folder) as agent:
                watch = Watch(agent, highest)
                for producer in producers:
                    producer.stopping.set()
                for producer in producers:
                    producer.join(60)
                    self.assertIsNone(producer.fault)
                    self.assertFalse(producer.is_alive())
                for producer in producers:
                    self.assertEqual(self.expected(producer.sent), self.found(agent, producer.producer))
            watch.join(60)
            self.assertEqual([], watch.falls)
            self.assertNotIn("level=error", agent.log())
        self.assertLess(KILLS, pages)
        self.assertLess(PRODUCERS * 10, len(highest))

    @staticmethod
    def expected(sent):
        return {"calls": (sent + 1) // 2, "files": sent // 2, "tokens": sent}

    @staticmethod
    def found(agent, producer):
        metrics = agent.session(f"of-{producer}")["metrics"]
        return {"calls": metrics["apiCallsTotal"], "files": metrics["filesCompleted"],
                "tokens": metrics["totalTokensUsed"]}


if __name__ == "__main__":
    unittest.main()
