"""Ways to report progress without code: `emit`, `run`, `pipe`. Whatever they meet, the job goes on."""

import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from harness.agent import BINARY, Agent, run
from harness.polling import until

NOWHERE = {**os.environ, "PROGRESS_AGENT_INGEST_SOCKET": "/nonexistent/agent.sock"}


class OnRamps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.agent = Agent()
        cls.environment = {**os.environ, "PROGRESS_AGENT_INGEST_SOCKET": str(cls.agent.socket_path)}

    @classmethod
    def tearDownClass(cls):
        cls.agent.__exit__(None, None, None)

    def session(self, name):
        return self.agent.get(f"/v1/sessions/{name}").json()

    def command(self, *arguments, **options):
        return run(*arguments, env=options.pop("env", self.environment), **options)

    def shell(self, session, script, **options):
        return self.command("run", "--session", session, "--", "bash", "-c", script, **options)


class Emit(OnRamps):
    def test_events_of_a_session(self):
        for arguments in (["session.start", "--session=e1", "--total-files=4", "--labels=team=x,tier=gold"],
                          ["file", "--session", "e1", "--file", "a.pdf", "--status", "completed", "--bytes", "1048576"],
                          ["file", "--session=e1", "--file=b", "--bytesDone=5", "--ts=2026-01-05T09:00:00Z"],
                          ["api", "--session=e1", "--ok=false", "--provider=openai", "--cost", "0.25"],
                          ["session.end", "--session=e1", "--status=cancelled", "--reason=enough"]):
            done = self.command("emit", *arguments)
            self.assertEqual((0, "", ""), (done.returncode, done.stdout, done.stderr))
        answer = self.session("e1")
        self.assertEqual("cancelled", answer["state"])
        self.assertEqual({"team": "x", "tier": "gold"}, answer["session"]["labels"])
        self.assertEqual(4, answer["metrics"]["totalFiles"])
        self.assertEqual(1, answer["metrics"]["apiCallsFailed"])
        self.assertEqual(0.25, answer["metrics"]["estimatedCost"])

    def test_lines_of_standard_input(self):
        lines = "".join(json.dumps({"event": "file", "session": "e2", "file": str(i), "status": "completed"}) + "\n"
                        for i in range(5000))
        self.assertEqual(0, self.command("emit", "-", input=lines).returncode)
        self.assertEqual(5000, self.session("e2")["metrics"]["totalFiles"])

    def test_a_wrong_event_is_told_before_it_is_sent(self):
        for arguments, word in ((["file", "--session=e3", "--file=a", "--status=done"], "status"),
                                (["file", "--session=e3"], "file"),
                                (["fle", "--session=e3"], "did you mean"),
                                (["file", "--session=e3", "--file=a", "--bytes=many"], "--bytes"),
                                (["file", "--session=e3", "--file=a", "--byts=1"], "did you mean"),
                                (["session.start", "--session=e3", "--labels=x"], "--labels")):
            done = self.command("emit", *arguments)
            self.assertEqual(2, done.returncode, arguments)
            self.assertIn(word, done.stderr)
        self.assertEqual(404, self.agent.get("/v1/sessions/e3").status)

    def test_what_the_agent_refuses_is_a_fault(self):
        done = self.command("emit", "-", input='{"event":"file","session":"e4","file":"a"}\n{"event"\n')
        self.assertEqual(1, done.returncode)
        self.assertIn('"line":2', done.stderr)
        self.assertEqual(1, self.session("e4")["metrics"]["totalFiles"])

    def test_without_an_agent_the_shell_goes_on(self):
        done = self.command("emit", "file", "--session=e5", "--file=a", env=NOWHERE)
        self.assertEqual(0, done.returncode)
        self.assertIn("no agent at /nonexistent/agent.sock", done.stderr)


