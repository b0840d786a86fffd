#!/usr/bin/python3
"""The project's own score of its ETAs: generated jobs (eta_traces.py) through `progress-agent replay --eta.log`, with
their families' history and without, at 1 %, 2 %, ... 99 % of each session's time. Prints one row per method; exit code 1
when the method that spoke is worse than what was measured, and a little.
usage: eta_score.py --agent PROGRAM [--repeats N] [--only KIND] [--rows]      (--rows: by kind, too)"""

import argparse
import collections
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

TRACES = Path(__file__).with_name("eta_traces.py")
MOST = 3.0  # an error counts at most three times the session: one early blow-up must not decide a mean
# What the chosen method must hold; measured with two repeats, plus a tenth.
BOUNDS = {
    "warm": {"error": 0.24, "log ratio": 0.71, "late": 0.051, "jump": 0.014, "coverage": (0.75, 0.95), "no answer": 0},
    "cold": {"error": 0.365, "log ratio": 1.09, "late": 0.103, "jump": 0.0195, "coverage": (0.55, 0.90), "no answer": 0},
}


def traces(repeats):
    done = subprocess.run([sys.executable, TRACES, "--repeats", str(repeats)], capture_output=True, check=True)
    return done.stdout.splitlines(keepends=True)


def sessions(events):
    """{session: its events}, in order."""
    found = collections.OrderedDict()
    for line in events:
        found.setdefault(json.loads(line)["session"], []).append(line)
    return found


def predictions(agent, events, folder):
    """{session: [prediction]} of one replay."""
    story, log = Path(folder) / "events.ndjson", Path(folder) / "eta.jsonl"
    story.write_bytes(b"".join(events))
    subprocess.run([agent, "replay", story, f"--eta.log={log}"], check=True, stdout=subprocess.DEVNULL)
    found = collections.defaultdict(list)
    for line in log.read_text().splitlines():
        said = json.loads(line)
        found[said["session"]].append(said)
    return found


def at_moments(said, total):
    """The latest prediction at each moment, and its age."""
    place = -1
    for percent in range(1, 100):
        time = total * percent / 100
        while place + 1 < len(said) and said[place + 1]["t"] <= time + 1e-6:
            place += 1
        yield percent, time, said[place] if place >= 0 else None


def grade(said, total, method):
    """One session's figures; `method` None: the one that spoke."""
    sums = collections.Counter()
    last_end = None
    for percent, time, p in at_moments(said, total):
        left = total - time
        seconds = p and (p.get("remaining_s") if method is None else p.get("methods", {}).get(method))
        if seconds is None:
            sums["no answer"] += 1 / 99
            seconds, age = time, 0  # as long again as it has run
        else:
            age = time - p["t"]
        foretold = max(0.0, seconds - age)
        error = min(MOST, abs(foretold - left) / total)
        sums["error"] += error / 99
        least = 0.01 * total
        sums["log ratio"] += min(3.0, abs(math.log(max(foretold, least) / max(left, least)))) / 99
        if percent > 80:
            sums["late"] += error / 19
        end = min(time + foretold, (1 + MOST) * total)
        if last_end is not None:
            sums["jump"] += abs(end - last_end) / total / 98
        last_end = end
        if method is None and p and "lo_s" in p:
            low, high = max(0.0, p["lo_s"] - age), max(0.0, p["hi_s"] - age)
            sums["coverage"] += (low - 1e-9 <= left <= high + 1e-9) / 99
    return sums


COLUMNS = ("error", "log ratio", "late", "jump", "coverage", "no answer")


def show(name, rows):
    mean = {c: sum(r[c] for r in rows) / len(rows) for c in COLUMNS}
    print(f"{name:32} " + " ".join(f"{mean[c]:9.4f}" for c in COLUMNS))
    return mean


def faults(way, mean):
    for column, bound in BOUNDS[way].items():
        low, high = bound if isinstance(bound, tuple) else (0, bound)
        if not low <= mean[column] <= high + 1e-12:
            yield f"{way}: {column} is {mean[column]:.4f}, and must be {low} to {high}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agent", required=True)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--only")
    parser.add_argument("--rows", action="store_true")
    options = parser.parse_args()
    stories = {name: events for name, events in sessions(traces(options.repeats)).items()
               if not options.only or name.startswith(options.only)}
    with tempfile.TemporaryDirectory() as folder:
        warm = predictions(options.agent, [line for events in stories.values() for line in events], folder)
        cold = {name: predictions(options.agent, events, folder)[name] for name, events in stories.items()}
    bad = []
    print(f"{'':32} " + " ".join(f"{c:>9}" for c in COLUMNS))
    for way, said in (("warm", warm), ("cold", cold)):
        for method in (None, "linear", "exponential", "adaptive", "ml_based"):
            rows = {}
            for name, events in stories.items():
                total = json.loads(events[-1])["ts"] - json.loads(events[0])["ts"]
                rows[name] = grade(said[name], total, method)
            mean = show(f"{way} {method or 'chosen'}", list(rows.values()))
            if options.rows:
                for kind in sorted({name.split("-")[0] for name in rows}):
                    show(f"  {kind}", [r for name, r in rows.items() if name.startswith(kind)])
            if method is None and not options.only:
                bad += faults(way, mean)
    for fault in bad:
        print(fault, file=sys.stderr)
    return 1 if bad else 0


sys.exit(main())
