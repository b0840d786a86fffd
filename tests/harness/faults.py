"""What may go wrong with a job, put into its events; and what its events say by themselves of silences.

A session is a list of events as the agent takes them, but that `ts` is in seconds since its beginning, and `deadlineIn` and
`resetIn` stand for instants; the last one ends it. All rules here read the events alone, never what the agent says of them."""

import bisect
import collections
import json
import math

START = 1_767_603_600
ENOUGH = 20  # finished files, before a rate means something

# events: with the fault, which begins at `begin`; possible: whether the alert must fire, and before `by`; armed: the same
# settings without the fault.
Case = collections.namedtuple("Case", "events begin possible armed by", defaults=(math.inf,))


def read(lines):
    """{session: events} of NDJSON, in order."""
    found, began = {}, {}
    for line in lines:
        event = json.loads(line)
        session = event.pop("session")
        event["ts"] -= began.setdefault(session, event["ts"])
        found.setdefault(session, []).append(event)
    return found


def told(sessions, alone=False):
    """All events, one session after the other, with instants. `alone`: each without a past."""
    start = START
    for session, events in sessions.items():
        for event in events:
            full = {**event, "session": session, "ts": round(start + event["ts"], 4)}
            for relative, name in (("resetIn", "resetAt"), ("deadlineIn", "deadline")):
                if relative in full:
                    full[name] = start + full.pop(relative)
            if alone and event["event"] == "session.start":
                full["family"] = session
            yield full
        start += length(events) + 60


def length(events):
    return events[-1]["ts"]


def copied(events, **facts):
    """With further facts in the first event."""
    return [{**events[0], **facts}, *({**e} for e in events[1:])]


def finished(events, *statuses):
    return [e for e in events if e["event"] == "file" and e.get("status") in (statuses or ("completed", "failed"))]


def spans(events):
    """{file: (begin, end)} of the completed ones."""
    begun, found = {}, {}
    for event in events:
        if event.get("status") == "processing":
            begun.setdefault(event["file"], event["ts"])
        elif event.get("status") == "completed" and event.get("file") in begun:
            found[event["file"]] = begun[event["file"]], event["ts"]
    return found


def at_once(events):
    """The most files in flight at once."""
    begun, most = set(), 1
    for event in events:
        if event.get("status") == "processing":
            begun.add(event["file"])
        elif "status" in event and "file" in event:
            begun.discard(event["file"])
        most = max(most, len(begun))
    return most


def when_done(events, share):
    """When this share of the files was finished."""
    done = finished(events)
    return done[min(len(done) - 1, math.ceil(share * len(done)))]["ts"] if done else length(events)


def stretched(events, begin, factor=1.0, pause=0.0):
    return [{**e, "ts": begin + (e["ts"] - begin) * factor + pause} if e["ts"] > begin else {**e} for e in events]


def joined(events, more):
    return sorted(events[:-1] + [e for e in more if e["ts"] < length(events)], key=lambda e: e["ts"]) + events[-1:]


def reports(events, begin):
    """Moments of something that is measured every few seconds, for ten minutes, and longer in a long session."""
    return [begin + 5 * i for i in range(int(max(600, length(events) / 40) / 5) + 1)]


# Silences.

Silence = collections.namedtuple("Silence", "at seconds least most is_known")


def silences(events, shortest=60, unknown=1800):
    """Those of more than a minute: when, how long, and what the contract lets them last: max(60 s, 5 x the p95 file
    duration), by the lowest and the highest of the usual definitions of a quantile. `unknown`: while none completed."""
    begun, taken, last, paused = {}, [], 0.0, False
    for event in events:
        gap = event["ts"] - last
        if gap > shortest and not paused:
            p95 = [taken[to_whole(0.95 * (len(taken) - 1))] if taken else unknown / 5 for to_whole in (math.floor, math.ceil)]
            yield Silence(last, gap, *(max(60, 5 * seconds) for seconds in p95), bool(taken))
        last = max(last, event["ts"])
        paused = event["event"] == "session.pause" or paused and event["event"] != "session.resume"
        if event.get("status") == "processing":
            begun.setdefault(event["file"], event["ts"])
        elif event.get("status") == "completed" and event.get("file") in begun:
            bisect.insort(taken, event["ts"] - begun.pop(event["file"]))


# What a job's own events justify to be told of, besides its stalls.

def justified(events):
    """Where files failed, what is about failures; where some straight line since a tenth misses the end by half of what it
    foretold, that the end moved."""
    names, done, failed = set(), finished(events), 0
    for count, event in enumerate(done, 1):
        failed += event["status"] == "failed"
        if count >= ENOUGH and failed > 0.1 * count:
            names |= {"HighErrorRate", "QualityDegradation"}
    if failed > 0.05 * len(done):
        names.add("SuccessRateBelowTarget")
    if any(abs(length(events) - line) > 0.5 * line for line in straight_lines(done)):
        names.add("EtaDeviation")
    return names