class Run(OnRamps):
    def test_progress_in_the_output(self):
        done = self.shell("r1", 'for i in 1 2 3; do echo "$i/3 files"; echo "e$i" >&2; done')
        self.assertEqual((0, "1/3 files\n2/3 files\n3/3 files\n", "e1\ne2\ne3\n"),
                         (done.returncode, done.stdout, done.stderr))
        answer = self.session("r1")
        self.assertEqual("completed", answer["state"])
        self.assertEqual((3, 3), (answer["metrics"]["totalFiles"], answer["metrics"]["filesCompleted"]))

    def test_exit_codes_pass(self):
        self.assertEqual(3, self.shell("r2", "exit 3").returncode)
        self.assertEqual("failed", self.session("r2")["state"])
        self.assertEqual(127, self.command("run", "--session=r2b", "--", "no-such-program").returncode)
        self.assertEqual(126, self.command("run", "--session=r2b", "--", "/").returncode)
        self.assertEqual(2, self.command("run", "--session=r2b").returncode)
        self.assertEqual(2, self.command("run", "--", "true").returncode)

    def test_signals_pass_both_ways(self):
        with tempfile.TemporaryDirectory() as folder:
            mark = Path(folder) / "up"
            job = subprocess.Popen([BINARY, "run", "--session=r3", "--", "bash", "-c",
                                    f"trap 'echo caught; exit 7' USR1; touch {mark}; while :; do read -t 0.05 <> <(:); done"],
                                   stdout=subprocess.PIPE, env=self.environment)
            until(mark.exists)
            job.send_signal(signal.SIGUSR1)
            said, _ = job.communicate(timeout=30)
        self.assertEqual((b"caught\n", 7), (said, job.returncode))
        self.assertEqual(-signal.SIGTERM, self.shell("r3b", "kill -TERM $$").returncode)
        self.assertEqual("cancelled", self.session("r3b")["state"])
        self.assertEqual(-signal.SIGSEGV, self.shell("r3c", "kill -SEGV $$").returncode)
        self.assertEqual("failed", self.session("r3c")["state"])

    def test_events_on_descriptor_3(self):
        events = [{"event": "file", "file": "a", "status": "completed", "bytes": 10},
                  {"event": "file", "file": "b", "status": "failed", "ts": 1767603600},
                  {"event": "file", "session": "r4-other", "file": "c"}]
        script = "".join(f"echo '{json.dumps(event)}' >&3; " for event in events) + "echo 99/100; echo oops >&3"
        done = self.shell("r4", script)
        self.assertIn("no JSON object: oops", done.stderr)
        answer = self.session("r4")
        self.assertEqual("completed", answer["state"])
        self.assertEqual(2, answer["metrics"]["totalFiles"])  # and no 100 from the output
        self.assertEqual(1, self.session("r4-other")["metrics"]["totalFiles"])

    def test_the_progress_file(self):
        self.shell("r5", 'echo 5/9 > "$ARGO_PROGRESS_FILE"; echo 1/400')
        self.assertEqual(9, self.session("r5")["metrics"]["totalFiles"])
        with tempfile.TemporaryDirectory() as folder:
            mine = Path(folder) / "progress"
            self.shell("r5b", f"echo 2/7 > {mine}", env={**self.environment, "ARGO_PROGRESS_FILE": str(mine)})
            self.assertEqual("2/7\n", mine.read_text())
        self.assertEqual(7, self.session("r5b")["metrics"]["totalFiles"])

    def test_a_terminal_stays_a_terminal(self):
        pid, terminal = pty.fork()
        if pid == 0:
            script = 'test -t 1 && test -t 2 && stty size <&1 && printf "\\r50%%"; printf "\\r100%%\\n"; exit 5'
            os.execve(BINARY, [BINARY, "run", "--session=r6", "--", "bash", "-c", script], self.environment)
        said = b""
        try:
            while piece := os.read(terminal, 4096):
                said += piece
        except OSError:  # how a terminal ends
            pass
        self.assertEqual(5, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        self.assertIn(b"\r50%\r100%\r\n", said)
        self.assertEqual(100, self.session("r6")["metrics"]["totalFiles"])

    def test_everything_passes_unchanged(self):
        data = os.urandom(3 << 20)
        done = subprocess.run([BINARY, "run", "--session=r7", "--", "cat"], input=data, capture_output=True, timeout=60,
                              env=self.environment, check=False)
        self.assertEqual((0, b""), (done.returncode, done.stderr))
        self.assertEqual(data, done.stdout)

    def test_a_grandchild_that_stays_does_not_hold_it(self):
        done = self.shell("r8", "sleep 300 & echo $!; exit 4", timeout=30)
        os.kill(int(done.stdout), signal.SIGKILL)
        self.assertEqual(4, done.returncode)

    def test_without_an_agent_the_job_runs_as_ever(self):
        done = self.shell("r9", "echo 1/2; exit 6", env=NOWHERE)
        self.assertEqual((6, "1/2\n"), (done.returncode, done.stdout))
        self.assertEqual(1, done.stderr.count("no agent at"))
        wrong = {**self.environment, "PROGRESS_AGENT_SHUTDOWN_LINGER": "soon"}
        self.assertEqual(6, self.shell("r9", "exit 6", env=wrong).returncode)


class Pipe(OnRamps):
    def pipe(self, *arguments, **options):
        return subprocess.run([BINARY, "pipe", *arguments], capture_output=True, timeout=60, check=False,
                              env=options.pop("env", self.environment), **options)

    def test_bytes(self):
        data = os.urandom(5 << 20)
        done = self.pipe("--session=p1", f"--size={len(data)}", input=data)
        self.assertEqual((0, b""), (done.returncode, done.stderr))
        self.assertEqual(data, done.stdout)
        answer = self.session("p1")
        self.assertEqual(("completed", 100), (answer["state"], answer["metrics"]["progressPercentage"]))
        file = self.agent.get("/v1/sessions/p1/files").json()["items"][0]
        self.assertEqual((len(data), len(data)), (file["bytes"], file["bytesDone"]))

    def test_lines(self):
        done = self.pipe("--session=p2", "--lines", "--expect=4", input=b"a\nb\nc\nd")
        self.assertEqual(b"a\nb\nc\nd", done.stdout)
        answer = self.session("p2")
        self.assertEqual(("completed", 4), (answer["state"], answer["metrics"]["filesCompleted"]))

    def test_on_the_way(self):
        job = subprocess.Popen([BINARY, "pipe", "--session=p3", "--size=1000"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, env=self.environment)
        def half_done():
            job.stdin.write(b"x" if job.stdin_bytes else b"x" * 400)
            job.stdin_bytes += 1
            job.stdin.flush()
            reply = self.agent.get("/v1/sessions/p3")
            return reply.status == 200 and reply.json()["metrics"]["progressPercentage"] >= 40
        job.stdin_bytes = 0
        until(half_done, every=0.05)
        job.send_signal(signal.SIGTERM)
        job.communicate(timeout=30)
        self.assertEqual(-signal.SIGTERM, job.returncode)
        self.assertEqual("cancelled", self.session("p3")["state"])

    def test_a_reader_that_goes_away(self):
        done = subprocess.run(["bash", "-c", f"yes | {BINARY} pipe --session p4 | head -n 2; exit ${{PIPESTATUS[1]}}"],
                              capture_output=True, timeout=60, check=False, env=self.environment)
        self.assertEqual((b"y\ny\n", 128 + signal.SIGPIPE), (done.stdout, done.returncode))
        self.assertEqual("cancelled", self.session("p4")["state"])

    def test_usage_and_a_missing_agent(self):
        for arguments in (["--size=1"], ["--session=p", "--size=x"], ["--session=p", "--lines", "--size=1"],
                          ["--session=p", "--expect=1"]):
            self.assertEqual(2, self.pipe(*arguments, input=b"").returncode, arguments)
        done = self.pipe("--session=p5", input=b"data", env=NOWHERE)
        self.assertEqual((0, b"data"), (done.returncode, done.stdout))
        self.assertEqual(1, done.stderr.count(b"no agent at"))


if __name__ == "__main__":
    sys.exit(unittest.main())
