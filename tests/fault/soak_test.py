"""Thousands of sessions through one agent in minutes: its memory stays what it was once it is warm, and the database
within its retention."""

import contextlib
import os
import sqlite3
import tempfile
import time
import unittest

from harness.agent import Agent, lines, sanitized
from harness.polling import until

FULL = bool(os.environ.get("AGENT_FULL"))
SESSIONS = 20_000 if FULL else 2_000
WAVE = 250  # sessions at once
FILES = 20
MOST_GROWTH = 0.02 if FULL else 0.5  # so few sessions are hardly more than the warm-up
AGE = 3600  # seconds, of what they tell: older than what the database keeps


def wave(number):
    """Sessions that live beside each other, and all end."""
    began = time.time() - AGE
    names = [f"job-{number}-{session}" for session in range(WAVE)]
    for name in names:
        yield {"event": "session.start", "session": name, "ts": began, "family": f"family-{len(name) % 3}", "totalFiles": FILES,
               "labels": {"team": "a"}}
    for file in range(FILES):
        for status in ("processing", "completed"):
            for name in names:
                yield {"event": "file", "session": name, "ts": began + file, "file": f"document-{file}.pdf", "status": status,
                       "bytes": 1000 + file, "tokens": 5, "model": "m", "stage": "parse"}
    for name in names:
        yield {"event": "api", "session": name, "ts": began + FILES, "provider": "p", "durationMs": 12}
        yield {"event": "session.end", "session": name, "ts": began + FILES, "status": "completed"}


class Soak(unittest.TestCase):
    def test_memory_and_database_stay_bounded(self):
        with tempfile.TemporaryDirectory(prefix="soak-") as folder, \
                Agent(f"--storage.path={folder}", "--storage.retention=1m", "--sessions.linger=0s",
                      "--log.level=warn") as agent:
            memory, self.sequence = [], 0
            with agent.stream(timeout=120) as stream:
                stream.send({"event": "hello", "producer": "p", "ack": True})
                stream.line()
                for number in range(SESSIONS // WAVE):
                    self.send(wave(number), stream)
                    self.all_leave(agent)
                    memory.append(agent.rss_bytes())
                self.assertEqual(self.sequence, agent.total("progress_agent_events_total"))
                self.assert_flat(memory)
                until(lambda: self.kept(folder) == 0, 90, lambda: f"{self.kept(folder)} attempts are kept too long")
                # What is freed is used again.
                most = self.pages(folder)
                self.send(wave(SESSIONS // WAVE), stream)
                self.all_leave(agent)
                self.assertLessEqual(self.pages(folder), most)

    def send(self, told, stream):
        events = [{**event, "seq": self.sequence + offset} for offset, event in enumerate(told, 1)]
        self.sequence += len(events)
        stream.send_bytes(lines(events))
        while stream.line()["ack"] < self.sequence:
            pass

    @staticmethod
    def all_leave(agent):
        def gone():
            agent.get("/metrics", {"X-Prometheus-Scrape-Timeout-Seconds": "10"})
            return agent.get("/v1/sessions").json()["items"] == []
        until(gone, 30, "sessions stay that have ended and were scraped", every=0.2)

    def assert_flat(self, memory):
        """Of the last two thirds, the mean of the second half to that of the first."""
        warm = memory[len(memory) // 3:]
        half = len(warm) // 2
        first, second = (sum(part) / len(part) for part in (warm[:half], warm[-half:]))
        if not sanitized():
            self.assertLess(second / first - 1, MOST_GROWTH, memory)

    @staticmethod
    def query(folder, sql):
        with contextlib.closing(sqlite3.connect(f"file:{folder}/agent.db?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchone()[0]

    def kept(self, folder):
        return self.query(folder, "SELECT count(*) FROM batch_upload_sessions")

    def pages(self, folder):
        return self.query(folder, "PRAGMA page_count")


if __name__ == "__main__":
    unittest.main()
