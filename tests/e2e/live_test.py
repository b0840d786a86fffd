"""The live feed through the real binary, read by a WebSocket client that is not ours."""

import asyncio
import contextlib
import json
import subprocess
import unittest
from pathlib import Path

import websockets

from harness import npm
from harness.agent import Agent, lines, sanitized
from harness.crowd import Crowd

SECONDS = 20
PACKAGES = Path(__file__).resolve().parent / "packages"


class Feed:
    """A client of /v1/live; what it has read by session."""

    def __init__(self, connection):
        self.connection = connection
        self.read = []

    async def next(self):
        message = json.loads(await asyncio.wait_for(self.connection.recv(), SECONDS))
        self.read.append(message)
        return message

    async def until(self, condition):
        while True:
            message = await self.next()
            if condition(message):
                return message

    def kinds(self):
        return [message["type"] for message in self.read]


@contextlib.asynccontextmanager
async def follow(agent, query="", **options):
    async with websockets.connect(f"ws://127.0.0.1:{agent.web_port}/v1/live{query}", **options) as connection:
        yield Feed(connection)


def file(name, status, session="s", **fields):
    return {"event": "file", "session": session, "file": name, "status": status, **fields}


class Live(unittest.TestCase):
    def test_from_the_snapshot_to_the_end(self):
        async def story(agent):
            agent.post([{"event": "session.start", "session": "s", "totalFiles": 4}, file("a", "completed")])
            async with follow(agent) as feed:
                first = await feed.next()
                self.assertEqual("snapshot", first["type"])
                self.assertEqual(["s"], [session["session"]["id"] for session in first["sessions"]])
                self.assertEqual(agent.session("s").keys(), first["sessions"][0].keys())
                agent.post([file("b", "processing", progress=30)])
                told = await feed.until(lambda m: m["type"] == "file")
                self.assertEqual({"type", "session", "file"}, told.keys())
                self.assertEqual(("s", "b", 30), (told["session"], told["file"]["file"], told["file"]["progress"]))
                metrics = await feed.until(lambda m: m["type"] == "metrics") if "metrics" not in feed.kinds() else \
                    next(m for m in feed.read if m["type"] == "metrics")
                self.assertEqual(1, metrics["metrics"]["filesProcessing"])
                agent.post([{"event": "session.start", "session": "t"}])
                started = await feed.until(lambda m: m["type"] == "sessionStarted")
                self.assertEqual("t", started["session"]["session"]["id"])
                agent.post([{"event": "session.end", "session": "t", "status": "failed"}])
                ended = await feed.until(lambda m: m["type"] == "sessionEnded")
                self.assertEqual("failed", ended["session"]["state"])
                agent.request("POST", "/v1/sessions/cleanup", '{"maxAgeMs":0}', port=agent.ingest_port)
                removed = await feed.until(lambda m: m["type"] == "removed")
                self.assertEqual({"type", "session"}, removed.keys())

        with Agent() as agent:
            asyncio.run(story(agent))

    def test_only_the_sessions_asked_for(self):
        async def story(agent):
            agent.post([file("x", "processing", session=name) for name in ("a", "b", "c d")])
            async with follow(agent, "?session=a&session=c%20d") as feed:
                first = await feed.next()
                self.assertEqual(["a", "c d"], [session["session"]["id"] for session in first["sessions"]])
                agent.post([file("x", "completed", session=name) for name in ("b", "a", "c d")])
                await feed.until(lambda m: m["type"] == "file" and m["session"] == "c d")
                self.assertNotIn("b", [message.get("session") for message in feed.read])

        with Agent() as agent:
            asyncio.run(story(agent))

    def test_every_file_is_told_in_its_last_state_to_many(self):
        files, clients = 3000, 20

        async def one(agent, joined):
            states = {}
            async with follow(agent) as feed:
                await feed.next()
                joined.release()
                while len(states) < files or set(states.values()) != {"completed"}:
                    message = await feed.next()
                    if message["type"] == "file":
                        states[message["file"]["file"]] = message["file"]["status"]

        async def story(agent):
            joined = asyncio.Semaphore(0)
            everybody = [asyncio.create_task(one(agent, joined)) for _ in range(clients)]
            for _ in range(clients):
                await joined.acquire()
            self.assertEqual(clients, agent.total("progress_agent_live_clients"))
            with agent.stream() as stream:
                for status in ("processing", "completed"):
                    stream.send_bytes(lines(file(f"{i}.dat", status) for i in range(files)))
                stream.finish()
            await asyncio.wait_for(asyncio.gather(*everybody), 60)

        with Agent() as agent:
            asyncio.run(story(agent))
            self.assertIn(("progress_agent_live_messages_dropped_total", {}),
                          [(name, labels) for name, labels, _ in agent.samples()])

    @unittest.skipIf(sanitized(), "costs of an instrumented binary say nothing")
    def test_a_crowd_costs_what_it_is_sent(self):
        """The frames are made once for all: fifty clients cost little more than one, and a second of CPU for each GB."""
        def cost(clients):
            with Agent("--log.level=warn") as agent, agent.stream() as stream:
                agent.post([{"event": "session.start", "session": f"s{i}", "totalFiles": 500,
                             "config": {"updateIntervalMs": 100}} for i in range(20)])
                with Crowd(agent.web_port, clients) as crowd:
                    before = agent.cpu_seconds()
                    for done in range(20):
                        # Answered before the next comes, so that there is time for updates between them.
                        stream.send({"event": "hello", "producer": f"p{done}", "ack": "each"},
                                    *(file(f"{i}.dat", "processing", f"s{i % 20}", progress=5 * done) for i in range(10_000)))
                        for _ in range(10_001):
                            stream.line()
                    spent = agent.cpu_seconds() - before
            return spent, crowd.bytes

        (one, _), (many, sent) = cost(1), cost(50)
        self.assertGreater(sent, 10_000_000, "they were told much")
        self.assertLess(many, 1.2 * one + sent / 1e9 + 0.1)

    def test_says_goodbye_when_it_stops(self):
        async def story(agent):
            async with follow(agent) as feed:
                await feed.next()
                agent.process.terminate()
                with self.assertRaises(websockets.ConnectionClosed) as closed:
                    while True:
                        await feed.next()
                self.assertEqual(1001, closed.exception.rcvd.code)

        with Agent() as agent:
            asyncio.run(story(agent))

    def test_who_may_listen(self):
        async def status(agent, origin):
            try:
                async with follow(agent, origin=origin):
                    return 101
            except websockets.InvalidStatusCode as refused:
                return refused.status_code

        with Agent("--web.allowed-origins=https://ci.example.org") as agent:
            for origin, expected in ((None, 101), (f"http://127.0.0.1:{agent.web_port}", 101), ("null", 403),
                                     ("https://ci.example.org", 101), ("https://evil.example", 403)):
                with self.subTest(origin=origin):
                    self.assertEqual(expected, asyncio.run(status(agent, origin)))
            self.assertEqual(426, agent.get("/v1/live").status)
            self.assertEqual(404, agent.get("/v1/live", port=agent.ingest_port).status)

    def test_npm_s_ws_reads_it_too(self):
        """A second implementation of the protocol: what it is told, that its ping is answered, and how it is taken leave of."""
        place = npm.folder(PACKAGES, "ws")
        with Agent() as agent:
            own = f"http://127.0.0.1:{agent.web_port}"
            agent.post([{"event": "session.start", "session": "s", "totalFiles": 2}])
            with subprocess.Popen(["node", place / "listen.mjs", f"ws://127.0.0.1:{agent.web_port}/v1/live", own], cwd=place,
                                  stdout=subprocess.PIPE, text=True) as client:
                told = map(json.loads, client.stdout)
                self.assertEqual(["s"], [each["session"]["id"] for each in next(told)["sessions"]])
                agent.post([file("a", "completed")])
                self.assertEqual("completed", next(m for m in told if m["type"] == "file")["file"]["status"])
                self.assertEqual(1, next(m for m in told if m["type"] == "metrics")["metrics"]["filesCompleted"])
                agent.process.terminate()
                self.assertEqual({"closed": 1001, "ponged": True}, list(told)[-1])
        with Agent() as agent:
            said = npm.node(place, "listen.mjs", f"ws://127.0.0.1:{agent.web_port}/v1/live", "https://evil.example")
            self.assertEqual({"refused": 403}, json.loads(said))

    def test_sessions_that_want_no_live_updates_stay_out(self):
        async def story(agent):
            agent.post([{"event": "session.start", "session": "quiet", "config": {"enableRealTimeUpdates": False}}])
            async with follow(agent) as feed:
                self.assertEqual([], (await feed.next())["sessions"])
                agent.post([file("x", "processing", session="quiet"), file("x", "processing", session="loud")])
                await feed.until(lambda m: m["type"] == "file")
                self.assertEqual({"sessionStarted", "snapshot", "file"}, set(feed.kinds()) - {"metrics", "eta"})
                self.assertEqual("loud", feed.read[-1]["session"])

        with Agent() as agent:
            asyncio.run(story(agent))


if __name__ == "__main__":
    unittest.main()
