"""Targets of notifications that hang, fail, or answer without end: events are taken and scrapes answered as fast as by an
agent whose target works. Both agents are asked in turn: what else the machine does meets both alike."""

import contextlib
import multiprocessing
import os
import tempfile
import time
import unittest
from pathlib import Path

from harness.agent import Agent
from harness.polling import until
from harness.receiver import Receiver, endless

SAMPLES = 5_000 if os.environ.get("AGENT_FULL") == "1" else 800  # of each way: over several tries to tell
TRIES = 3  # a machine that others use


def error(handler):
    handler.send_response(500)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def hang(_):
    time.sleep(1.5)


def p99(seconds):
    return sorted(seconds)[int(0.99 * len(seconds))]


def failing_run(number):
    """A session that ends badly: an alert to tell of."""
    session = f"s{number % 100}"
    return [{"event": "session.start", "session": session, "totalFiles": 20},
            *({"event": "file", "session": session, "file": f"f{i}", "status": "failed" if i < 10 else "completed"}
              for i in range(20)),
            {"event": "session.end", "session": session, "status": "failed"}]


def serve(behave, pipe):
    with Receiver(behave=behave) as receiver:
        pipe.send(receiver.port)
        pipe.recv()


@contextlib.contextmanager
def target(behave):
    """The port of a target that behaves so, in a process of its own: what it takes slows no measurement here."""
    forked = multiprocessing.get_context("fork")
    here, there = forked.Pipe()
    process = forked.Process(target=serve, args=(behave, there))
    process.start()
    try:
        yield here.recv()
    finally:
        here.send(None)
        process.join(10)
        process.kill()


class Notifications(unittest.TestCase):
    def agent(self, behave):
        """An agent whose target behaves so, and was asked."""
        port = self.enterContext(target(behave))
        folder = self.enterContext(tempfile.TemporaryDirectory())
        config = Path(folder) / "agent.yaml"
        config.write_text(f"notify:\n  alertmanagers:\n    - url: http://127.0.0.1:{port}\n      timeout: 1s\n")
        agent = self.enterContext(Agent(f"--config.file={config}"))
        for number in range(100):
            agent.post(failing_run(number))
        until(lambda: agent.total("progress_agent_notifications_total"), 30)
        return agent

    def compare(self, bad, good):
        """How much longer than is allowed it takes beside the bad target, in seconds, by the worse of both ways; and
        what was measured."""
        ways = {"ingest": lambda agent, i: agent.post(failing_run(i)), "scrape": lambda agent, i: agent.get("/metrics")}
        taken = {(way, agent): [] for way in ways for agent in (bad, good)}
        for i in range(SAMPLES):
            for way, ask in ways.items():
                for agent in (bad, good) if i % 2 else (good, bad):
                    began = time.monotonic()
                    self.assertEqual(200, ask(agent, i).status)
                    taken[way, agent].append(time.monotonic() - began)
        figures = {way: (p99(taken[way, bad]), p99(taken[way, good])) for way in ways}
        return max(b - 1.2 * g - 0.005 for b, g in figures.values()), figures

    def test_they_slow_nobody_down(self):
        good = self.agent(None)
        for behave in (error, hang, endless):
            with self.subTest(behave.__name__):
                bad = self.agent(behave)
                if behave is not endless:
                    until(lambda: bad.total("progress_agent_notifications_failing") == 1, 15)
                for _ in range(TRIES):
                    excess, figures = self.compare(bad, good)
                    print(behave.__name__, {way: f"{b * 1000:.2f} ms, else {g * 1000:.2f} ms"
                                            for way, (b, g) in figures.items()})
                    if excess <= 0:
                        break
                self.assertLessEqual(excess, 0, figures)


if __name__ == "__main__":
    unittest.main()
