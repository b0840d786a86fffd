#!/usr/bin/python3
"""What alerts say of recorded sessions, through `progress-agent replay --alert.log` with the default thresholds: of each as
it was, where silences that the contract calls stalls are held against the alerts; and of each with every fault of
tests/harness/faults.py. Exit code 1 when something else fires than should, or a fault is seen in less than 95 % of the
sessions where it is possible.
usage: alert_traces.py --agent PROGRAM [--only FAULT] [--list] [--control] EVENTS.ndjson...      (sessions one after another,
those of a family in order, as `replay` reads them; --list: the sessions that stall, and what is missed; --control: in how
many the same alert comes without the fault, too)"""

import argparse
import collections
import json
import random
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from harness import faults  # noqa: E402

LEAST = 0.95
CLEARLY = 1.05  # p95 durations are kept in buckets a twentieth apart, and rounded up
Fired = collections.namedtuple("Fired", "name begin end value")


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def fired(agent, sessions, alone):
    """{session: [Fired]}, in seconds since its beginning; `end` is infinite for what does not end."""
    with tempfile.TemporaryDirectory() as folder:
        story, log = Path(folder) / "events.ndjson", Path(folder) / "alerts.jsonl"
        with open(story, "w", encoding="utf-8") as file:
            for event in faults.told(sessions, alone):
                file.write(json.dumps(event, separators=(",", ":")) + "\n")
        done = subprocess.run([agent, "replay", story, f"--alert.log={log}"], check=True, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
        if done.stderr:
            sys.exit(done.stderr[:2000])
        begins, start = {}, faults.START
        for session, events in sessions.items():
            begins[session] = start
            start += faults.length(events) + 60
        found = {session: {} for session in sessions}
        for line in log.read_text().splitlines():
            change = json.loads(line)
            alert = change["alert"]
            if alert["state"] == "pending":
                continue
            at = instant(change["at"]) - begins[alert["session"]]
            known = found[alert["session"]]
            if alert["state"] == "firing":
                known.setdefault(alert["id"], Fired(alert["name"], at, float("inf"), alert["value"]))
            elif alert["id"] in known:
                known[alert["id"]] = known[alert["id"]]._replace(end=at)
        return {session: list(known.values()) for session, known in found.items()}


def judge_silence(agent, sessions, lists):
    """Each as it was. What stalls by its own events must be told of, and nothing that its events do not show."""
    said = fired(agent, sessions, alone=False)
    quiet = {session: list(faults.silences(events)) for session, events in sessions.items()}
    known = {session: faults.justified(events) for session, events in sessions.items()}
    show_silence(sessions, said, quiet, lists)
    print(f"  by straight lines the end moved far in {sum('EtaDeviation' in names for names in known.values())}")
    for session, alerts in said.items():
        told = [a for a in alerts if a.name == "SessionStalled"]
        yield from (f"{session}: {a.name} at {a.begin:.0f} s, for which there is no cause"
                    for a in alerts if a not in told and a.name not in known[session])
        yield from (f"{session}: no alert in a silence of {q.seconds:.0f} s at {q.at:.0f} s, which may last {q.most:.0f} s"
                    for q in quiet[session] if q.seconds > CLEARLY * q.most and not any(is_in(q, a) for a in told))
        yield from (f"{session}: an alert at {a.begin:.0f} s, where no silence is too long"
                    for a in told if not any(is_in(q, a) and q.seconds > q.least for q in quiet[session]))


def show_silence(sessions, said, quiet, lists):
    stalls = {session: [q for q in found if q.seconds > q.most] for session, found in quiet.items()}
    stalls = {session: found for session, found in stalls.items() if found}
    print(f"sessions as they were: {len(sessions)}; that stall: {len(stalls)}, of them before any file was done: "
          f"{sum(not any(q.is_known for q in found) for found in stalls.values())}")
    for name in sorted({a.name for alerts in said.values() for a in alerts}):
        where = {session: [a for a in alerts if a.name == name] for session, alerts in said.items()}
        where = {session: alerts for session, alerts in where.items() if alerts}
        print(f"  {name}: in {len(where)}, {sum(map(len, where.values()))} times")
        for session, alerts in where.items() if lists and name != "SessionStalled" else ():
            print(f"    {session}, of {faults.length(sessions[session]):.0f} s:",
                  ", ".join(f"{a.begin:.0f} s, {a.value:.3g}" for a in alerts))
    for session, found in stalls.items() if lists else ():
        worst = max(found, key=lambda q: q.seconds / q.most)
        print(f"  {session}, of {faults.length(sessions[session]):.0f} s: {len(found)} stalls, one of {worst.seconds:.0f} s "
              f"at {worst.at:.0f} s, where {worst.most:.0f} s" + ("" if worst.is_known else ", nothing done yet"))


def is_in(silence, alert):
    return silence.at < alert.begin <= silence.at + silence.seconds + 1e-3


def judge_fault(agent, sessions, inject, alert, lists, controls):
    cases = {name: inject(events, random.Random(name)) for name, events in sessions.items()}
    cases = {name: case for name, case in cases.items() if case.possible}
    said = fired(agent, {name: case.events for name, case in cases.items()}, alone=True)
    control = fired(agent, {name: case.armed for name, case in cases.items()}, alone=True) if controls else None

    def is_seen(name, alerts):
        return any(a.name == alert and a.begin < cases[name].by and a.end > cases[name].begin for a in alerts)

    missed = [name for name in cases if not is_seen(name, said[name])]
    without = f"   without it {sum(is_seen(name, control[name]) for name in cases)}" if controls else ""
    print(f"{inject.__name__:32} {alert:24} {len(cases) - len(missed):4} of {len(cases):4}{without}", flush=True)
    if lists:
        for name in missed:
            print(f"  {name}: {faults.length(sessions[name]):.0f} s, {len(faults.finished(sessions[name]))} files, "
                  f"fault at {cases[name].begin:.0f} s; {[(a.name, round(a.begin)) for a in said[name]]}")
    if len(missed) > (1 - LEAST) * len(cases):
        yield f"{inject.__name__}: {alert} missed in {len(missed)} of {len(cases)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agent", required=True)
    parser.add_argument("--only", help="one fault, or `silence`")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--control", action="store_true")
    parser.add_argument("events", nargs="+")
    options = parser.parse_args()
    sessions = {}
    for name in options.events:
        with open(name, encoding="utf-8") as lines:
            sessions |= faults.read(lines)
    bad = []
    if options.only in (None, "silence"):
        bad += judge_silence(options.agent, sessions, options.list)
    for inject, alert in faults.FAULTS:
        if options.only in (None, inject.__name__):
            bad += judge_fault(options.agent, sessions, inject, alert, options.list, options.control)
    for fault in bad:
        print(fault, file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
