"""The C++ client against the real agent, through kills of either side; the job is client_job.cc."""

import contextlib
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness.agent import BUILD, ROOT, Agent, sanitized
from harness.polling import until

JOB = BUILD / "tests" / "client_job"
CLIENT = ROOT / "agent" / "clients" / "cpp"
KILLS = 20


class Job:
    """A client_job that runs; what it prints is numbers."""

    def __init__(self, socket, *arguments, program=JOB):
        environment = {**os.environ, "PROGRESS_AGENT_INGEST_SOCKET": str(socket)}
        self.process = subprocess.Popen([program, *map(str, arguments)], env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def number(self):
        return int(self.process.stdout.readline())

    def kill(self):
        """The numbers that it had printed to their ends."""
        self.process.kill()
        out = self.process.stdout.read()
        self.process.communicate()
        return [int(line) for line in out.splitlines(keepends=True) if line.endswith("\n")]

    def end(self):
        """Its exit code and the rest of its numbers."""
        # A program that reads nothing may be over already.
        with contextlib.suppress(BrokenPipeError), self.process.stdin as out:
            out.write("\n")
        numbers = [int(line) for line in self.process.stdout.read().splitlines()]
        return self.process.wait(), numbers

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()
        self.process.wait()


def api_calls(agent, name):
    session = agent.session(name)
    return session["metrics"]["apiCallsTotal"] if session else 0


class KilledAgent(unittest.TestCase):
    def storm(self, *flags, buffer_bytes, folder):
        """The session after `KILLS` restarts, and the numbers of the job."""
        agent = Agent(*flags, folder=folder)
        with Job(agent.socket_path, "storm", buffer_bytes) as job:
            for _ in range(KILLS):
                before = api_calls(agent, "storm")
                until(lambda: api_calls(agent, "storm") > before + 50, 30)
                agent.process.kill()
                agent.process.wait()
                agent = Agent(*flags, folder=folder)
            with agent:
                job.process.stdin.write("\n")
                job.process.stdin.flush()
                numbers = [job.number() for _ in range(6)]
                session = agent.session("storm")
                code, _ = job.end()
                self.assertEqual(0, code)
                return session, numbers

    def check(self, session, numbers):
        items, made, acknowledged, refused, dropped, connections = numbers
        self.assertEqual((2 * items + 1, 2 * items + 1, 0, 0), (made, acknowledged, refused, dropped))
        self.assertGreater(connections, KILLS)
        metrics = session["metrics"]
        self.assertEqual((items, items, 1_000_000, 'Storm "quoted"\n'), (
            metrics["filesCompleted"], metrics["apiCallsTotal"], metrics["totalFiles"], session["session"]["name"]))

    def test_memory_only(self):
        with tempfile.TemporaryDirectory() as folder:
            self.check(*self.storm(buffer_bytes=256 << 20, folder=folder))

    def test_with_storage(self):
        with tempfile.TemporaryDirectory() as folder:
            self.check(*self.storm(f"--storage.path={folder}/state", buffer_bytes=8 << 20, folder=folder))

    def test_sessions_that_ended_do_not_run_again(self):
        """An agent that forgot everything hears what is kept of many ended sessions: none of them runs then."""
        with tempfile.TemporaryDirectory() as folder:
            agent = Agent(folder=folder)
            with Job(agent.socket_path, "many", 2000) as job:
                made, acknowledged, refused, dropped, _ = (job.number() for _ in range(5))
                self.assertEqual((4000, 4000, 0, 0), (made, acknowledged, refused, dropped))
                agent.process.kill()
                agent.process.wait()
                with Agent(folder=folder) as again:
                    until(lambda: again.session("many-1999"))
                    self.assertEqual(0, job.end()[0])
                    listed = again.get("/v1/sessions?limit=1000").json()["items"]
                    self.assertEqual({"completed"}, {each["state"] for each in listed})
                    self.assertLess(len(listed), 2000)


class KilledClient(unittest.TestCase):
    def test_an_item_is_counted_once_through_20_kills(self):
        with Agent() as agent:
            written = 0
            for _ in range(KILLS):
                with Job(agent.socket_path, "count", "cpp-worker", 1_000_000) as job:
                    self.assertGreaterEqual(job.number(), written)
                    for _ in range(30):
                        written = job.number()
                    written = max([written, *job.kill()])
                self.assertGreaterEqual(api_calls(agent, "killed"), written)
            with Job(agent.socket_path, "count", "cpp-worker", written + 1000) as job:
                self.assertEqual(0, job.end()[0])
            self.assertEqual(written + 1000, api_calls(agent, "killed"))


@unittest.skipIf(sanitized(), "GCC 12's AddressSanitizer holds its allocator's lock over the fork of a process with threads")
class Forks(unittest.TestCase):
    def test_children_report_themselves(self):
        with Agent() as agent:
            with Job(agent.socket_path, "fork", 20) as job:
                self.assertEqual((0, []), job.end())
            session = agent.session("forked")
            self.assertEqual((20, 20, 300, "completed"), (
                session["metrics"]["totalFiles"], session["metrics"]["filesCompleted"],
                session["metrics"]["apiCallsTotal"], session["state"]))


class Readme(unittest.TestCase):
    def test_its_example(self):
        """Compiled as anybody would, with all warnings, and run."""
        text, = re.findall(r"^```cpp\n(.*?)^```$", (CLIENT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
        with tempfile.TemporaryDirectory() as folder, Agent() as agent:
            source, program = Path(folder) / "job.cc", Path(folder) / "job"
            source.write_text(text)
            done = subprocess.run(["c++", "-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{CLIENT}", source,
                                   "-o", program, "-pthread"], capture_output=True, text=True, check=False)
            self.assertEqual(0, done.returncode, done.stderr)
            with Job(agent.socket_path, program=program) as job:
                self.assertEqual((0, []), job.end())
            metrics = agent.session("nightly")["metrics"]
            self.assertEqual((2, 2, 2400), (metrics["totalFiles"], metrics["filesCompleted"], metrics["totalTokensUsed"]))


if __name__ == "__main__":
    unittest.main()
