"""The Python client against the real agent: what arrives, through kills of either side, forks, and no agent at all."""

import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import unittest
from pathlib import Path

from harness.agent import ROOT, Agent
from harness.polling import until

CLIENT = ROOT / "agent" / "clients" / "python"
sys.path.insert(0, str(CLIENT))
import progress_agent  # noqa: E402

KILLS = 20


def script(text, socket, *arguments, start=subprocess.run, **options):
    """Runs Python text as a job of its own that reports to `socket`; `start` may be subprocess.Popen."""
    environment = {**os.environ, "PYTHONPATH": str(CLIENT), "PROGRESS_AGENT_INGEST_SOCKET": str(socket)}
    if start is subprocess.run:
        options = {"timeout": 60, "check": False, **options}
    return start([sys.executable, "-c", textwrap.dedent(text), *map(str, arguments)], env=environment, text=True,
                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


class WithAgent(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.agent = Agent()
        cls.addClassCleanup(cls.agent.__exit__, None, None, None)

    def client(self, **options):
        client = progress_agent.Client(self.agent.socket_path, **options)
        self.addCleanup(client.close)
        return client

    def metrics(self, name):
        return self.agent.session(name)["metrics"]

    def job(self, text, *arguments, code=0):
        """Runs a job to its end; its output."""
        done = script(text, self.agent.socket_path, *arguments)
        self.assertEqual(code, done.returncode, done.stderr)
        return done


class Reporting(WithAgent):
    def test_everything_a_job_can_say(self):
        client = self.client()
        with progress_agent.session("all", title="All", family="f", total_files=6, unit="page", labels={"team": "x"},
                                    concurrency=2, client=client) as job:
            job.files(["e.pdf", ("f.pdf", 7)])
            with job.file("a.pdf", bytes=100) as file:
                file.update(progress=40, stage="parse", stage_progress=10, tokens=11)
            with self.assertRaises(KeyError), job.file("b.pdf", bytes=10):
                raise KeyError("page 3")
            job.file("c.pdf", bytes=10).skip()
            with job.file("d.pdf") as file:
                file.fail("unreadable")
            with job.api_call(provider="p", model="m") as call:
                call.set(tokens_in=3, tokens_out=4)
            with self.assertRaises(OSError), job.api_call(provider="p"):
                raise OSError("timed out")
            job.rate_limit(250, provider="p", limit=100, remaining=0)
            job.resource(cpu=0.5, memory_bytes=1 << 20)
            job.pause("lunch")
            job.resume()
            job.update(total_files=7)
            self.assertTrue(client.flush())
            metrics = self.metrics("all")
            self.assertEqual((7, 1, 2, 1, 3), tuple(metrics[name] for name in (
                "totalFiles", "filesCompleted", "filesFailed", "filesSkipped", "filesPending")))
            self.assertEqual((18, 2, 1, 250), tuple(metrics[name] for name in (
                "totalTokensUsed", "apiCallsTotal", "apiCallsFailed", "rateLimitDelayMs")))
            session = self.agent.session("all")["session"]
            self.assertEqual(("All", "f", {"team": "x"}), (session["name"], session["family"], session["labels"]))
            self.assertEqual("KeyError: 'page 3'", self.agent.get("/v1/sessions/all/files/b.pdf").json()["error"])
        self.assertTrue(client.flush())
        self.assertEqual("completed", self.agent.session("all")["state"])
        self.assertEqual((0, 0, 1), client.statistics()[2:])

    def test_how_a_block_ends_is_how_the_session_ends(self):
        client = self.client()
        for fault, state in ((RuntimeError("x"), "failed"), (KeyboardInterrupt(), "cancelled"),
                             (SystemExit(0), "completed"), (SystemExit(3), "failed")):
            with self.subTest(fault=repr(fault)):
                with self.assertRaises(type(fault)), progress_agent.session("ends", client=client):
                    raise fault
                self.assertTrue(client.flush())
                self.assertEqual(state, self.agent.session("ends")["state"])

    def test_values_no_agent_takes_are_left_out(self):
        """A NaN, a number of a library, a path, a name that is no Unicode: the event counts all the same."""
        class Scalar:  # as NumPy's, which are no subclasses of int
            def __index__(self):
                return 7
        client = self.client()
        with progress_agent.session("odd", labels={"where": Path("/x"), "share": "0.5"}, client=client) as job:
            job.file("nan").complete(quality=float("nan"))
            job.file("library").complete(tokens=Scalar())
            job.file("broken\udc80").complete()
            job.files([f"{number}-{'n' * 500}" for number in range(250)])
            self.assertTrue(client.flush())
            self.assertEqual((3, 250, 7), tuple(self.metrics("odd")[name] for name in (
                "filesCompleted", "filesPending", "totalTokensUsed")))
        self.assertEqual(0, client.statistics().refused)

    def test_a_refused_event_is_logged_once_and_counted(self):
        client = self.client()
        with self.assertLogs("progress_agent", logging.WARNING) as logs:
            for _ in range(3):
                client.emit("file", "refused", file="a", progress=250)
            self.assertTrue(client.flush())
            until(lambda: client.statistics().refused == 3)
        self.assertEqual(1, len(logs.output), logs.output)
        self.assertIn("progress", logs.output[0])

    def test_without_acknowledgement(self):
        client = self.client(acknowledged=False)
        with progress_agent.session("told", total_files=2000, client=client) as job:
            for number in range(2000):
                job.file(str(number)).complete()
        self.assertTrue(client.flush())
        until(lambda: self.agent.session("told") and self.metrics("told")["filesCompleted"] == 2000)
        self.assertEqual("completed", self.agent.session("told")["state"])

    def test_from_many_threads(self):
        client = self.client()

        def work(job, first):
            for number in range(first, first + 200):
                with job.file(str(number)):
                    job.api(provider="p")

        with progress_agent.session("threads", client=client) as job:
            threads = [threading.Thread(target=work, args=(job, 1000 * each)) for each in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertTrue(client.flush())
        metrics = self.metrics("threads")
        self.assertEqual((1600, 1600), (metrics["filesCompleted"], metrics["apiCallsTotal"]))


class Tracking(WithAgent):
    def test_a_loop(self):
        client = self.client()
        self.assertEqual(list(range(500)), list(progress_agent.track(range(500), "loop", unit="row", client=client)))
        self.assertTrue(client.flush())
        self.assertEqual((500, 500), (self.metrics("loop")["filesCompleted"], self.metrics("loop")["totalFiles"]))
        self.assertEqual("completed", self.agent.session("loop")["state"])

    def test_a_slow_item_is_seen_while_the_loop_runs(self):
        client = self.client()
        for number in progress_agent.track(range(4), "slow", client=client):
            if number == 2:
                until(lambda: self.agent.session("slow") and self.metrics("slow")["filesCompleted"] == 2)

    def test_two_loops_of_one_session_add_up(self):
        client = self.client()
        with progress_agent.session("two", client=client) as job:
            for _ in job.track([1, 2, 3]):
                for _ in job.track(iter("ab"), total=2):
                    pass
        self.assertTrue(client.flush())
        self.assertEqual((9, 9), (self.metrics("two")["filesCompleted"], self.metrics("two")["totalFiles"]))

    def test_a_loop_that_is_left_early_is_cancelled(self):
        client = self.client()
        for number in progress_agent.track(iter(range(10)), "left", total=10, client=client):
            if number == 3:
                break
        until(lambda: (self.agent.session("left") or {}).get("state") == "cancelled")
        self.assertEqual(3, self.metrics("left")["filesCompleted"])

    def test_items_that_raise_fail_it(self):
        def items():
            yield 1
            raise ValueError("row 2")
        client = self.client()
        with self.assertRaises(ValueError):
            list(progress_agent.track(items(), "raises", client=client))
        self.assertTrue(client.flush())
        self.assertEqual("failed", self.agent.session("raises")["state"])

    def test_a_program_that_dies_in_a_loop_has_failed(self):
        done = self.job("""
            import progress_agent
            for number in progress_agent.track(range(10), "dies"):
                if number == 4:
                    raise RuntimeError("disk on fire")
            """, code=1)
        self.assertIn("disk on fire", done.stderr)
        until(lambda: self.agent.session("dies")["state"] == "failed")
        self.assertEqual(4, self.metrics("dies")["filesCompleted"])

    def test_a_loop_whose_exception_is_caught_is_cancelled(self):
        self.job("""
            import progress_agent, sys
            try:
                for number in progress_agent.track(range(10), "caught"):
                    raise RuntimeError("no matter")
            except RuntimeError:
                pass
            """)
        self.assertEqual("cancelled", self.agent.session("caught")["state"])


class Processes(WithAgent):
    def test_forked_workers_report_themselves(self):
        """A pool in the middle of the parent's session, while a thread of the parent reports too."""
        for method in ("fork", "spawn"):
            with self.subTest(method=method):
                with tempfile.TemporaryDirectory() as folder:
                    program = Path(folder) / "job.py"
                    program.write_text(textwrap.dedent("""
                        import multiprocessing, sys, threading
                        import progress_agent
                        NAME = sys.argv[1]
                        def work(number):
                            with progress_agent.join(NAME).file(str(number)):
                                return number
                        def report(job):
                            for _ in range(300):
                                job.api(provider="parent")
                        if __name__ == "__main__":
                            with progress_agent.session(NAME, total_files=100) as job:
                                thread = threading.Thread(target=report, args=(job,))
                                thread.start()
                                pool = multiprocessing.get_context(NAME).Pool(4)
                                assert sorted(pool.map(work, range(100), chunksize=5)) == list(range(100))
                                pool.close(); pool.join(); thread.join()
                        """))
                    environment = {**os.environ, "PYTHONPATH": str(CLIENT),
                                   "PROGRESS_AGENT_INGEST_SOCKET": str(self.agent.socket_path)}
                    done = subprocess.run([sys.executable, program, method], env=environment, capture_output=True,
                                          text=True, timeout=120, check=False)
                self.assertEqual((0, ""), (done.returncode, done.stderr))
                metrics = self.metrics(method)
                self.assertEqual((100, 300), (metrics["filesCompleted"], metrics["apiCallsTotal"]))
                self.assertEqual("completed", self.agent.session(method)["state"])

    def test_a_forked_child_does_not_end_its_parents_session(self):
        self.job("""
            import os, progress_agent
            with progress_agent.session("parent") as job:
                job.file("a").complete()
                if os.fork() == 0:
                    job.file("b").complete()
                    raise SystemExit(0)
                os.wait()
                assert progress_agent.default_client().flush()
                print("still there")
                os.kill(os.getpid(), 9)
            """, code=-9)
        self.assertEqual(2, self.metrics("parent")["filesCompleted"])
        self.assertTrue(self.agent.session("parent")["session"]["isTracking"])

    def test_a_session_left_open_is_cancelled_by_the_end_of_the_process(self):
        self.job("""
            import progress_agent
            progress_agent.session("open").start().file("a").complete()
            """)
        self.assertEqual(("cancelled", 1), (self.agent.session("open")["state"], self.metrics("open")["filesCompleted"]))


class Absent(unittest.TestCase):
    JOB = """
        import progress_agent, sys
        with progress_agent.session("s") as job:
            for number in range(1000):
                with job.file(str(number)):
                    pass
        for _ in progress_agent.track(range(1000), "t"):
            pass
        sys.exit(int(sys.argv[1]))
        """

    def test_no_agent_costs_a_bounded_wait_and_one_warning(self):
        with tempfile.TemporaryDirectory() as folder:
            for code in (0, 7):
                started = time.monotonic()
                done = script(self.JOB, f"{folder}/none.sock", code)
                self.assertEqual(code, done.returncode)
                self.assertEqual(1, len(done.stderr.splitlines()), done.stderr)
                self.assertIn(f"no progress-agent at {folder}/none.sock", done.stderr)
                self.assertLess(time.monotonic() - started, 20)

    def test_workers_leave_the_warning_to_their_parent(self):
        with tempfile.TemporaryDirectory() as folder:
            done = script("""
                import multiprocessing, progress_agent
                def work(number):
                    progress_agent.join("s").file(str(number)).complete()
                with progress_agent.session("s"):
                    pool = multiprocessing.get_context("fork").Pool(4)
                    pool.map(work, range(20)); pool.close(); pool.join()
                """, f"{folder}/none.sock")
        self.assertEqual((0, 1), (done.returncode, len(done.stderr.splitlines())), done.stderr)

    def test_turned_off_it_says_nothing(self):
        done = script(self.JOB + "\n        ", "", 3)
        self.assertEqual((3, ""), (done.returncode, done.stderr))

    def test_something_else_at_the_socket(self):
        """A peer that accepts and never answers, and one that talks nonsense."""
        import socket
        for answer in (None, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"[1]\n", b'{"welcome":{"lastSeq":"x"}}\n'):
            with self.subTest(answer=answer), tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as peer:
                peer.bind(f"{folder}/s")
                peer.listen()
                if answer:
                    def serve():
                        try:
                            while True:
                                connection, _ = peer.accept()
                                connection.sendall(answer)
                                connection.close()
                        except OSError:
                            pass
                    threading.Thread(target=serve, daemon=True).start()
                done = script(self.JOB, f"{folder}/s", 5)
                self.assertEqual(5, done.returncode, done.stderr)
                self.assertNotIn("Traceback", done.stderr)
                peer.shutdown(socket.SHUT_RDWR)

    def test_an_agent_that_comes_late_gets_everything(self):
        with tempfile.TemporaryDirectory() as folder:
            client = progress_agent.Client(f"{folder}/agent.sock", wait=0)
            with self.assertLogs("progress_agent", logging.WARNING) as logs:
                job = progress_agent.Session("late", client=client).start()
                for number in range(100):
                    job.file(str(number)).complete()
                self.assertFalse(client.flush(0.1))
            self.assertEqual(1, len(logs.output), logs.output)
            with Agent(folder=folder) as agent:
                self.assertTrue(client.connect())
                self.assertTrue(client.flush())
                self.assertEqual(100, agent.session("late")["metrics"]["filesCompleted"])
                client.close()

    def test_what_is_kept_is_bounded_and_its_essence_survives(self):
        """More than the buffer holds while the agent is away: the oldest go, but not what the session is."""
        with tempfile.TemporaryDirectory() as folder:
            client = progress_agent.Client(f"{folder}/agent.sock", buffer_bytes=20_000)
            job = progress_agent.Session("bounded", title="Title", total_files=5000, client=client).start()
            for number in range(5000):
                job.api(provider="p")
            held = client._buffer
            self.assertLessEqual(held.bytes, 20_000)
            self.assertLess(len(held.unsent), 200)
            with Agent(folder=folder) as agent, self.assertLogs("progress_agent", logging.WARNING) as logs:
                self.assertTrue(client.connect())
                agent.signal(signal.SIGSTOP)
                for number in range(20_000):
                    job.api(provider="q")
                agent.signal(signal.SIGCONT)
                job.end()
                self.assertTrue(client.flush())
                session = agent.session("bounded")
                self.assertEqual(("Title", 5000, "completed"), (
                    session["session"]["name"], session["metrics"]["totalFiles"], session["state"]))
                made, _, _, dropped, _ = client.statistics()
                self.assertEqual(25_002, made)
                self.assertGreaterEqual(session["metrics"]["apiCallsTotal"], made - 2 - dropped)
                client.close()
            self.assertEqual(1, len(logs.output), logs.output)


class KilledAgent(unittest.TestCase):
    """kill -9 of the agent, again and again, under load."""

    def storm(self, *flags, kills=KILLS, stored=False, **options):
        """Reports through that many restarts: (the session at the end, api calls made, the client's statistics)."""
        with tempfile.TemporaryDirectory() as folder:
            client = progress_agent.Client(f"{folder}/agent.sock", **options)
            flags += (f"--storage.path={folder}/state",) if stored else ()
            agent, done, count = Agent(*flags, folder=folder), threading.Event(), 0
            job = progress_agent.Session("storm", title="Storm", total_files=100_000, client=client).start()

            def report():
                nonlocal count
                while not done.is_set():
                    count += 1
                    job.file(str(count)).complete()
                    job.api(provider="p")
                    if count % 5 == 0:
                        time.sleep(0.001)  # a job works, too

            reporter = threading.Thread(target=report)
            reporter.start()
            try:
                for _ in range(kills):
                    before = count
                    until(lambda: client.connected and count > before + 200, 30)
                    kill(agent.process)
                    agent = Agent(*flags, folder=folder)
            finally:
                done.set()
                reporter.join()
            with agent:
                self.assertTrue(client.flush(60), client.statistics())
                kept = len(client._buffer.sent)
                client.close()
                session = until(lambda: agent.session("storm"))  # without acknowledgement it may not be there yet
                return session, count, client.statistics(), kept

    def test_memory_only(self):
        """An agent that forgot everything hears all of it again, as long as it is within the bound."""
        session, count, statistics, _ = self.storm(buffer_bytes=64 << 20)
        metrics = session["metrics"]
        self.assertEqual((count, count, 100_000, "Storm"), (
            metrics["filesCompleted"], metrics["apiCallsTotal"], metrics["totalFiles"], session["session"]["name"]))
        self.assertEqual((0, 0), (statistics.refused, statistics.dropped))
        self.assertEqual(statistics.made, statistics.acknowledged)
        self.assertGreater(statistics.connections, KILLS)

    def test_with_storage(self):
        """Exact, and nothing that is on disk is kept here any longer."""
        session, count, statistics, kept = self.storm(stored=True)
        metrics = session["metrics"]
        self.assertEqual((count, count, "Storm"), (
            metrics["filesCompleted"], metrics["apiCallsTotal"], session["session"]["name"]))
        self.assertEqual((2 * count + 1, 2 * count + 1, 0, 0), statistics[:4])
        self.assertEqual(0, kept)
        self.assertGreater(statistics.connections, KILLS)

    def test_without_acknowledgement_a_session_goes_on_under_its_name(self):
        session, count, statistics, _ = self.storm(kills=5, acknowledged=False)
        self.assertEqual(("Storm", 100_000), (session["session"]["name"], session["metrics"]["totalFiles"]))
        self.assertLessEqual(session["metrics"]["filesCompleted"], count)
        self.assertEqual(0, statistics.refused)


class KilledClient(WithAgent):
    JOB = """
        import sys, progress_agent
        client = progress_agent.Client(producer="worker")
        assert client.connect()
        job = progress_agent.Session("killed", client=client)
        print(client.last_seq, flush=True)
        for number in range(client.last_seq, int(sys.argv[1])):  # one event an item: the agent knows where we were
            job.api(provider="p")
            if number % 10 == 0:
                assert client.flush()
                print(number + 1, flush=True)
        assert client.flush()
        print("done", flush=True)
        """

    def test_an_item_is_counted_once_through_20_kills(self):
        items, written = 60_000, 0
        for _ in range(KILLS):
            process = script(self.JOB, self.agent.socket_path, items, start=subprocess.Popen)
            resumed = int(process.stdout.readline())
            self.assertGreaterEqual(resumed, written, "what was acknowledged is never asked for again")
            for _ in range(30):
                written = int(process.stdout.readline())
            process.kill()
            for line in process.stdout.read().splitlines(keepends=True):
                if line.endswith("\n"):
                    written = int(line)
            process.communicate()
            applied = self.metrics("killed")["apiCallsTotal"]
            self.assertGreaterEqual(applied, written)
        done = script(self.JOB, self.agent.socket_path, written + 1000)
        self.assertEqual("done", done.stdout.splitlines()[-1], done.stderr)
        self.assertEqual(written + 1000, self.metrics("killed")["apiCallsTotal"])


class Cost(unittest.TestCase):
    def test_a_tracked_loop_costs_its_assignment(self):
        """Counted, not timed: a step of the loop allocates nothing, takes no lock, makes no call of its own."""
        with Agent() as agent:
            client = progress_agent.Client(agent.socket_path)
            loop = progress_agent.track(range(1000), "cost", client=client)
            next(loop)
            calls = []
            sys.setprofile(lambda frame, event, argument: calls.append((frame.f_code.co_name, event)))
            try:
                next(loop)
            finally:
                sys.setprofile(None)
            loop.close()
            client.close()
        names = [name for name, event in calls if event == "call"]
        self.assertEqual(["_track", "loop"], [name for name in names if name != "test_a_tracked_loop_costs_its_assignment"])
        self.assertEqual([], [call for call in calls if call[1] == "c_call" and call[0] in ("_track", "loop")])


class Readme(WithAgent):
    def test_its_examples(self):
        examples = re.findall(r"^```python\n(.*?)^```$", (CLIENT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
        self.assertEqual(2, len(examples))
        self.assertEqual("", self.job("".join(examples)).stderr)
        self.assertEqual((2, 2, 2560), tuple(self.metrics("nightly")[name] for name in (
            "filesCompleted", "apiCallsTotal", "totalTokensUsed")))
        self.assertEqual(1000, self.metrics("rows")["filesCompleted"])
        self.assertEqual(100, self.metrics("load")["apiCallsTotal"])


class Types(unittest.TestCase):
    def test_strictly_typed(self):
        done = subprocess.run(["mypy", "--strict", "--python-version=3.9", "--cache-dir=/dev/null",
                               CLIENT / "progress_agent.py"], capture_output=True, text=True, check=False)
        self.assertEqual(0, done.returncode, done.stdout)


if __name__ == "__main__":
    unittest.main()
