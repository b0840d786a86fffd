"""What jobs do by nature alerts nobody; what goes wrong with them does, by the right alert: jobs of every kind, and
more than twelve faults, through `replay` with the default thresholds."""

import json
import tempfile
import unittest
from pathlib import Path

from harness import exposition
from harness.agent import lines, run
from harness.jobs import START, jobs, written

ENOUGH = 20  # finished files, before a rate means something


def ended(events):
    return [e for e in events if e["event"] == "file" and e["status"] == "completed"]


def length(events):
    return events[-1]["ts"]


def stretched(events, begin, factor=1.0, pause=0.0):
    return [{**e, "ts": begin + (e["ts"] - begin) * factor + pause} if e["ts"] > begin else e for e in events]


def joined(events, more):
    return sorted(events + more, key=lambda e: e["ts"])


def every(step, begin, end):
    return [begin + i * step for i in range(int((end - begin) / step) + 1)]


# Each: (the job's events, its luck) -> (events with the fault, whether it can be seen).

def durations(events):
    begun = {e["file"]: e["ts"] for e in events if e.get("status") == "processing"}
    return [e["ts"] - begun[e["file"]] for e in ended(events)]


def third_of_the_speed(events, _):
    """Once more than half is done, of files so alike that the forecast was sure before."""
    taken = durations(events)
    events = stretched(events, 0.6 * length(events), factor=3)
    return events, max(taken) < 1.5 * min(taken) and len(taken) > 60 and length(events) > 600


def half_speed_towards_a_deadline(events, _):
    events[0]["deadlineIn"] = 1.2 * length(events)
    return stretched(events, 0.2 * length(events), factor=2), length(events) > 300


def many_failures(events, luck):
    done = ended(events)
    for event in done:
        if luck.random() < 0.2:
            event["status"] = "failed"
    share = 1 - len(ended(events)) / len(done)
    return events, share > 0.12 and len(done) > ENOUGH and length(events) - done[ENOUGH]["ts"] > 90


def failed_at_the_end(events, luck):
    events, _ = many_failures(events, luck)
    return events, len(ended(events)) < 0.95 * sum(e["event"] == "file" for e in events) / 2


def stall(events, _):
    done = ended(events)
    longest = max(e["ts"] for e in done) - done[0]["ts"] if len(done) > 1 else length(events)
    return stretched(events, 0.5 * length(events), pause=max(3600, 2 * longest)), len(done) > 1


