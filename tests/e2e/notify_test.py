"""The agent tells Alertmanager and webhooks of alerts, whatever they do."""

import http.client
import json
import os
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

from harness.agent import Agent, free_port, sanitized
from harness.polling import until
from harness.receiver import Alertmanager, Receiver, endless

RATE = "ProgressSuccessRateBelowTarget"
RESTARTS = 20 if os.environ.get("AGENT_FULL") else 3


def configured(folder, text):
    path = Path(folder) / "agent.yaml"
    path.write_text(text)
    return f"--config.file={path}"


def run_of(session, failed, family="nightly", ago=0.0, **facts):
    """A run of a family with so many of 20 files failed, `ago` seconds before now."""
    status = "failed" if failed else "completed"
    common = {"session": session, "ts": time.time() - ago}
    return [{"event": "session.start", **common, "family": family, **facts},
            *[{"event": "file", **common, "file": f"f{i}", "status": "failed" if i < failed else "completed"}
              for i in range(20)],
            {"event": "session.end", **common, "status": status}]


class Notify(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory(prefix="notify-"))

    def agent(self, notify):
        return self.enterContext(Agent(configured(self.folder, notify)))

    def break_a_run(self, agent, session="bad", failed=10):
        self.assertEqual(200, agent.post(run_of(session, failed, ago=1)).status)

    def mend(self, agent):
        self.assertEqual(200, agent.post(run_of("good", 0)).status)

    def test_nobody_is_told_until_somebody_is_named(self):
        agent = self.agent("log: {level: debug}\n")
        threads = len(list(Path(f"/proc/{agent.process.pid}/task").iterdir()))
        self.break_a_run(agent)
        until(lambda: agent.get("/v1/alerts").json()["items"], 10)
        self.assertEqual(threads, len(list(Path(f"/proc/{agent.process.pid}/task").iterdir())))
        self.assertEqual([], agent.get("/v1/status").json()["notifications"])
        self.assertEqual(0, agent.total("progress_agent_notifications_total"))
        until(lambda: "alert firing" in agent.log(), 5)  # the log always says it

    def test_a_webhook_hears_of_the_beginning_and_the_end(self):
        receiver = self.enterContext(Receiver())
        agent = self.agent(f"notify:\n  webhooks:\n    - url: http://127.0.0.1:{receiver.port}/secret/path\n"
                           "  external_labels:\n    region: eu\nmetrics:\n  session_labels: [team]\n")
        self.assertEqual(200, agent.post(run_of("bad", 10, labels={"team": "search", "x": "y"})).status)
        until(lambda: receiver.statuses(RATE) == ["firing"], 15)
        _, path, _, body = next(r for r in receiver.requests if RATE in json.dumps(r[3]))
        alert = next(a for a in body["alerts"] if a["labels"]["alertname"] == RATE)
        self.assertEqual("/secret/path", path)
        self.assertEqual({"alertname": RATE, "severity": "critical", "session": "bad", "family": "nightly",
                          "team": "search", "region": "eu"}, alert["labels"])
        self.assertEqual({"summary", "description", "recommendation", "runbook_url"}, set(alert["annotations"]))
        self.mend(agent)
        until(lambda: receiver.statuses(RATE) == ["firing", "resolved"], 15)
        ended = [a for a in receiver.alerts() if a["labels"]["alertname"] == RATE]
        self.assertEqual(ended[0]["startsAt"], ended[1]["startsAt"])
        self.assertEqual(ended[0]["fingerprint"], ended[1]["fingerprint"])
        until(lambda: not [a for a in agent.get("/v1/alerts").json()["items"] if a["state"] == "firing"], 5)
        status = agent.get("/v1/status").json()["notifications"]
        self.assertEqual([f"http://127.0.0.1:{receiver.port}"], [t["target"] for t in status])
        self.assertNotIn("secret", agent.log())
        self.assertIn("lastSuccess", status[0])
        self.assertGreaterEqual(agent.total("progress_agent_notifications_total", outcome="success"), 2)

    def test_a_runbook_elsewhere_is_named_as_it_is(self):
        receiver = self.enterContext(Receiver())
        agent = self.agent(f"notify:\n  webhooks:\n    - url: http://127.0.0.1:{receiver.port}\n"
                           "alerts:\n  runbook_url: https://wiki.example.org/runbooks/\n")
        self.break_a_run(agent)
        until(lambda: RATE in str(receiver.alerts()), 15)
        url = "https://wiki.example.org/runbooks/" + RATE.lower()
        self.assertIn(url, [a["annotations"]["runbook_url"] for a in receiver.alerts()])
        self.assertIn(url, [a["runbookUrl"] for a in agent.get("/v1/alerts").json()["items"]])

    def test_a_dismissed_alert_is_resolved_for_others(self):
        receiver = self.enterContext(Receiver())
        agent = self.agent(f"notify:\n  webhooks:\n    - url: http://127.0.0.1:{receiver.port}\n")
        self.break_a_run(agent)
        until(lambda: receiver.statuses(RATE) == ["firing"], 15)
        alert = next(a for a in agent.get("/v1/alerts").json()["items"] if "Progress" + a["name"] == RATE)
        reply = agent.post(b"", path=f"/v1/alerts/{alert['id']}/dismiss")
        self.assertEqual((200, True), (reply.status, reply.json()["dismissed"]))
        until(lambda: receiver.statuses(RATE) == ["firing", "resolved"], 15)
        self.assertEqual(0, agent.total("progress_alert_active", alert=alert["name"]))

    def test_real_alertmanager(self):
        receiver = self.enterContext(Receiver())
        manager = self.enterContext(Alertmanager(receiver.port))
        agent = self.agent(f"notify:\n  alertmanagers:\n    - url: http://127.0.0.1:{manager.port}\n")
        self.break_a_run(agent)
        until(lambda: RATE in manager.alerts(), 15)
        alert = manager.alerts()[RATE]
        self.assertEqual({"alertname": RATE, "severity": "critical", "session": "bad", "family": "nightly"},
                         alert["labels"])
        page, _, section = alert["annotations"]["runbook_url"].partition("#")
        with urllib.request.urlopen(page, timeout=20) as reply:
            self.assertIn(f'<h2 id="{section}">{RATE}</h2>', reply.read().decode())
        until(lambda: "firing" in receiver.statuses(RATE), 15)
        self.mend(agent)
        until(lambda: RATE not in manager.alerts(), 15)
        until(lambda: receiver.statuses(RATE)[-1] == "resolved", 15)

    def test_an_alertmanager_that_comes_and_goes(self):
        """What fired and what ended while it was away is delivered once it is back, as it was."""
        receiver = self.enterContext(Receiver())
        port = free_port()
        state = self.enterContext(tempfile.TemporaryDirectory(prefix="am-"))
        agent = self.agent(f"notify:\n  alertmanagers:\n    - url: http://127.0.0.1:{port}\n")

        def failures():
            return agent.total("progress_agent_notifications_total", outcome="failure")

        def as_the_agent_says():
            return {a["session"]: a["startsAt"] for a in agent.get("/v1/alerts").json()["items"]
                    if a["name"] == RATE[len("Progress"):] and a["state"] == "firing"}

        def as_the_manager_says(manager):
            return {a["labels"]["session"]: a["startsAt"] for a in json.loads(manager.fetch("/api/v2/alerts"))
                    if a["labels"]["alertname"] == RATE}

        for i in range(RESTARTS):
            before, began = failures(), time.monotonic()
            self.assertEqual(200, agent.post(run_of(f"bad-{i}", 10, f"of-{i}", ago=1)).status)
            until(lambda: failures() > before, 15)
            self.assertLessEqual(failures() - before, time.monotonic() - began + 1)
            with Alertmanager(receiver.port, port, state) as manager:
                until(lambda: len(as_the_manager_says(manager)) == i + 1, 15)
                self.assertEqual(as_the_agent_says(), as_the_manager_says(manager))
        for i in range(RESTARTS):
            self.assertEqual(200, agent.post(run_of(f"good-{i}", 0, f"of-{i}")).status)
        until(lambda: not as_the_agent_says(), 5)
        with Alertmanager(receiver.port, port, state):
            def resolved():
                last = {a["labels"]["session"]: a["status"] for a in receiver.alerts() if a["labels"]["alertname"] == RATE}
                return sorted(session for session, status in last.items() if status == "resolved")

            until(lambda: resolved() == sorted(f"bad-{i}" for i in range(RESTARTS)), 20, lambda: str(resolved()))

    def test_targets_that_misbehave(self):
        """Less than a call a second; the agent serves on; and all is delivered in the end."""
        def error(handler):
            handler.send_response(500)
            handler.end_headers()
            handler.wfile.write(b"out of order\n")

        def redirect(handler):
            handler.send_response(302)
            handler.send_header("Location", "http://127.0.0.1:1/elsewhere")
            handler.end_headers()

        def hang(handler):
            time.sleep(3)

        for name, behave, words in (("error", error, "answered 500"), ("redirect", redirect, "answered 302"),
                                    ("hang", hang, "no answer in time")):
            with self.subTest(name), Receiver(behave=behave) as receiver, Agent(configured(
                    self.folder, "notify:\n  alertmanagers:\n"
                    f"    - url: http://127.0.0.1:{receiver.port}\n      timeout: 1s\n")) as agent:
                self.break_a_run(agent)
                until(lambda: agent.total("progress_agent_notifications_total", outcome="failure") >= 2, 20)
                times = [at for at, *_ in receiver.requests]
                self.assertTrue(all(b - a > 0.95 for a, b in zip(times, times[1:])), times)
                status = agent.get("/v1/status").json()["notifications"][0]
                self.assertTrue(status["failing"])
                self.assertIn(words, status["lastError"]["message"])
                self.assertEqual(1, agent.total("progress_agent_notifications_failing"))
                began = time.monotonic()
                agent.get("/metrics")
                self.assertLess(time.monotonic() - began, 0.5)
                receiver.behave = None
                until(lambda: agent.total("progress_agent_notifications_total", outcome="success"), 15)
                self.assertIn(RATE, [a["labels"]["alertname"] for a in receiver.alerts()])

    def test_an_endless_answer(self):
        sent = []
        receiver = self.enterContext(Receiver(behave=lambda handler: endless(handler, sent)))
        agent = self.agent(f"notify:\n  alertmanagers:\n    - url: http://127.0.0.1:{receiver.port}\n")
        before = agent.rss_bytes()
        self.break_a_run(agent)
        until(lambda: agent.total("progress_agent_notifications_total", outcome="success"), 15)
        self.assertLess(sum(sent), 30 << 20)  # what buffers on the way hold
        if not sanitized():
            self.assertLess(agent.rss_bytes() - before, 8 << 20)

    def test_passwords_and_tokens_come_from_files(self):
        (Path(self.folder) / "token").write_text("t0ken\n")
        (Path(self.folder) / "password").write_text("pa:ss\n")
        first, second = self.enterContext(Receiver()), self.enterContext(Receiver())
        agent = self.agent("notify:\n  alertmanagers:\n"
                           f"    - url: http://127.0.0.1:{first.port}/prefix/\n"
                           f"      bearer_token_file: {self.folder}/token\n"
                           f"    - url: http://127.0.0.1:{second.port}\n"
                           f"      basic_auth: {{username: joe, password_file: {self.folder}/password}}\n")
        self.break_a_run(agent)
        until(lambda: first.requests and second.requests, 15)
        self.assertEqual("/prefix/api/v2/alerts", first.requests[0][1])
        self.assertEqual("Bearer t0ken", first.requests[0][2]["Authorization"])
        self.assertEqual("Basic am9lOnBhOnNz", second.requests[0][2]["Authorization"])
        self.assertNotIn("t0ken", agent.log() + agent.get("/v1/status").body.decode())

    def test_tls(self):
        folder = Path(self.folder)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=am",
                        "-addext", "subjectAltName=DNS:am.example.org", "-keyout", folder / "key", "-out",
                        folder / "cert"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert", folder / "key")
        good, wrong = self.enterContext(Receiver(tls=context)), self.enterContext(Receiver(tls=context))
        agent = self.agent(
            "notify:\n  alertmanagers:\n"
            f"    - url: https://127.0.0.1:{good.port}\n"
            f"      tls_config: {{ca_file: {folder}/cert, server_name: am.example.org}}\n"
            f"    - url: https://127.0.0.1:{wrong.port}\n"
            f"      tls_config: {{ca_file: {folder}/cert, server_name: other.example.org}}\n")
        self.break_a_run(agent)
        until(lambda: good.requests, 15)
        until(lambda: agent.total("progress_agent_notifications_total", outcome="failure"), 15)
        self.assertEqual([], wrong.requests)

    def test_a_reload_changes_who_is_told(self):
        first, second = self.enterContext(Receiver()), self.enterContext(Receiver())
        agent = self.agent(f"notify:\n  webhooks:\n    - url: http://127.0.0.1:{first.port}\n")
        configured(self.folder, f"notify:\n  webhooks:\n    - url: http://127.0.0.1:{second.port}\n")
        self.assertEqual(200, agent.post(b"", path="/-/reload").status)
        self.break_a_run(agent)
        until(lambda: second.statuses(RATE) == ["firing"], 15)
        self.assertEqual([], first.requests)

    def test_what_waits_is_sent_before_it_leaves(self):
        receiver = self.enterContext(Receiver())
        agent = self.agent(f"notify:\n  webhooks:\n    - url: http://127.0.0.1:{receiver.port}\n"
                           "alerts:\n  rules:\n    SuccessRateBelowTarget:\n      severity: info\n")
        self.break_a_run(agent)
        agent.stop()
        self.assertIn("firing", receiver.statuses(RATE))

    def test_alerts_survive_a_restart(self):
        receiver = self.enterContext(Receiver())
        text = (f"storage:\n  path: {self.folder}/db\n"
                f"notify:\n  alertmanagers:\n    - url: http://127.0.0.1:{receiver.port}\n")
        first = Agent(configured(self.folder, text))
        try:
            self.break_a_run(first)
            until(lambda: RATE in [a["labels"]["alertname"] for a in receiver.alerts()], 15)
            before = [a for a in first.get("/v1/alerts").json()["items"] if a["name"] == RATE[8:]]
            until(lambda: first.get("/v1/status").json()["storage"]["queueLength"] == 0, 10)
        finally:
            first.process.kill()
            first.process.wait()
            first.temporary.cleanup()
        with Agent(configured(self.folder, text)) as agent:
            until(lambda: agent.get("/v1/alerts").json()["items"], 15)
            after = [a for a in agent.get("/v1/alerts").json()["items"] if a["name"] == RATE[8:]]
            self.assertEqual([(a["id"], a["startsAt"]) for a in before], [(a["id"], a["startsAt"]) for a in after])
            self.assertEqual(1, agent.total("progress_alerts_fired_total", alert=RATE[8:]))


if __name__ == "__main__":
    unittest.main()