def straight_lines(done, since=0.1, until=1.0):
    """The ends foretold by the share of files that was done, at each file between these shares."""
    return [event["ts"] * len(done) / count for count, event in enumerate(done, 1)
            if since * len(done) <= count <= until * len(done) and event["ts"] > 0]


# Faults: the session's events and its luck (random.Random) -> Case.

def half_speed_towards_a_deadline(events, _):
    """From when two fifths are done. The deadline would have been met with a fifth to spare; it must be told of before,
    where a straight line through what was done since, drawn five and three minutes before the deadline, misses it."""
    begin, deadline = when_done(events, 0.4), 1.25 * length(events)
    armed = copied(events, deadlineIn=deadline)
    slow = stretched(armed, begin, factor=2)
    done = [e["ts"] for e in finished(slow)]
    before = bisect.bisect_right(done, begin)

    def misses(at):
        since = bisect.bisect_right(done, at) - before
        left = len(done) - before - since
        return since >= ENOUGH and at + left * (at - begin) / since > 1.05 * deadline

    possible = length(slow) > 1.05 * deadline and misses(deadline - 300) and misses(deadline - 180)
    return Case(slow, begin, possible, armed, deadline)


def half_speed(events, _):
    """From when two fifths are done, where a rate under three quarters of the usual one is called low; the window holds 30
    files at the usual rate."""
    begin = when_done(events, 0.4)
    before = [e["ts"] for e in finished(events, "completed") if e["ts"] <= begin]
    usual = len(before) / max(begin, 1e-3)
    window = min(3600, max(60, 30 / max(usual, 1e-9)))
    armed = copied(events, config={"throughputWindowMs": round(1000 * window),
                                   "alertThresholds": {"lowThroughput": 60 * 0.75 * usual}})
    slow = stretched(armed, begin, factor=2)
    return Case(slow, begin, is_slow_for(slow, begin, window, 0.75 * usual, 90), armed)


def is_slow_for(events, begin, window, rate, seconds):
    """Whether for so many seconds after `begin` fewer than `rate` completed in the window, while a file was processed and
    another waited. Looked at when something happens: in between the rate only falls."""
    ends = [e["ts"] for e in finished(events, "completed")]
    total, over, begun, since = events[0].get("totalFiles", 0), 0, set(), None
    for event in events:
        at = event["ts"]
        if event["event"] == "file":
            over += event["status"] in ("completed", "failed")
            (begun.add if event["status"] == "processing" else begun.discard)(event["file"])
        in_window = bisect.bisect_right(ends, at) - bisect.bisect_right(ends, at - window)
        if at <= max(begin, window) or not begun or over + len(begun) >= total or in_window >= 0.95 * rate * window:
            since = None
        elif since is None:
            since = at
        elif at - since > seconds:
            return True
    return False


def fail_some(events, luck, share):
    broken = copied(events)
    for event in finished(broken, "completed"):
        if luck.random() < share:
            event["status"] = "failed"
    return broken


def many_failures(events, luck):
    """A fifth of all files."""
    broken, failed, since = fail_some(events, luck, 0.2), 0, None
    for count, event in enumerate(finished(broken), 1):
        failed += event["status"] == "failed"
        high = count >= ENOUGH and failed > 0.1 * count
        since = (event["ts"] if since is None else since) if high else None
    return Case(broken, 0, since is not None and length(events) - since > 90, events)


def failed_at_the_end(events, luck):
    """A tenth of all files."""
    broken = fail_some(events, luck, 0.1)
    share = len(finished(broken, "failed")) / max(1, len(finished(broken)))
    return Case(broken, length(events), share > 0.05, events)


def stall(events, _):
    """Half of the time is over, and nothing comes for a fifth longer than the contract lets it last."""
    done = sorted(end - begin for begin, end in spans([e for e in events if e["ts"] <= 0.5 * length(events)]).values())
    bound = max(60, 5 * done[math.ceil(0.95 * (len(done) - 1))]) if done else 0
    return Case(stretched(events, 0.5 * length(events), pause=1.2 * bound), 0.5 * length(events), bool(done), events)