def stuck_file(events, _):
    begun = {e["file"]: e["ts"] for e in events if e.get("status") == "processing"}
    limit = 1.5 * max(durations(events))
    stuck = list(begun)[len(begun) // 4]
    events = [e for e in events if e.get("file") != stuck or e["status"] == "processing"]
    events[0]["config"] = {"alertThresholds": {"slowProcessingMs": 1000 * limit}}
    return events, length(events) - begun[stuck] > limit + 10


def quota_near_its_end(events, _):
    begin, end = 0.5 * length(events), 0.5 * length(events) + 60
    told = [{"event": "rateLimit", "ts": at, "provider": "p", "hits": 0, "limit": 1000,
             "remaining": int(1000 - 10 * (at - begin)), "resetAt": None} for at in every(5, begin, end)]
    for event in told:
        event["resetIn"] = end + 600
    return joined(events, told), length(events) > end


def doubled_cost(events, _):
    done = ended(events)
    for event in done:
        event["cost"] = 0.02
    events[0] |= {"costBudget": 0.0125 * len(done), "currency": "USD"}
    return events, len(done) > 5


def memory_at_its_limit(events, _):
    told = [{"event": "resource", "ts": at, "memoryBytes": 96, "memoryLimitBytes": 100}
            for at in every(15, 0.5 * length(events), length(events))]
    return joined(events, told), 0.5 * length(events) > 150


def network_errors(events, _):
    told = [{"event": "resource", "ts": at, "networkErrors": 3 * i}
            for i, at in enumerate(every(15, 0.5 * length(events), length(events)))]
    return joined(events, told), 0.5 * length(events) > 200


def lower_quality(events, _):
    done = ended(events)
    for i, event in enumerate(done):
        event["quality"] = 0.95 if i < len(done) // 4 else 0.2
    return events, len(done) > ENOUGH and length(events) - done[int(0.8 * len(done))]["ts"] > 90


def retries_of_failed_calls(events, _):
    done, told = ended(events), []
    for event in done:
        event["retries"] = 2
        told += [{"event": "api", "ts": event["ts"], "ok": False, "calls": 2}, {"event": "api", "ts": event["ts"]}]
    late = done[ENOUGH]["ts"] if len(done) > ENOUGH else length(events)
    return joined(events, told), length(events) - late > 90


def rate_limits(events, _):
    workers = events[0].setdefault("concurrency", 4)
    told = [{"event": "rateLimit", "ts": at, "delayMs": 2500 * workers, "provider": "p"}
            for at in every(5, 0.4 * length(events), length(events))]
    return joined(events, told), 0.6 * length(events) > 200


def deadline_too_near(events, _):
    events[0]["deadlineIn"] = 0.5 * length(events)
    return events, length(events) > 900


FAULTS = [
    (third_of_the_speed, "EtaDeviation"), (half_speed_towards_a_deadline, "DeadlineAtRisk"),
    (many_failures, "HighErrorRate"), (failed_at_the_end, "SuccessRateBelowTarget"),
    (stall, "SessionStalled"), (stuck_file, "SlowProcessing"), (quota_near_its_end, "QuotaExhaustionAhead"),
    (doubled_cost, "CostOverBudget"), (memory_at_its_limit, "WorkloadMemoryHigh"),
    (network_errors, "WorkloadNetworkErrors"), (lower_quality, "QualityDegradation"),
    (retries_of_failed_calls, "QualityDegradation"), (rate_limits, "RateLimited"),
    (deadline_too_near, "DeadlineAtRisk"),
]


def told_in_full(sessions):
    """The events of all, one session after the other; what is relative to a session's beginning as instants."""
    start, full = START, []
    for session, events in sessions.items():
        for event in written(events, session, start):
            for relative, name in (("resetIn", "resetAt"), ("deadlineIn", "deadline")):
                if relative in event:
                    event[name] = start + event.pop(relative)
            full.append(event)
        start += length(events) + 60
    return full


class Faults(unittest.TestCase):
    def fired(self, sessions):
        """{session: the alerts that fired}, of the events of each."""
        with tempfile.TemporaryDirectory() as folder:
            story, page = Path(folder) / "events", Path(folder) / "page"
            story.write_bytes(lines(told_in_full(sessions)))
            done = run("replay", str(story), f"--metrics.out={page}")
            self.assertEqual((0, ""), (done.returncode, done.stderr[:2000]))
            self.assertEqual(len(sessions), len([json.loads(line) for line in done.stdout.splitlines()]))
            found = {name: set() for name in sessions}
            for family, labels, value in exposition.samples(page.read_text()):
                if family == "progress_alerts_fired_total" and value > 0:
                    found[labels["session"]].add(labels["alert"])
            return found

    def test_what_jobs_do_by_nature_alerts_nobody(self):
        """But where what comes takes far longer than all before it, the end moves, and the silence is a stall by what
        was known."""
        fired = self.fired({job.name: job.events() for job in jobs()})
        for job in jobs():
            with self.subTest(job.name):
                self.assertLessEqual(fired[job.name], {"EtaDeviation", "SessionStalled"} if job.surprises else set())

    def test_each_fault_fires_its_alert(self):
        for inject, alert in FAULTS:
            with self.subTest(inject.__name__):
                sessions, seen = {}, set()
                for job in jobs():
                    sessions[job.name], can_be_seen = inject(job.events(), job.luck)
                    if can_be_seen:
                        seen.add(job.name)
                self.assertGreaterEqual(len(seen), 3, "the fault can be seen in too few jobs")
                fired = self.fired(sessions)
                missed = {name: fired[name] for name in seen if alert not in fired[name]}
                self.assertLessEqual(len(missed), 0.05 * len(seen), missed)


if __name__ == "__main__":
    unittest.main()
