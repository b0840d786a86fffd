#!/usr/bin/python3
"""Writes generated jobs as events (NDJSON), whose true durations are simple laws: for the project's own score of
its ETAs (eta_score.py), and as sober company for recorded traces in training (config/eta-train/README.md).
usage: eta_traces.py [--seed N] [--repeats N]      (standard output; the same seed gives the same bytes)"""

import argparse
import json
import math
import random

WORKERS = (1, 2, 4, 8, 32)


def durations(rng, count, sigma, median):
    return [median * math.exp(sigma * rng.gauss(0, 1)) for _ in range(count)]


def steady(rng, count):
    """All files alike, up to a little noise."""
    return [{"took": d} for d in durations(rng, count, rng.choice((0.0, 0.1, 0.3)), rng.uniform(0.5, 60))]


def scattered(rng, count):
    return [{"took": d} for d in durations(rng, count, rng.uniform(0.6, 1.3), rng.uniform(0.5, 60))]


def sized(rng, count):
    """Duration in proportion to size."""
    rate = math.exp(rng.uniform(8, 16))
    sizes = [int(math.exp(rng.gauss(14, 1.2))) + 1 for _ in range(count)]
    return [{"took": max(0.01, s / rate * math.exp(0.2 * rng.gauss(0, 1))), "bytes": s} for s in sizes]


def staged(rng, count):
    """Stages one after another, each with its own mean."""
    stages = rng.randint(3, 6)
    means = [math.exp(rng.uniform(0, 4)) for _ in range(stages)]
    return [{"took": means[i * stages // count] * math.exp(0.3 * rng.gauss(0, 1)), "stage": f"s{i * stages // count}"}
            for i in range(count)]


def straggling(rng, count):
    """One file in the end takes as long as a fifth of all others."""
    files = steady(rng, count)
    files[-1]["took"] = 0.2 * sum(f["took"] for f in files)
    return files


KINDS = {"steady": steady, "scattered": scattered, "sized": sized, "staged": staged, "straggling": straggling}


def events(session, family, files, workers, base):
    """The events of one session: files worked off in order by `workers`."""
    free = [0.0] * workers
    moments = []
    for i, f in enumerate(files):
        w = min(range(workers), key=free.__getitem__)
        start, end = free[w], free[w] + max(0.001, f["took"])
        free[w] = end
        moments += [(start, 1, i), (end, 0, i)]
    head = {"session": session, "ts": round(base, 4)}
    yield {"event": "session.start", **head, "totalFiles": len(files), "family": family}
    for i in range(0, len(files), 400):
        announced = [{"file": f"f{k}", **{key: f[key] for key in ("stage", "bytes") if key in f}}
                     for k, f in enumerate(files[i:i + 400], i)]
        yield {"event": "files", **head, "files": announced}
    for at, begins, i in sorted(moments):
        yield {"event": "file", "session": session, "ts": round(base + at, 4), "file": f"f{i}",
               "status": "processing" if begins else "completed"}
    yield {"event": "session.end", "session": session, "ts": round(base + max(free), 4), "status": "completed"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=2, help="families of each kind; each has three runs")
    options = parser.parse_args()
    base = 1.0e9
    for kind, make in KINDS.items():
        for repeat in range(options.repeats):
            rng = random.Random(f"{options.seed} {kind} {repeat}")
            files = make(rng, rng.choice((30, 100, 300)))
            workers = rng.choice(WORKERS)
            for run in range(3):
                speed = math.exp(0.3 * rng.gauss(0, 1))
                now = [{**f, "took": f["took"] * speed * math.exp(0.1 * rng.gauss(0, 1))} for f in files]
                last = base
                for event in events(f"{kind}-{repeat}-{run}", f"{kind}-{repeat}", now, workers, base):
                    last = event["ts"]
                    print(json.dumps(event, separators=(",", ":")))
                base = last + 60


main()
