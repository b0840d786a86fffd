"""Hostile clients: what each may cost an agent that is already filled to its configured maxima.

The memory of an attack is its peak over the full agent's, which has once held the largest body that it takes. It is
judged in builds without sanitizers only. AGENT_FULL=1 runs the attacks at their full size, and judges the scrapes beside
them against those before.
"""

import contextlib
import os
import resource
import socket
import tempfile
import threading
import time
import unittest
from pathlib import Path

from harness.agent import Agent, lines, sanitized
from harness.polling import until

FULL = os.environ.get("AGENT_FULL") == "1"
MIB = 1 << 20
MAY_COST = 8 * MIB
LONG = 64 * MIB if FULL else 24 * MIB
HEADERS = 200_000
CONNECTIONS = 1_000
NAMES = 1_000_000 if FULL else 100_000
MAX_SESSIONS, MAX_LABEL_VALUES = 1_000, 100
CONFIGURATION = f"""
sessions: {{max_active: {MAX_SESSIONS}}}
metrics: {{max_label_values: {MAX_LABEL_VALUES}}}
"""
REQUEST = b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"


def progress(number):
    return {"event": "progress", "session": f"session-{number:07d}", "completed": 1, "total": 2}


def api(number):
    return {"event": "api", "session": "session-0000000", "provider": f"provider-{number:07d}", "durationMs": 5}