def stuck_file(events, _):
    """One of the first quarter never ends; the limit is half more than the longest takes."""
    taken = spans(events)
    if not taken:
        return Case(events, 0, False, events)
    limit = max(1, 1.5 * max(end - begin for begin, end in taken.values()))
    stuck = sorted(taken, key=lambda file: taken[file][0])[len(taken) // 4]
    armed = copied(events, config={"alertThresholds": {"slowProcessingMs": 1000 * limit}})
    broken = [e for e in armed if e.get("file") != stuck or e.get("status") not in ("completed", "failed")]
    begin = taken[stuck][0]
    return Case(broken, begin, length(events) - begin > limit + max(5, 0.01 * length(events)), armed)


def quota_near_its_end(events, _):
    begin = 0.5 * length(events)
    step = (length(events) - begin) / 20
    said = [{"event": "rateLimit", "ts": begin + i * step, "provider": "p", "hits": 0, "limit": 1000,
             "remaining": 300 - 10 * i, "resetIn": begin + 100 * step} for i in range(12)]
    return Case(joined(events, said), begin, length(events) > 60, events)


def rate_limits(events, _):
    """Half of the time of all workers is lost."""
    workers, begin = at_once(events), 0.4 * length(events)
    armed = copied(events, concurrency=workers)
    said = [{"event": "rateLimit", "ts": at, "delayMs": 2500 * workers, "provider": "p"} for at in reports(events, begin)]
    return Case(joined(armed, said), begin, length(events) - begin > 200, armed)


def doubled_cost(events, _):
    """From when three tenths are done; as it was, the budget would have sufficed with a fifth to spare."""
    armed = copied(events, costBudget=0.0125 * len(finished(events)), currency="USD")
    broken = [{**e} for e in armed]
    for i, (event, dear) in enumerate(zip(finished(armed), finished(broken), strict=True)):
        event["cost"] = 0.01
        dear["cost"] = 0.01 if i < 0.3 * len(finished(events)) else 0.02
    return Case(broken, when_done(events, 0.3), len(finished(events)) >= 5, armed)


def lower_quality(events, _):
    """From when a quarter is done: from 0.95 to 0.2."""
    broken = copied(events)
    done = finished(broken)
    for i, event in enumerate(done):
        event["quality"] = 0.95 if i < len(done) // 4 else 0.2
    possible = len(done) > ENOUGH and length(events) - when_done(events, 0.75) > 90
    return Case(broken, when_done(events, 0.25), possible, events)


def failed_calls(events, _):
    """Of two calls for each file one fails, and each file is tried thrice."""
    broken, said = copied(events), []
    for event in finished(broken):
        event["retries"] = 2
        said += [{"event": "api", "ts": event["ts"], "ok": False, "calls": 2}, {"event": "api", "ts": event["ts"]}]
    done = finished(events)
    late = done[ENOUGH]["ts"] if len(done) > ENOUGH else length(events)
    return Case(joined(broken, said), 0, length(events) - late > 90, events)


def memory_at_its_limit(events, _):
    begin = 0.5 * length(events)
    said = [{"event": "resource", "ts": at, "memoryBytes": 96, "memoryLimitBytes": 100} for at in reports(events, begin)]
    return Case(joined(events, said), begin, length(events) - begin > 150, events)


def network_errors(events, _):
    begin = 0.5 * length(events)
    said = [{"event": "resource", "ts": at, "networkErrors": i} for i, at in enumerate(reports(events, begin))]
    return Case(joined(events, said), begin, length(events) - begin > 150, events)


def deadline_too_near(events, _):
    """Half of the time it takes."""
    deadline = 0.5 * length(events)
    return Case(copied(events, deadlineIn=deadline), 0, length(events) - deadline > 150, events)


def quarter_of_the_speed(events, _):
    """From when three fifths are done, after so even a pace that every straight line since a tenth meets the end within a
    fifth: the end moves by more than the total."""
    begin, done = when_done(events, 0.6), finished(events)
    lines = straight_lines(done, until=0.6)
    even = len(lines) >= ENOUGH and all(abs(line / length(events) - 1) < 0.2 for line in lines)
    slow = stretched(events, begin, factor=4)
    return Case(slow, begin, even and length(slow) > 2 * length(events) and length(slow) - begin > 600, events)


FAULTS = [
    (half_speed_towards_a_deadline, "DeadlineAtRisk"), (half_speed, "LowThroughput"),
    (quarter_of_the_speed, "EtaDeviation"), (many_failures, "HighErrorRate"), (failed_at_the_end, "SuccessRateBelowTarget"),
    (stall, "SessionStalled"), (stuck_file, "SlowProcessing"), (quota_near_its_end, "QuotaExhaustionAhead"),
    (rate_limits, "RateLimited"), (doubled_cost, "CostOverBudget"), (lower_quality, "QualityDegradation"),
    (failed_calls, "QualityDegradation"), (memory_at_its_limit, "WorkloadMemoryHigh"),
    (network_errors, "WorkloadNetworkErrors"), (deadline_too_near, "DeadlineAtRisk"),
]
