"""Readiness, reload, and the way out."""

import signal
import tempfile
import unittest
from pathlib import Path

from harness.agent import Agent
from harness.polling import until

SCRAPER = {"X-Prometheus-Scrape-Timeout-Seconds": "10"}
EVENT = {"event": "progress", "session": "s", "completed": 1, "total": 2}


class Lifecycle(unittest.TestCase):
    def test_healthy_and_ready(self):
        with Agent() as agent:
            for port in (agent.web_port, agent.ingest_port):
                for path in ("/-/healthy", "/-/ready"):
                    self.assertEqual(200, agent.get(path, port=port).status)

    def test_sigterm_is_a_clean_stop(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Agent() as agent:
                agent.post([EVENT])
                agent.signal(number)
                self.assertEqual(0, agent.process.wait(20))

    def test_signals_on_the_way_out_change_nothing(self):
        for _ in range(20):
            with Agent("--shutdown.linger=0s") as agent:
                agent.post([EVENT])
                def is_over():
                    agent.signal(signal.SIGTERM)
                    return agent.process.poll() is not None
                until(is_over, what="it ends", every=0.0001)
                self.assertEqual(0, agent.process.returncode)

    def test_drains_until_scraped(self):
        with Agent("--shutdown.linger=60s") as agent:
            agent.get("/metrics", SCRAPER)
            agent.post([EVENT])
            agent.signal(signal.SIGTERM)
            until(lambda: agent.get("/-/ready").status == 503, what="it says that it is leaving")
            agent.get("/metrics")  # a person looks: no scrape
            self.assertIsNone(agent.process.poll())
            self.assertIn(b'progress_session_files{session="s",state="completed"} 1',
                          agent.get("/metrics", SCRAPER).body)
            self.assertEqual(0, agent.process.wait(20))

    def test_a_second_sigterm_ends_the_wait(self):
        with Agent("--shutdown.linger=60s") as agent:
            agent.post([EVENT])
            agent.signal(signal.SIGTERM)
            until(lambda: agent.get("/-/ready").status == 503)
            agent.signal(signal.SIGTERM)
            self.assertEqual(0, agent.process.wait(20))

    def test_reload(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "agent.yaml"
            file.write_text("sessions: {max_ended: 11}\n")
            with Agent(f"--config.file={file}") as agent:
                def successful():
                    return agent.total("progress_agent_config_last_reload_successful")

                def reload():
                    return agent.request("POST", "/-/reload", port=agent.ingest_port).status

                self.assertEqual(1, successful())
                file.write_text("sessions: {max_ended: 22}\n")
                self.assertEqual(200, reload())
                self.assertRegex(agent.get("/v1/status").body.decode(), r'"max_?[eE]nded":22\b')
                file.write_text("sessions: {max_ended: many}\n")
                self.assertNotEqual(200, reload())
                self.assertEqual(0, successful())
                self.assertRegex(agent.get("/v1/status").body.decode(), r'"max_?[eE]nded":22\b')
                file.write_text("sessions: {max_ended: 33}\n")
                agent.signal(signal.SIGHUP)
                until(lambda: successful() == 1, what="SIGHUP reloads too")
                self.assertRegex(agent.get("/v1/status").body.decode(), r'"max_?[eE]nded":33\b')


if __name__ == "__main__":
    unittest.main()
