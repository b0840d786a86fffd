"""What the command line says, and what it exits with."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import exposition
from harness.agent import BINARY, ROOT, Agent, free_ports, run
from harness.polling import until


class CommandLine(unittest.TestCase):
    def test_version(self):
        done = run("--version")
        self.assertEqual(0, done.returncode)
        self.assertRegex(done.stdout, r"progress-agent.* \d+\.\d+\.\d+")
        self.assertRegex(done.stdout, r"revision\W+[0-9a-f]{7,}")

    def test_help_names_every_flag_of_the_file(self):
        done = run("serve", "--help")
        self.assertEqual(0, done.returncode)
        for flag in ("--config.file", "--web.listen-address", "--ingest.listen-address", "--ingest.socket",
                     "--ingest.socket-mode", "--storage.path", "--shutdown.linger", "--log.level"):
            self.assertIn(flag, done.stdout)
        self.assertIn("PROGRESS_AGENT_", done.stdout)

    def test_wrong_usage_is_2(self):
        for arguments in (["--no-such-flag"], ["no-such-command"], ["serve", "--shutdown.linger=soon"],
                          ["serve", "--ingest.socket-mode=rwx"]):
            with self.subTest(arguments=arguments):
                done = run(*arguments)
                self.assertEqual(2, done.returncode, done.stderr)
                self.assertTrue(done.stderr.strip())

    def test_a_remote_ingest_listener_must_be_asked_for(self):
        done = run("serve", "--ingest.listen-address=0.0.0.0:0", "--ingest.socket=", "--web.listen-address=127.0.0.1:0")
        self.assertEqual(2, done.returncode, done.stderr)
        self.assertIn("--ingest.allow-remote", done.stderr)

    def test_check_config(self):
        self.assertEqual(0, run("check-config", ROOT / "config" / "agent.yaml").returncode)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "agent.yaml"
            file.write_text("web:\n  listen_adress: ':1'\nsessions:\n  linger: 15\n  linger: 1m\n")
            done = run("check-config", file)
        self.assertEqual(1, done.returncode)
        faults = done.stdout + done.stderr
        self.assertRegex(faults, r"agent\.yaml:2:3: .*did you mean \"listen_address\"\?")
        self.assertRegex(faults, r"agent\.yaml:4:11: ")
        self.assertRegex(faults, r"agent\.yaml:5:3: ")

    def test_invalid_configuration_starts_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "agent.yaml"
            file.write_text("sessions: {max_ended: many}\n")
            done = run("serve", f"--config.file={file}", "--ingest.socket=")
        self.assertEqual(2, done.returncode)
        self.assertIn("max_ended", done.stderr)

    def test_flag_over_environment_over_file(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "agent.yaml"
            file.write_text("sessions: {max_ended: 11}\nlog: {level: warn, format: json}\n")
            environment = {"PROGRESS_AGENT_LOG_LEVEL": "debug", "PROGRESS_AGENT_LOG_FORMAT": "logfmt"}
            with Agent(f"--config.file={file}", "--log.level=error", environment=environment) as agent:
                said = agent.get("/v1/status").body.decode()
        self.assertRegex(said, r'"max_?[eE]nded":11\b')
        self.assertRegex(said, r'"format":"logfmt"')
        self.assertRegex(said, r'"level":"error"')

    def test_the_status_says_what_waits_and_what_was_dropped(self):
        with Agent() as agent:
            queues = agent.get("/v1/status").json()["queues"]
        self.assertEqual({"storage": {"length": 0}, "replies": {"dropped": 0},
                          "live": {"clients": 0, "dropped": 0}, "notifications": {"dropped": 0}}, queues)

    def test_demo(self):
        with Agent("--speed=100", "--sessions=4", command="demo") as agent:
            until(lambda: len(agent.get("/v1/sessions").json()["items"]) >= 2, what="sample sessions appear")
            first = agent.total("progress_agent_events_total")
            until(lambda: agent.total("progress_agent_events_total") > first, what="and move on")
            exposition.check_text(agent.get("/metrics").body)
            self.assertEqual(200, agent.get("/").status)

    def test_the_demos_socket_is_where_nobody_else_can_put_anything(self):
        for mode, is_there in ((0o700, True), (0o777, False)):
            with self.subTest(mode=oct(mode)), tempfile.TemporaryDirectory() as folder:
                own = Path(folder) / "progress-agent"
                own.mkdir()
                own.chmod(mode)
                web, ingest = free_ports(2)
                demo = subprocess.Popen([BINARY, "demo", f"--web.listen-address=127.0.0.1:{web}", "--shutdown.linger=0s",
                                         f"--ingest.listen-address=127.0.0.1:{ingest}"], stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, "XDG_RUNTIME_DIR": folder})
                with demo:
                    said = demo.stderr.readline()
                    demo.terminate()
                self.assertIn("msg=ready", said)
                self.assertEqual(is_there, str(own / "agent.sock") in said, said)


if __name__ == "__main__":
    unittest.main()