class Scrapes(threading.Thread):
    """Scrapes as fast as it is answered until stopped; how long each took."""

    def __init__(self, agent):
        super().__init__(daemon=True)
        self.agent, self.seconds, self.stopping = agent, [], threading.Event()

    def run(self):
        while not self.stopping.is_set():
            begin = time.monotonic()
            if self.agent.get("/metrics").status == 200:
                self.seconds.append(time.monotonic() - begin)
            self.stopping.wait(0.02)

    def stop(self):
        self.stopping.set()
        self.join()
        return sorted(self.seconds)[int(len(self.seconds) * 0.99)] if self.seconds else None


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        cls.addClassCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        file = Path(folder.name) / "agent.yaml"
        file.write_text(CONFIGURATION)
        cls.agent = Agent(f"--config.file={file}")
        cls.addClassCleanup(cls.agent.__exit__, None, None, None)
        cls.fill()

    @classmethod
    def fill(cls):
        """To the maxima: sessions, label values, the largest body and the longest line that are taken."""
        with cls.agent.stream() as stream:
            stream.send_bytes(lines(progress(number) for number in range(MAX_SESSIONS)))
            stream.send_bytes(lines(api(number) for number in range(MAX_LABEL_VALUES)))
            stream.finish()
        scrapes = Scrapes(cls.agent)
        scrapes.start()
        until(lambda: len(scrapes.seconds) >= 100, 120)
        cls.calm_p99 = scrapes.stop()
        cls.agent.post(b" " * (8 * MIB - 1) + b"\n")
        cls.full = cls.agent.rss_bytes("VmHWM")

    @contextlib.contextmanager
    def attack(self):
        """Judges the memory and the scrapes of what happens inside; afterwards all must work as before."""
        Path(f"/proc/{self.agent.process.pid}/clear_refs").write_text("5")  # the peak starts anew
        scrapes = Scrapes(self.agent)
        scrapes.start()
        yield
        p99 = scrapes.stop()
        cost = self.agent.rss_bytes("VmHWM") - self.full
        print(f"{self.id().split('.')[-1]}: {cost / MIB:+.1f} MiB, scrape p99 {p99 and p99 * 1000} ms "
              f"(calm {self.calm_p99 * 1000:.1f} ms)")
        self.assertEqual(1, self.agent.post([progress(0)]).json()["accepted"])
        if not sanitized():
            self.assertLessEqual(cost, MAY_COST)
            if FULL and p99 is not None:
                self.assertLessEqual(p99, 1.2 * self.calm_p99 + 0.005)

    def raw(self, data, port=None):
        """Sends bytes to a listener for as long as it takes them; the first line of its reply, or None."""
        with socket.create_connection(("127.0.0.1", port or self.agent.ingest_port), timeout=60) as connection:
            with contextlib.suppress(ConnectionError):
                for piece in data:
                    connection.sendall(piece)
            with contextlib.suppress(ConnectionError):
                reply = connection.recv(65536)
                return reply.split(b"\r\n")[0] if reply else None
            return None

    def refused(self, data, statuses, port=None):
        """It is answered with one of these statuses, or cut off."""
        line = self.raw(data, port)
        if line is not None:
            self.assertIn(line.split()[1], statuses)

    def test_a_long_line(self):
        with self.attack(), self.agent.stream() as stream:
            for _ in range(LONG // MIB):
                stream.send_bytes(b"x" * MIB)
            stream.send_bytes(b"\n" + lines([progress(1)]))
            self.assertEqual(["line_too_long"], [line["error"]["code"] for line in stream.finish()])

    def test_a_long_header(self):
        for port in (self.agent.web_port, self.agent.ingest_port):
            with self.attack():
                head = [b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Long: "]
                self.refused(head + [b"x" * MIB] * (LONG // MIB), {b"400", b"431"}, port)

    def test_many_headers(self):
        with self.attack():
            head = [b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"]
            self.refused(head + [b"".join(b"X-%d: y\r\n" % i for i in range(start, start + 1000))
                                 for start in range(0, HEADERS, 1000)] + [b"\r\n"], {b"400", b"431"},
                         self.agent.web_port)

    def test_a_long_body(self):
        with self.attack():
            self.refused([REQUEST + b"Content-Length: %d\r\n\r\n" % LONG] + [b"x" * MIB] * (LONG // MIB), {b"413"})

    def test_a_long_chunked_body(self):
        chunked = REQUEST + b"Transfer-Encoding: chunked\r\n\r\n"
        with self.attack():
            self.refused([chunked, b"%x\r\n" % LONG] + [b"x" * MIB] * (LONG // MIB), {b"413"})
        with self.attack():  # nine MiB in small chunks
            self.refused([chunked] + [b"4\r\nxxxx\r\n" * 10_000] * (9 * MIB // 40_000), {b"413"})
        with self.attack():  # an endless extension
            self.refused([chunked, b"1;"] + [b"x" * MIB] * (LONG // MIB), {b"400", b"413"})

    def test_dribbling_connections(self):
        with self.attack(), contextlib.ExitStack() as opened:
            def connect(number):
                port = (self.agent.web_port, self.agent.ingest_port)[number % 2]
                connection = socket.create_connection(("127.0.0.1", port), timeout=60)
                return opened.enter_context(connection)
            connections = [connect(number) for number in range(CONNECTIONS)]
            for byte in b"GET /metrics HTTP/1.1\r\nHo":
                for connection in connections:
                    with contextlib.suppress(ConnectionError):
                        connection.sendall(bytes([byte]))
            self.assertEqual(200, self.agent.get("/-/healthy").status)

    def test_idle_streams(self):
        with self.attack(), contextlib.ExitStack() as opened:
            for _ in range(CONNECTIONS // 2):
                stream = opened.enter_context(self.agent.stream())
                stream.send_bytes(b'{"event":"prog')
            self.assertEqual(1, self.agent.post([progress(2)]).json()["accepted"])

    def flood(self, event):
        with self.agent.stream() as stream:
            reader = threading.Thread(target=lambda: list(iter(stream.line, None)))
            reader.start()
            for start in range(0, NAMES, 5_000):
                stream.send_bytes(lines(event(number) for number in range(start, start + 5_000)))
            stream.socket.shutdown(socket.SHUT_WR)
            reader.join()

    def test_many_sessions(self):
        with self.attack():
            self.flood(progress)
        self.assertLessEqual(len({labels["session"] for name, labels, _ in self.agent.samples()
                                  if name == "progress_session_state"}), MAX_SESSIONS)

    def test_many_providers(self):
        with self.attack():
            self.flood(api)
        providers = {labels["provider"] for name, labels, _ in self.agent.samples()
                     if name == "progress_session_api_calls_total"}
        self.assertIn("other", providers)
        self.assertLessEqual(len(providers), MAX_LABEL_VALUES + 1)


if __name__ == "__main__":
    unittest.main()
