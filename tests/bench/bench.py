"""Measures the release build against the limit probe and a bare Beast server, and prints one table.

Figures are CPU time of the agent's own process, memory, and ratios of things run in turn on one machine. Wall times
are noise on a shared machine: they are used only where waiting is the thing measured.
usage: bench.py --build FOLDER [--only NAME,...] [--pairs N] [--write]
"""

import argparse
import contextlib
import http.client
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
README = Path(__file__).with_name("README.md")
SESSIONS, FILES, ROUNDS = 100, 1000, 10
MODES = ("minimal", "basic", "enhanced", "comprehensive")
INTERVALS_MS = (100, 1000, 10_000)


class Bench:
    def __init__(self, build, pairs, folder):
        os.environ["AGENT_BUILD"] = str(build)
        from harness import agent  # reads the environment
        self.agent_module, self.tools, self.pairs, self.folder = agent, build / "tests" / "bench", pairs, folder

    def agent(self):
        return self.agent_module.Agent("--log.level=warn")

    def load(self, sessions=SESSIONS, files=FILES, rounds=ROUNDS, config=None):
        """The path of a load, and how many events it holds."""
        path = self.folder / f"{sessions}-{files}-{rounds}-{abs(hash(config))}.ndjson"
        if not path.exists():
            with open(path, "wb") as out:
                arguments = [sessions, files, rounds] + ([config] if config else [])
                subprocess.run([self.tools / "load_gen", *map(str, arguments)], stdout=out, check=True)
        return path, sessions * files * rounds + (sessions if config else 0)

    def send(self, agent, path):
        """Sends a load over the socket; the agent's CPU seconds until it has answered the half-close."""
        before = agent.cpu_seconds()
        subprocess.run([self.tools / "load_send", agent.socket_path, path], check=True, stdout=subprocess.DEVNULL)
        return agent.cpu_seconds() - before

    def limit(self, path):
        out = subprocess.run([self.tools / "limit_probe", path], capture_output=True, check=True).stdout
        return json.loads(out)["cpu_s_per_million"]

    # What is measured; each yields (name, value, unit, bound or None).

    def events(self):
        path, count = self.load()
        shares, costs = [], []
        for _ in range(self.pairs):
            limit = self.limit(path)
            with self.agent() as agent:
                cost = self.send(agent, path) * 1e6 / count
                applied = agent.total("progress_agent_events_total")
                if applied != count:
                    raise SystemExit(f"{applied:.0f} of {count} events applied")
            costs.append(cost)
            shares.append(limit / cost)
        yield "socket: share of the limit probe", statistics.median(shares), "", ">= 0.45"
        yield "socket: CPU per million events", statistics.median(costs), "s", None

    def modes(self):
        """With a scrape every 100 ms beside it, which is what makes snapshots be built."""
        kinds = [(mode, interval) for mode in MODES
                 for interval in (INTERVALS_MS if mode == "comprehensive" else (1000,))]
        paths = [self.load(config=f'"mode":"{mode}","config":{{"updateIntervalMs":{interval}}}')[0]
                 for mode, interval in kinds]
        rounds = []
        for _ in range(max(1, self.pairs // 2)):  # all in turn, so that a slow minute is slow for all
            costs = [self.scraped_load(path) for path in paths]
            rounds.append([cost / costs[0] for cost in costs])
        for (mode, interval), ratios in zip(kinds, zip(*rounds)):
            name = f"mode {mode}, updateIntervalMs {interval}: cost to minimal's"
            yield name, statistics.median(ratios), "x", None

    def scraped_load(self, path):
        with self.agent() as agent:
            done = threading.Event()

            def scrape():
                while not done.wait(0.1):
                    agent.get("/metrics")
            scraper = threading.Thread(target=scrape)
            scraper.start()
            cost = self.send(agent, path)
            done.set()
            scraper.join()
            return cost

    def posts(self):
        path, _ = self.load()
        with open(path, "rb") as file:
            lines = list(file)
        batched, arrays = self.post(lines, 1000), self.post(lines, 1000, as_array=True)
        single = self.post(lines[:5000], 1)
        yield "POST of 1,000 events: CPU per million", batched * 1e6, "s", "<= 0.6"
        yield "POST of 1,000 events as a JSON array: CPU per million", arrays * 1e6, "s", "<= 0.6"
        yield "single POSTs to one batch, per event", single / batched, "x", ">= 10"

    def post(self, lines, size, as_array=False):
        """CPU seconds an event, `size` events a request, on one kept connection."""
        headers = {"Content-Type": "application/json" if as_array else self.agent_module.NDJSON}
        with self.agent() as agent:
            connection = http.client.HTTPConnection("127.0.0.1", agent.ingest_port)
            before = agent.cpu_seconds()
            for start in range(0, len(lines), size):
                events = lines[start:start + size]
                body = b"[" + b",".join(events) + b"]" if as_array else b"".join(events)
                connection.request("POST", "/v1/events", body, headers)
                reply = connection.getresponse()
                if json.loads(reply.read())["rejected"]:
                    raise SystemExit("events were refused")
            cost = agent.cpu_seconds() - before
            connection.close()
        return cost / len(lines)

    def start(self):
        """From fork to the first answer, the agent and the bare server in turn."""
        ratios, agents = [], []
        for _ in range(4 * self.pairs):
            with self.agent() as agent:
                agents.append(agent.start_seconds)
            ratios.append(agents[-1] / self.bare_start())
        yield "start: to a bare Beast server's", statistics.median(ratios), "x", "<= 3"
        yield "start", statistics.median(agents) * 1000, "ms", None

    def bare_start(self):
        port = self.agent_module.free_port()
        begin = time.monotonic()
        server = subprocess.Popen([self.tools / "bare_server", str(port)])
        try:
            while True:
                try:
                    connection = http.client.HTTPConnection("127.0.0.1", port)
                    connection.request("GET", "/")
                    connection.getresponse().read()
                    return time.monotonic() - begin
                except OSError:
                    time.sleep(0.0005)
        finally:
            server.kill()
            server.wait()

    def idle(self, seconds=10):
        with self.agent() as agent:
            time.sleep(1)
            before = agent.cpu_seconds()
            time.sleep(seconds)
            yield "idle: memory", agent.rss_bytes() / 2**20, "MiB", "<= 8"
            yield "idle: CPU", (agent.cpu_seconds() - before) / seconds * 100, "%", "<= 0.1"

    def memory(self):
        """The slope between two sizes, half of the files unfinished."""
        sizes = []
        for files in (1000, 5000):
            with self.agent() as agent:
                for count, rounds in ((files, 1), (files // 2, ROUNDS)):
                    self.send(agent, self.load(files=count, rounds=rounds)[0])
                sizes.append(agent.rss_bytes())
        yield "memory of a file with its id of 14 bytes", (sizes[1] - sizes[0]) / (SESSIONS * 4000), "B", "<= 190"

    def scrape(self, scrapes=100):
        """A loaded agent, every session touched between scrapes; CPU of the scrapes alone."""
        with self.agent() as agent, agent.stream() as stream:
            self.send(agent, self.load()[0])
            stream.send({"event": "hello", "producer": "bench", "ack": "each"})  # so that each event is answered
            stream.line()
            page, plain = self.scrapes(agent, stream, scrapes, {})
            series = len(re.findall(rb"^[^#\n]", page, re.MULTILINE))
            yield "scrape: CPU per series", plain / series * 1e9, "ns", "<= 60"
            yield "scrape: CPU per session", plain / SESSIONS * 1e6, "us", "<= 8"
            for kind, headers in (("OpenMetrics", self.agent_module.OPENMETRICS), ("gzip", {"Accept-Encoding": "gzip"})):
                yield f"scrape: {kind} to plain", self.scrapes(agent, stream, scrapes, headers)[1] / plain, "x", None

    def scrapes(self, agent, stream, count, headers):
        """The last page, and CPU seconds a scrape."""
        cost, page = 0.0, b""
        for number in range(count):
            stream.send(*({"event": "file", "session": f"load-{session:03d}", "file": "file-00000.pdf",
                           "status": "processing", "progress": number % 100} for session in range(SESSIONS)))
            for _ in range(SESSIONS):
                stream.line()
            before = agent.cpu_seconds()
            page = agent.get("/metrics", headers).body
            cost += agent.cpu_seconds() - before
        return page, cost / count

    def alerts(self, sessions=10_000, rest=90, seconds=20):
        """Following the alerts of sessions that have been silent for `rest` seconds."""
        with self.agent() as agent:
            self.send(agent, self.load(sessions=sessions, files=1, rounds=1)[0])
            time.sleep(rest)
            before = agent.cpu_seconds()
            time.sleep(seconds)
            cost = (agent.cpu_seconds() - before) / seconds
            yield "alerts of 10,000 sessions at rest: CPU", cost * 100, "%", None

    def visible(self, times=50):
        """From an event sent to a page that shows it, on a fresh agent."""
        seconds = []
        with self.agent() as agent, agent.stream() as stream:
            for number in range(1, times + 1):
                shown = re.compile(rb'^progress_session_files\{[^}]*state="completed"[^}]*\} %d$' % number, re.MULTILINE)
                begin = time.monotonic()
                stream.send({"event": "progress", "session": "visible", "completed": number, "total": 1000})
                while not shown.search(agent.get("/metrics").body):
                    if time.monotonic() - begin > 5:
                        raise SystemExit("an event did not become visible")
                seconds.append(time.monotonic() - begin)
        yield "event to page, median", statistics.median(seconds) * 1000, "ms", "<= 2"

    def live(self, clients=200, rate=100_000):
        """A load at a fixed rate, with so many clients of the live feed and without."""
        path, _ = self.load()
        with open(path, "rb") as file:
            chunks = [b"".join(chunk) for chunk in iter(lambda: list(itertools.islice(file, rate // 10)), [])]
        alone, _ = self.paced(chunks, 0)
        for count in (1, clients):
            cost, sent = self.paced(chunks, count)
            allowed = 1.2 * alone + sent / 1e9
            name = f"live: {count} client{'s' if count > 1 else ''} at {rate:,} events/s"
            yield f"{name}: CPU to that without", cost / alone, "x", None
            yield f"{name}: sent", sent / 1e9, "GB", None
            yield f"{name}: CPU to what is allowed (1.2 x without, and 1 s a GB)", cost / allowed, "x", "<= 1"

    def paced(self, chunks, clients):
        """The agent's CPU seconds for ten chunks a second, and the bytes that clients were sent."""
        from harness.crowd import Crowd
        with self.agent() as agent, agent.stream() as stream:
            crowd = Crowd(agent.web_port, clients) if clients else contextlib.nullcontext()
            with crowd:
                before, began = agent.cpu_seconds(), time.monotonic()
                for number, chunk in enumerate(chunks, 1):
                    stream.send_bytes(chunk)
                    time.sleep(max(0.0, began + number / 10 - time.monotonic()))
                cost = agent.cpu_seconds() - before
            return cost, crowd.bytes if clients else 0

    def estimate(self):
        """An ETA of a session of 1,000 files in 10 stages with 50 in flight."""
        out = subprocess.run([self.tools / "eta_cost"], capture_output=True, text=True, check=False).stdout
        cold, warm = re.search(r"estimate: ([\d.]+) us without history, ([\d.]+) us with", out).groups()
        change = re.search(r"change of a file: ([\d.]+) ns", out).group(1)
        yield "estimate, without history", float(cold), "us", "<= 20"
        yield "estimate, with history", float(warm), "us", "<= 20"
        yield "estimate: CPU per change of a file", float(change), "ns", None

    def track(self):
        """The Python client in a loop that does nothing else, and tqdm in the same."""
        with self.agent() as agent:
            environment = {**os.environ, "PROGRESS_AGENT_INGEST_SOCKET": str(agent.socket_path)}
            out = subprocess.run([sys.executable, Path(__file__).with_name("track_cost.py")], env=environment,
                                 capture_output=True, check=True).stdout
        for name, cost in json.loads(out).items():
            bound = "<= 2" if name == "track" else None
            yield f"Python, {name}(): cost of an iteration over a bare loop", cost, "us", bound


    def stored(self):
        """With storage: acknowledged events, acknowledgements beside the disk's own fsync, restarts."""
        from stored import Stored
        stored = Stored(self)
        for figures in (stored.throughput, stored.acknowledgement, stored.restart):
            yield from figures()


NAMES = ("events", "modes", "posts", "start", "idle", "memory", "scrape", "visible", "live", "alerts", "estimate", "track",
         "stored")


def holds(value, bound):
    sign, number = bound.split()
    return value <= float(number) if sign == "<=" else value >= float(number)


def table(rows):
    yield "| figure | measured | bound |"
    yield "|---|---|---|"
    for name, value, unit, bound in rows:
        verdict = "" if not bound else bound if holds(value, bound) else f"**{bound}**"
        yield f"| {name} | {value:.3g} {unit}".rstrip() + f" | {verdict} |"


def main():
    options = argparse.ArgumentParser(usage=__doc__.rsplit("usage: ", 1)[1])
    options.add_argument("--build", type=Path, required=True)
    options.add_argument("--only", default=",".join(NAMES), help=f"of {', '.join(NAMES)}")
    options.add_argument("--pairs", type=int, default=7)
    options.add_argument("--write", action="store_true", help="put the figures into README.md")
    chosen = options.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(chosen.build.resolve(), chosen.pairs, Path(folder))
        for name in chosen.only.split(","):
            for row in getattr(bench, name)():
                rows.append(row)
                print(f"{row[0]}: {row[1]:.4g} {row[2]} {row[3] or ''}", file=sys.stderr, flush=True)
    measured = list(table(rows))
    print("\n".join(measured))
    if chosen.write:
        write(measured, keeps=chosen.only != ",".join(NAMES))


def write(measured, keeps):
    """Into README.md; `keeps`: the figures that were not measured stay, in their places."""
    before, there, after = README.read_text().split("<!-- figures -->\n")
    lines = [*there.splitlines(), *measured] if keeps else measured
    text = "\n".join({line.split(" | ")[0]: line for line in lines}.values())
    README.write_text(f"{before}<!-- figures -->\n{text}\n<!-- figures -->\n{after}")


if __name__ == "__main__":
    main()
