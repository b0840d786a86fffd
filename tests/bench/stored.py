"""What storage costs, for bench.py: acknowledged events a second beside the same without storage, how long an
acknowledgement takes beside the disk's own fsync, and how long a restart does.

Everything is in a folder of the disk that the temporary folder is on (TMPDIR chooses another)."""

import contextlib
import itertools
import json
import os
import random
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from harness.polling import until

SESSIONS, FILES = 10_000, 20  # of the restart
HELLO = {"event": "hello", "producer": "bench", "ack": True}


def fsync_seconds(folder, times=200):
    """The median of a small append made durable."""
    taken = []
    with open(Path(folder) / "probe", "wb", buffering=0) as file:
        for _ in range(times):
            begin = time.monotonic()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            taken.append(time.monotonic() - begin)
    return statistics.median(taken)


class Stored:
    def __init__(self, bench):
        self.bench, self.lines = bench, bench.agent_module.lines

    def agent(self, database, **options):
        flags = ("--log.level=warn", "--sessions.max-active=20000")
        stored = (f"--storage.path={database}",) if database else ()
        return self.bench.agent_module.Agent(*flags, *stored, **options)

    def numbered(self, name, lines):
        """A file of these lines (bytes, each an object), as one producer sends them who wants acknowledgements."""
        path = self.bench.folder / f"{name}-numbered.ndjson"
        if not path.exists():
            with open(path, "wb") as out:
                out.write(self.lines([HELLO]))
                for seq, line in enumerate(lines, 1):
                    out.write(b'{"seq":%d,%s' % (seq, line[1:]))
        return path

    def common(self):
        path, count = self.bench.load()
        with open(path, "rb") as lines:
            return self.numbered("common", lines), count

    def random_files(self, sessions=100, files=10_000, count=1_000_000):
        """Each event is of a random one of a million files that are known."""
        chance = random.Random(1)

        def events():
            for session in range(sessions):
                for first in range(0, files, 1000):
                    named = [{"file": f"file-{number:05d}.pdf"} for number in range(first, first + 1000)]
                    yield {"event": "files", "session": f"load-{session:03d}", "files": named}
            for _ in range(count):
                yield {"event": "file", "session": f"load-{chance.randrange(sessions):03d}",
                       "file": f"file-{chance.randrange(files):05d}.pdf", "status": "processing",
                       "progress": chance.randrange(100)}
        path = self.bench.folder / "random-numbered.ndjson"
        return path if path.exists() else self.numbered("random", (self.lines([event]) for event in events())), count

    def send(self, load, folder):
        """Seconds until all is acknowledged, and the agent's CPU seconds."""
        with self.agent(folder) as agent:
            before, begin = agent.cpu_seconds(), time.monotonic()
            subprocess.run([self.bench.tools / "load_send", agent.socket_path, load], check=True,
                           stdout=subprocess.DEVNULL)
            taken, cost = time.monotonic() - begin, agent.cpu_seconds() - before
            agent.kill()
            return taken, cost

    def throughput(self):
        for name, load, least in (("common load", self.common, 300_000), ("random files", self.random_files, 80_000)):
            path, count = load()
            rates, ratios = [], []
            for _ in range(max(1, self.bench.pairs // 2)):
                with tempfile.TemporaryDirectory(prefix="stored-") as folder:
                    taken, cost = self.send(path, folder)
                ratios.append(cost / self.send(path, None)[1])
                rates.append(count / taken)
            yield f"storage, {name}: acknowledged events", statistics.median(rates), "/s", f">= {least}"
            yield f"storage, {name}: CPU to that without", statistics.median(ratios), "x", "<= 2.5"

    def acknowledgement(self, seconds=5, every=0.001, events=10):
        """Of 10,000 events a second over 100 sessions; from the sending of an event to its acknowledgement."""
        with tempfile.TemporaryDirectory(prefix="stored-") as folder, self.agent(folder) as agent, \
                agent.stream() as stream:
            sync = fsync_seconds(folder)
            stream.send(HELLO)
            stream.line()
            sent, heard = {}, {}
            last = int(seconds / every) * events

            def listen():
                acknowledged = 0
                while acknowledged < last:
                    acknowledged = stream.line()["ack"]
                    heard[acknowledged] = time.monotonic()
            listener = threading.Thread(target=listen)
            listener.start()
            begin = time.monotonic()
            for first in range(1, last + 1, events):
                time.sleep(max(0, begin + first / events * every - time.monotonic()))
                sent[first + events - 1] = time.monotonic()
                stream.send(*({"event": "file", "session": f"load-{seq % 100}", "file": f"{seq // 1000}.pdf",
                               "status": "processing", "progress": seq // 100 % 10 * 10, "seq": seq}
                              for seq in range(first, first + events)))
            listener.join()
            agent.kill()
        waits, due = [], iter(sorted(sent))
        following = next(due)
        for acknowledged, at in sorted(heard.items()):
            while following is not None and following <= acknowledged:
                waits.append(at - sent[following])
                following = next(due, None)
        yield "storage: fsync of the disk, median", sync * 1000, "ms", None
        yield "storage: acknowledgement at 10,000 events/s, median", statistics.median(waits) * 1000, "ms", \
            f"<= {2000 * sync + 3:.3g}"

    def restart(self, times=55):
        """Killed with 10,000 live sessions of 20 files, at rest and in a flood of events of all of them; until one more
        event is acknowledged. The CPU is all that the agent has used by then."""
        chance = random.Random(4)
        with tempfile.TemporaryDirectory(prefix="stored-") as folder:
            with self.agent(f"{folder}/db", folder=folder) as agent:
                with agent.stream(timeout=120) as stream:
                    stream.send_bytes(self.lines(self.many_sessions()))
                    stream.finish()
                until(lambda: (Path(folder) / "db" / "agent.db-wal").stat().st_size == 0, 60, what="the agent rests")
                agent.kill()
            os.sync()  # a commit would wait for the hundreds of MB that the benchmarks before have written
            seqs = itertools.count(1)
            for state, events in (("at rest", None), ("in a flood", self.flood_events())):
                def seconds():
                    return events and chance.uniform(0.2, 1)
                if events:
                    self.restart_once(folder, next(seqs), events, seconds())
                walls, costs = zip(*(self.restart_once(folder, next(seqs), events, seconds()) for _ in range(times)))
                name = f"storage: restart, killed {state}"
                yield f"{name}, to the first acknowledgement, median", statistics.median(walls) * 1000, "ms", None
                yield f"{name}, the slowest of {times}", max(walls) * 1000, "ms", "<= 300"
                yield f"{name}: CPU, median", statistics.median(costs) * 1000, "ms", None
                yield f"{name}: CPU, the most", max(costs) * 1000, "ms", None

    def restart_once(self, folder, seq, events, seconds):
        """Wall and CPU seconds to the first acknowledgement; killed then, or after so many seconds of these events."""
        begin = time.monotonic()
        with self.agent(f"{folder}/db", folder=folder, ready=False) as agent:
            self.acknowledge(agent, seq)
            taken = time.monotonic() - begin, agent.cpu_seconds()
            if events:
                self.flood(agent, f"flood-{seq}", events, seconds)
            agent.kill()
        return taken

    @staticmethod
    def flood(agent, producer, events, seconds):
        """Sends them as fast as they are taken, hearing what is acknowledged; ends with the agent."""
        with agent.stream(timeout=seconds) as stream:
            stream.send({**HELLO, "producer": producer})

            def hear():
                with contextlib.suppress(OSError):
                    while stream.line():
                        pass
            listener = threading.Thread(target=hear)
            listener.start()
            with contextlib.suppress(OSError):
                stream.send_bytes(events)
                raise SystemExit("the flood ended before its time")
            agent.kill()
            listener.join()

    @staticmethod
    def flood_events(count=700_000):
        """Numbered, of random files of random sessions: more than an agent takes in a second."""
        chance = random.Random(5)
        return b"".join(b'{"event":"file","session":"s-%d","file":"file-%05d.pdf","status":"processing","progress":%d,'
                        b'"seq":%d}\n' % (chance.randrange(SESSIONS), chance.randrange(FILES), chance.randrange(100), seq)
                        for seq in range(1, count + 1))

    @staticmethod
    def many_sessions():
        begun = time.time() - 100
        for session in range(SESSIONS):
            yield {"event": "session.start", "session": f"s-{session}", "family": f"f-{session % 50}",
                   "totalFiles": FILES, "ts": begun}
        for number in range(FILES):
            for session in range(SESSIONS):
                yield {"event": "file", "session": f"s-{session}", "file": f"file-{number:05d}.pdf", "stage": "parse",
                       "status": "completed" if number < FILES // 2 else "processing", "bytes": 1000 + number,
                       "ts": begun + number}

    def acknowledge(self, agent, seq):
        while True:
            try:
                stream = agent.stream()
                break
            except OSError:
                time.sleep(0.0005)
        with stream:
            stream.send(HELLO, {"event": "file", "session": "s-77", "file": f"{seq}.pdf", "status": "completed",
                                "seq": seq})
            said = [stream.line() for _ in range(2)]
            if said[1] != {"ack": seq}:
                raise SystemExit(f"not acknowledged: {json.dumps(said)}")
