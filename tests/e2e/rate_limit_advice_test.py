"""What the agent recommends against rate limits works: a client that follows it is refused far less, and is done no
later. The API is a token bucket; client, API and agent live in virtual time."""

import heapq
import json
import re
import tempfile
import unittest
from pathlib import Path

from harness.agent import run

START = 1_767_603_600
ADVICE_AT = 200.0  # seconds: when the client reads what the agent recommends


class TokenBucket:
    def __init__(self, rate, burst):
        self.rate, self.burst, self.tokens, self.at = rate, burst, burst, 0.0

    def take(self, now):
        self.tokens = min(self.burst, self.tokens + self.rate * (now - self.at))
        self.at = now
        if self.tokens < 1 - 1e-9:
            return False
        self.tokens -= 1
        return True


class Client:
    """Workers that call, and wait when they are refused. With a pace, calls start that far apart from then on."""

    def __init__(self, api, workers, service, wait):
        self.api, self.workers, self.service, self.wait = api, workers, service, wait
        self.events, self.refusals = [], []

    def work(self, calls, pace=None):
        """Until so many calls succeeded; when that was."""
        ready = [(0.0, worker, False) for worker in range(self.workers)]
        done, slot, now = 0, ADVICE_AT, 0.0
        while done < calls:
            now, worker, has_slot = heapq.heappop(ready)
            if pace and now >= ADVICE_AT and not has_slot:
                slot = max(slot, now)
                heapq.heappush(ready, (slot, worker, True))
                slot += 1 / pace
                continue
            if self.api.take(now):
                done += 1
                self.events.append((now, {"event": "api", "ok": True, "provider": "api"}))
                heapq.heappush(ready, (now + self.service, worker, False))
            else:
                self.refusals.append(now)
                self.events.append((now, {"event": "rateLimit", "provider": "api", "delayMs": round(self.wait * 1000)}))
                heapq.heappush(ready, (now + self.wait, worker, False))
        return now + self.service


def advice(events, workers):
    """What the agent says of a recording."""
    start = {"event": "session.start", "session": "s", "ts": START, "concurrency": workers, "totalFiles": 9}
    busy = {"event": "file", "session": "s", "ts": START, "file": "f", "status": "processing"}
    told = [start, busy] + [{**event, "session": "s", "ts": START + round(at, 3)} for at, event in events if at <= ADVICE_AT]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.ndjson"
        path.write_text("".join(json.dumps(event) + "\n" for event in told))
        done = run("replay", str(path))
    alerts = {a["name"]: a for a in json.loads(done.stdout)["alerts"]}
    return alerts["RateLimited"]


class Advice(unittest.TestCase):
    def test_a_client_that_follows_it_is_refused_far_less_and_done_no_later(self):
        for rate, burst, workers, service, wait in ((5, 10, 8, 0.3, 2.0), (2, 5, 6, 0.5, 5.0), (20, 20, 30, 0.2, 1.0),
                                                    (1, 1, 4, 1.0, 3.0)):
            with self.subTest(rate=rate, workers=workers):
                calls = int(rate * 900)
                naive = Client(TokenBucket(rate, burst), workers, service, wait)
                naive_end = naive.work(calls)
                alert = advice(naive.events, workers)
                self.assertEqual("firing", alert["state"])
                pace = float(re.search(r"Pace the calls to ([\d.]+)/s", alert["recommendation"]).group(1))
                self.assertAlmostEqual(rate, pace, delta=0.1 * rate)
                follower = Client(TokenBucket(rate, burst), workers, service, wait)
                follower_end = follower.work(calls, pace)
                refused, refused_still = (sum(at > ADVICE_AT + wait for at in client.refusals)
                                          for client in (naive, follower))
                self.assertGreater(refused, 100)
                self.assertLessEqual(refused_still, 0.1 * refused)
                self.assertLessEqual(follower_end, naive_end + 0.02 * naive_end)


if __name__ == "__main__":
    unittest.main()
