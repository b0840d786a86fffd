"""Made-up sessions with the shape of real ones: what a batch of files, a test run, a build, or a crawl sends."""

import heapq
import random

STAGES = ("fetching", "parsing", "embedding", "storing")


class Session:
    """One session's events in the order of their time, and what must be known of it at its end."""

    def __init__(self, name, seed, start):
        self.name = name
        self.random = random.Random(seed)
        self.start = start
        self.files = self.random.choice((12, 40, 150, 400))
        self.workers = self.random.choice((1, 2, 4, 8))
        self.median = self.random.choice((0.2, 1.5, 8.0))  # seconds a file takes
        self.failing = self.random.choice((0.0, 0.0, 0.05, 0.3))
        self.skipped = self.random.choice((0.0, 0.0, 0.2))
        self.expected = {"completed": 0, "failed": 0, "skipped": 0, "retries": 0, "tokens": 0}

    def event(self, kind, at, **fields):
        return {"event": kind, "session": self.name, "ts": round(self.start + at, 4), **fields}

    def file(self, at, number, status, **fields):
        return self.event("file", at, file=f"{self.name}/{number:04d}.pdf", status=status, **fields)

    def one_file(self, number, at):
        """Yields the events of one file from its begin on; the last one ends it."""
        size = int(self.random.lognormvariate(12, 1.5)) + 1
        if self.random.random() < self.skipped:
            self.expected["skipped"] += 1
            yield self.file(at, number, "skipped", bytes=size)
            return
        duration = self.median * self.random.lognormvariate(0, 0.8)
        for stage, name in enumerate(STAGES):
            share = stage / len(STAGES)
            yield self.file(at + share * duration, number, "processing", bytes=size, stage=name, progress=100 * share)
        tokens = size % 5000
        self.expected["tokens"] += tokens
        if self.random.random() >= self.failing:
            self.expected["completed"] += 1
            yield self.file(at + duration, number, "completed", tokens=tokens)
        elif self.random.random() < 0.5:
            self.expected["failed"] += 1
            yield self.file(at + duration, number, "failed", tokens=tokens, error="unreadable")
        else:  # a second try that succeeds; its tokens add to the session's
            self.expected["completed"] += 1
            self.expected["retries"] += 1
            self.expected["tokens"] += tokens
            yield self.file(at + duration, number, "failed", tokens=tokens, error="timed out")
            yield self.file(at + 1.1 * duration, number, "processing")
            yield self.file(at + 2 * duration, number, "completed", tokens=tokens)

    def events(self):
        yield self.event("session.start", 0, name=f"run of {self.name}", family=self.name.rsplit("-", 1)[0],
                         totalFiles=self.files, concurrency=self.workers)
        free = [(0.0, worker) for worker in range(self.workers)]  # when each worker is free again
        queue, order, end = [], 0, 0.0
        for number in range(self.files):
            at, worker = heapq.heappop(free)
            for event in self.one_file(number, at):
                heapq.heappush(queue, (event["ts"], order, event))
                order += 1
                end = max(end, event["ts"] - self.start)
            heapq.heappush(free, (event["ts"] - self.start, worker))
        while queue:
            yield heapq.heappop(queue)[2]
        yield self.event("session.end", end, status="completed")


def generate(count, seed, end):
    """`count` sessions whose last event is at Unix time `end` at the latest: (sessions, events in their order)."""
    sessions = [Session(f"{('nightly', 'crawl', 'build', 'tests')[i % 4]}-{i:02d}", f"{seed}/{i}", 0.0)
                for i in range(count)]
    told = [list(session.events()) for session in sessions]
    shift = end - max(events[-1]["ts"] for events in told)
    for events in told:
        for event in events:
            event["ts"] = round(event["ts"] + shift, 4)
    return sessions, sorted((event for events in told for event in events), key=lambda event: event["ts"])
