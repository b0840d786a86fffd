"""A real Prometheus scrapes the agent while made-up sessions with the shape of real ones stream in."""

import threading
import time
import unittest

from harness import exposition, sessions
from harness.agent import OPENMETRICS, Agent, lines
from harness.polling import until
from harness.prometheus import Prometheus

COUNT = 20
CHUNK = 500  # events between two looks at the page


class RealPrometheus(unittest.TestCase):
    def check_page(self, agent):
        """Both formats, by readers that are not ours."""
        exposition.check_text(agent.get("/metrics").body)
        reply = agent.get("/metrics", OPENMETRICS)
        self.assertTrue(reply.headers["content-type"].startswith("application/openmetrics-text"))
        self.assertTrue(exposition.check_openmetrics(reply.body))

    def stream(self, agent, events):
        with agent.stream() as stream:
            for start in range(0, len(events), CHUNK):
                stream.send_bytes(lines(events[start:start + CHUNK]))
                if start // CHUNK % 4 == 0:
                    self.check_page(agent)
            self.assertEqual([], stream.finish())

    def test_counts_are_the_sessions_own(self):
        told, events = sessions.generate(COUNT, "prometheus", time.time() - 1)
        with Agent() as agent, Prometheus(f"127.0.0.1:{agent.web_port}") as prometheus:
            self.stream(agent, events)
            self.check_page(agent)
            wanted = {(session.name, state): session.expected[state] for session in told
                      for state in ("completed", "failed", "skipped")}

            def scraped():
                rows = prometheus.query('progress_session_files{state=~"completed|failed|skipped"}')
                return {(labels["session"], labels["state"]): value for labels, value in rows}

            until(lambda: scraped() == wanted, 20, lambda: f"{scraped()} is not {wanted}")
            self.assertEqual([], prometheus.query("up == 0"))
            self.assertEqual("", prometheus.target()["lastError"])
            self.assertEqual(len(events), agent.total("progress_agent_events_total"))
            for session in told:
                with self.subTest(session=session.name):
                    metrics = agent.session(session.name)["metrics"]
                    self.assertEqual((session.files, 100, session.expected["retries"], session.expected["tokens"]), (
                        metrics["totalFiles"], metrics["progressPercentage"], metrics["retryCount"],
                        metrics["totalTokensUsed"]))

    def test_rates_survive_streaming_from_many_clients(self):
        """Each session on its own connection, all at once; no event is lost or counted twice."""
        told, events = sessions.generate(COUNT, "many", time.time() - 1)
        with Agent() as agent:
            def feed(name):
                with agent.stream() as stream:
                    stream.send_bytes(lines(event for event in events if event["session"] == name))
                    stream.finish()
            feeders = [threading.Thread(target=feed, args=(session.name,)) for session in told]
            for feeder in feeders:
                feeder.start()
            while any(feeder.is_alive() for feeder in feeders):
                self.check_page(agent)
            for feeder in feeders:
                feeder.join()
            self.assertEqual(len(events), agent.total("progress_agent_events_total"))
            self.assertEqual(sum(session.expected["completed"] for session in told),
                             agent.total("progress_session_files", state="completed"))

    def test_nothing_in_an_event_breaks_the_page(self):
        hostile = ['quote"', "back\\slash", "new\nline", "\u202e\U0001f4a9", "é" * 60, 'a{b="c"} 1', "# HELP x"]
        with Agent() as agent, Prometheus(f"127.0.0.1:{agent.web_port}") as prometheus:
            for text in hostile:
                agent.post([{"event": "session.start", "session": text.replace("\n", " "), "name": text, "family": text},
                            {"event": "api", "session": "s", "provider": text, "ok": True, "durationMs": 5}])
            self.check_page(agent)
            seen = time.time()
            until(lambda: prometheus.query(f"timestamp(progress_agent_build_info) > {seen}"), 20,
                  lambda: str(prometheus.target()))
            self.assertEqual("up", prometheus.target()["health"])


if __name__ == "__main__":
    unittest.main()
