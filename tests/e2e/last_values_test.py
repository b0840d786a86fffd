"""Short jobs beside an agent that leaves with them: their last values reach a real Prometheus or, when it is gone, a real
Pushgateway."""

import os
import random
import socket
import threading
import time
import unittest

from harness.agent import Agent, free_port
from harness.exposition import one
from harness.prometheus import Prometheus
from harness.pushgateway import Pushgateway

FULL = bool(os.environ.get("AGENT_FULL"))
JOBS = 100 if FULL else 12
INTERVAL = 10.0 if FULL else 1.0  # seconds between two scrapes
SHORTEST, LONGEST = 0.05 * INTERVAL, 4 * INTERVAL if FULL else 1.5 * INTERVAL
AT_ONCE = 12
SCRAPER = {"X-Prometheus-Scrape-Timeout-Seconds": "10"}


class Job(threading.Thread):
    """A job of some files and its agent; the agent ends by itself."""

    def __init__(self, number, port, chance):
        super().__init__(daemon=True)
        self.number, self.port = number, port
        self.seconds = chance.uniform(SHORTEST, LONGEST)
        self.files = chance.randint(1, 200)
        self.left_after = None

    def run(self):
        with Agent("--exit-when-done", f"--shutdown.linger={int(4000 * INTERVAL)}ms", web_port=self.port) as agent:
            began = time.monotonic()
            with agent.stream() as stream:
                for done in range(1, self.files + 1):
                    time.sleep(max(0.0, began + self.seconds * done / self.files - time.monotonic()))
                    stream.send({"event": "progress", "session": f"job-{self.number}", "completed": done,
                                 "total": self.files})
                stream.send({"event": "session.end", "session": f"job-{self.number}", "status": "completed"})
                stream.finish()
            ended = time.monotonic()
            agent.process.wait(60)
            self.left_after = time.monotonic() - ended


class LastValues(unittest.TestCase):
    def test_prometheus_has_them(self):
        chance = random.Random(8)
        ports = [free_port() for _ in range(AT_ONCE)]
        with Prometheus(*(f"127.0.0.1:{port}" for port in ports), interval=f"{int(INTERVAL * 1000)}ms") as prometheus:
            jobs = [Job(number, ports[number % AT_ONCE], chance) for number in range(JOBS)]
            for first in range(0, JOBS, AT_ONCE):
                for job in jobs[first:first + AT_ONCE]:
                    job.start()
                for job in jobs[first:first + AT_ONCE]:
                    job.join(120)
                    self.assertIsNotNone(job.left_after)
            found = {labels["session"]: value for labels, value in prometheus.query(
                'max by (session) (last_over_time(progress_session_files{state="completed"}[1h]))')}
        self.assertEqual({f"job-{job.number}": job.files for job in jobs}, found)
        # Two seconds without a stream tell that the job is over, noticed within one more; then the next scrape comes.
        late = [job.left_after for job in jobs if job.left_after > 6 + INTERVAL]
        self.assertEqual([], late)

    def leave(self, *flags, scraped=False):
        """An agent with something to tell that goes without waiting long."""
        with Agent("--shutdown.linger=300ms", *flags) as agent:
            agent.post([{"event": "progress", "session": "s", "completed": 7, "total": 9}])
            if scraped:
                agent.get("/metrics", SCRAPER)
            agent.stop()
            return agent.log()

    def test_a_pushgateway_has_them_once(self):
        with Pushgateway() as gateway:
            log = self.leave(f"--push.gateway-url={gateway.url}")
            found = gateway.samples()
            self.assertEqual(7, one(found, "progress_session_files", session="s", state="completed",
                                    job="progress-agent", instance=socket.gethostname()))
            self.assertEqual(1, gateway.pushes())
        self.assertIn("pushed the final values", log)

    def test_nothing_is_pushed_that_was_scraped(self):
        with Pushgateway() as gateway:
            self.leave(f"--push.gateway-url={gateway.url}", scraped=True)
            self.assertEqual(0, gateway.pushes())

    def test_a_gateway_that_is_gone_is_said(self):
        began = time.monotonic()
        port = free_port()
        log = self.leave(f"--push.gateway-url=http://ann:secret@127.0.0.1:{port}")
        self.assertRegex(log, "the final values reached nobody.* fault=\"push to "
                         rf"http://127\.0\.0\.1:{port}: Connection refused\"\n")
        self.assertRegex(log, "password in a flag.* flag=--push.gateway-url")
        self.assertNotIn("secret", log)
        self.assertLess(time.monotonic() - began, 20)


if __name__ == "__main__":
    unittest.main()
