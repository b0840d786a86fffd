"""Jobs as they are: their events in a session's own time, made from a few numbers; and what may go wrong with them.
All is the same in every run."""

import heapq
import random
import zlib

START = 1_767_603_600


class Job:
    """Workers take tasks in order. A task is (stage, seconds); a stage begins when the one before is done."""

    def __init__(self, name, workers, tasks, surprises=False):
        self.name, self.workers, self.tasks = name, workers, tasks
        self.surprises = surprises  # what comes late takes far longer than anything before it
        self.luck = random.Random(zlib.crc32(name.encode()))

    def spans(self):
        """(begin, end, file, stage) of every task."""
        free, found, stage, over = [0.0] * self.workers, [], None, 0.0
        for number, (kind, seconds) in enumerate(self.tasks):
            if kind != stage:
                stage, free = kind, [over] * self.workers
            begin = heapq.heappop(free)
            heapq.heappush(free, begin + seconds)
            over = max(over, begin + seconds)
            found.append((begin, begin + seconds, f"f{number}", kind))
        return found

    def events(self, **facts):
        """The session's events in order; times in seconds since its beginning."""
        told = [{"event": "session.start", "ts": 0.0, "totalFiles": len(self.tasks), "family": self.name, **facts}]
        files = []
        for begin, end, file, stage in self.spans():
            common = {"event": "file", "file": file, **({"stage": stage} if stage else {})}
            files.append((begin, 1, {**common, "ts": begin, "status": "processing"}))
            files.append((end, 0, {**common, "ts": end, "status": "completed"}))
        files.sort(key=lambda f: f[:2])
        told += [event for _, _, event in files]
        told.append({"event": "session.end", "ts": told[-1]["ts"], "status": "completed"})
        return told


def written(events, session, start):
    return [{**event, "session": session, "ts": round(start + event["ts"], 4)} for event in events]


def jobs():
    """Of the kinds that are run: alike files, long tails, stages, a first round, one long task at the end."""
    luck = random.Random(7)

    def tail(count, median, spread):
        return [(None, median * luck.lognormvariate(0, spread)) for _ in range(count)]

    return [
        Job("alike", 1, [(None, 12.0)] * 120),
        Job("alike-and-many", 8, [(None, 20.0)] * 400),
        Job("alike-and-long", 4, [(None, 60.0)] * 200),
        Job("of-minutes", 2, [(None, 300.0)] * 40),
        Job("of-hours-in-one-round", 24, [(None, 1_500.0 + 10 * i) for i in range(24)]),
        Job("varied", 4, tail(300, 15, 0.6)),
        Job("long-tail", 1, tail(400, 2, 1.2)),
        Job("tests", 1, [(None, 55.0 if i % 150 == 149 else 0.5) for i in range(900)], surprises=True),
        Job("first-is-short", 6, [(None, 4.0)] + [(None, 400.0 + 7 * i) for i in range(60)], surprises=True),
        Job("stages", 4, [("read", 5.0)] * 100 + [("align", 90.0)] * 40 + [("report", 20.0)] * 20, surprises=True),
        Job("merge-at-the-end", 3, [("map", 10.0)] * 150 + [("merge", 1_500.0)], surprises=True),
        Job("hurried", 2, [(None, 0.05)] * 200),
        Job("of-one-file", 1, [(None, 900.0)]),
    ]
