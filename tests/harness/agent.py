"""A progress-agent of the test's own: started on free ports, stopped by its own process id."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from harness import exposition
from harness.polling import until

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("AGENT_BUILD", ROOT / "build" / "release"))
BINARY = BUILD / "progress-agent"
OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}
NDJSON = "application/x-ndjson"


def sanitized():
    """Whether the binary is instrumented: its memory and times then say nothing about the real one's."""
    cache = (BUILD / "CMakeCache.txt").read_text()
    return bool(re.search(r"^AGENT_SANITIZE:\w+=\S", cache, re.MULTILINE))


def free_ports(count):
    """All different, and free a moment ago."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def free_port():
    return free_ports(1)[0]


def lines(events):
    """Events (objects) as the bytes of NDJSON."""
    return b"".join(json.dumps(event, separators=(",", ":")).encode() + b"\n" for event in events)


def run(*arguments, **options):
    """Runs the binary to its end; text in and out."""
    options.setdefault("timeout", 60)
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, check=False, **options)


class Reply:
    """An HTTP reply, read to its end."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


class Stream:
    """A client of the Unix stream socket that speaks lines."""

    def __init__(self, path, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(str(path))
        except OSError:
            self.socket.close()
            raise
        self.pending = b""

    def send(self, *events):
        self.socket.sendall(lines(events))

    def send_bytes(self, data):
        self.socket.sendall(data)

    def line(self):
        """The next line as JSON; None at the end of the stream."""
        while b"\n" not in self.pending:
            got = self.socket.recv(65536)
            if not got:
                return None
            self.pending += got
        text, self.pending = self.pending.split(b"\n", 1)
        return json.loads(text)

    def finish(self):
        """Half-closes, then reads every line that is left."""
        self.socket.shutdown(socket.SHUT_WR)
        left = list(iter(self.line, None))
        self.close()
        return left

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Agent:
    """Runs `progress-agent serve` (or another command that serves) until the `with` block ends. With `tls`, an
    ssl.SSLContext, it is asked over TLS; `authorization` goes with every request."""

    def __init__(self, *arguments, command="serve", folder=None, environment=None, ready=True, binary=BINARY,
                 web_port=None, tls=None, authorization=None):
        self.tls, self.authorization = tls, authorization
        self.temporary = None if folder else tempfile.TemporaryDirectory(prefix="agent-")
        self.folder = Path(folder or self.temporary.name)
        some, self.ingest_port = free_ports(2)
        self.web_port = web_port or some
        self.socket_path = self.folder / "agent.sock"
        self.log_path = self.folder / "log"
        defaults = {"--web.listen-address": f"127.0.0.1:{self.web_port}",
                    "--ingest.listen-address": f"127.0.0.1:{self.ingest_port}",
                    "--ingest.socket": self.socket_path, "--shutdown.linger": "0s"}
        given = {argument.split("=")[0] for argument in arguments}
        flags = [f"{name}={value}" for name, value in defaults.items() if name not in given]
        started = time.monotonic()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([binary, command, *flags, *arguments], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env={**os.environ, **(environment or {})})
        if ready:
            until(self.is_ready, 30, lambda: "the agent is not ready: " + self.log(), every=0.0005)
        self.is_killed = False
        self.start_seconds = time.monotonic() - started

    # What it is doing.
    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the agent ended with {self.process.returncode}: {self.log()}")
        try:
            return self.get("/-/ready").status == 200
        except OSError:
            return False

    def log(self):
        return self.log_path.read_text(errors="replace")

    def cpu_seconds(self):
        """User and system time, by the process's own clock."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def rss_bytes(self, field="VmRSS"):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE).group(1)) * 1024

    # HTTP.
    def request(self, method, path, body=None, headers=None, port=None, timeout=60):
        address = ("127.0.0.1", port or self.web_port)
        connection = (http.client.HTTPSConnection(*address, timeout=timeout, context=self.tls) if self.tls else
                      http.client.HTTPConnection(*address, timeout=timeout))
        own = {"Authorization": self.authorization} if self.authorization else {}
        try:
            connection.request(method, path, body, {**own, **(headers or {})})
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, headers=None, port=None):
        return self.request("GET", path, headers=headers, port=port)

    def post(self, body, content_type=NDJSON, path="/v1/events"):
        """To the ingest listener; `body` is bytes, or a list of events."""
        data = body if isinstance(body, bytes) else lines(body)
        return self.request("POST", path, data, {"Content-Type": content_type}, self.ingest_port)

    def session(self, name):
        reply = self.get(f"/v1/sessions/{name}")
        return reply.json() if reply.status == 200 else None

    def samples(self, headers=None):
        return exposition.samples(self.get("/metrics", headers).body.decode())

    def total(self, family, **labels):
        """The sum of a family's samples that carry these labels."""
        return exposition.total(self.samples(), family, **labels)

    # The socket.
    def stream(self, **options):
        return Stream(self.socket_path, **options)

    # Its end.
    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """Ends it without warning; the `with` block then asks for no exit code."""
        self.process.kill()
        self.process.wait()
        self.is_killed = True

    def stop(self, seconds=20):
        """SIGTERM, and the exit code; a second SIGTERM ends a wait for scrapers."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"still running {seconds} s after SIGTERM: {self.log()[-2000:]}") from None
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            code = self.stop()
            if kind is None and code != 0 and not self.is_killed:
                raise AssertionError(f"the agent ended with {code}: {self.log()[-4000:]}")
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            if self.temporary:
                self.temporary.cleanup()
