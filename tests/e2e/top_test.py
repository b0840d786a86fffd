"""`top` over a real agent: once without a terminal, and live in one."""

import http.server
import json
import os
import pty
import tempfile
import threading
import unittest
from pathlib import Path

from harness.agent import BINARY, Agent, run
from harness.certificates import Authority, basic, hash_of
from harness.polling import until

EVENTS = [{"event": "session.start", "session": "nightly", "totalFiles": 4},
          {"event": "file", "session": "nightly", "file": "a.pdf", "status": "completed"},
          {"event": "file", "session": "nightly", "file": "b.pdf", "status": "processing", "progress": 50},
          {"event": "progress", "session": "other", "completed": 3, "total": 3},
          {"event": "session.end", "session": "other", "status": "completed"}]

PASSWORD = "correct horse"


class Top(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.agent = Agent()
        with cls.agent.stream() as stream:
            stream.send(*EVENTS)
            stream.finish()
        cls.flag = f"--url=http://127.0.0.1:{cls.agent.web_port}"

    @classmethod
    def tearDownClass(cls):
        cls.agent.__exit__(None, None, None)

    def test_once(self):
        done = run("top", self.flag)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertRegex(done.stdout, r"nightly .* 1/4 ")
        self.assertRegex(done.stdout, r"other .*completed.* 100\.0%")
        self.assertNotIn("\x1b", done.stdout)
        self.assertNotIn("other", run("top", self.flag, "--once", "--filter=night").stdout)
        self.assertRegex(run("top", self.flag, "--session=nightly").stdout, r"(?s)1 of 4 done.*In flight.*50\.0%.*b\.pdf")

    def test_the_address_comes_from_the_settings(self):
        done = run("top", f"--web.listen-address=127.0.0.1:{self.agent.web_port}")
        self.assertIn("nightly", done.stdout)

    def test_json(self):
        items = json.loads(run("top", self.flag, "--format=json").stdout)["items"]
        self.assertEqual(["nightly", "other"], [item["session"]["id"] for item in items])

    def test_faults(self):
        done = run("top", "--url=http://127.0.0.1:1")
        self.assertEqual(1, done.returncode)
        self.assertIn("cannot reach the agent at http://127.0.0.1:1", done.stderr)
        for wrong in ("--format=xml", "--sort=size", "--url=localhost", "--no-such"):
            self.assertEqual(2, run("top", wrong).returncode, wrong)

    def test_live(self):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(BINARY, [BINARY, "top", self.flag], {**os.environ, "NO_COLOR": "1"})
        said = b""

        def shows(text):
            def heard():
                nonlocal said
                said += os.read(terminal, 65536)
                return text in said
            until(heard, 20, lambda: said.decode(errors="replace"))

        shows(b"nightly")
        self.assertNotIn(b"\x1b[3", said.replace(b"\x1b[?", b""))  # no colour
        os.write(terminal, b"/nigh\n")
        shows(b"filter: nigh")
        os.write(terminal, b"\r")
        shows(b"In flight")
        os.write(terminal, b"q")
        try:
            while os.read(terminal, 65536):
                pass
        except OSError:  # how a terminal ends
            pass
        self.assertEqual(0, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


class TopOverTls(unittest.TestCase):
    """An agent whose web listener wants TLS, a client certificate where `RULES` says so, and a password."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="top-")))
        authority = Authority(cls.folder)
        authority.sign("server", san="DNS:agent.example")
        own = authority.sign("client", usage="clientAuth")
        Authority(cls.folder, "foreigner")
        (cls.folder / "password").write_text(PASSWORD + "\n")
        (cls.folder / "wrong").write_text("wrong\n")
        (cls.folder / "web.yml").write_text(
            "tls_server_config: {cert_file: server.crt, key_file: server.key, client_ca_file: authority.crt,\n"
            "                    client_auth_type: RequireAndVerifyClientCert}\n"
            f"basic_auth_users: {{ann: {hash_of(PASSWORD)}}}\n")
        context = authority.client(*own)
        context.check_hostname = False
        cls.agent = cls.enterClassContext(Agent(f"--web.config.file={cls.folder}/web.yml", tls=context,
                                                authorization=basic("ann", PASSWORD)))
        with cls.agent.stream() as stream:
            stream.send(*EVENTS)
            stream.finish()

    def top(self, *less, url=None, **more):
        """Runs it with all it needs, but without the flags `less`, and with others of `more`."""
        flags = {"url": url or f"https://127.0.0.1:{self.agent.web_port}", "ca-file": "authority.crt",
                 "server-name": "agent.example", "cert-file": "client.crt", "key-file": "client.key",
                 "username": "ann", "password-file": "password", **{name.replace("_", "-"): value for name, value in more.items()}}
        return run("top", "--once", *(f"--{name}={value}" for name, value in flags.items() if name not in less),
                   cwd=self.folder)

    def test_shows_the_sessions(self):
        done = self.top()
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertRegex(done.stdout, r"nightly .* 1/4 ")
        self.assertEqual(2, len(json.loads(self.top(format="json").stdout)["items"]))

    def test_the_scheme_comes_from_the_settings(self):
        done = self.top("url", **{"web.config.file": "web.yml", "web.listen-address": f"127.0.0.1:{self.agent.web_port}"})
        self.assertEqual((0, ""), (done.returncode, done.stderr))

    def test_what_is_missing_is_named(self):
        for done, words in ((self.top("username", "password-file"), "401.*--username with --password-file"),
                            (self.top(password_file="wrong"), "401"),
                            (self.top(password_file="none"), "none: No such file"),
                            (self.top("ca-file"), "certificate"), (self.top(ca_file="foreigner.crt"), "certificate"),
                            (self.top(ca_file="password"), "password: "),
                            (self.top("server-name"), "mismatch"),
                            (self.top("cert-file", "key-file"), "certificate required|reset by peer"),
                            (self.top(url=f"http://127.0.0.1:{self.agent.web_port}"), "400.*use https://")):
            self.assertEqual(1, done.returncode, words)
            self.assertRegex(done.stderr, words)
            self.assertNotIn(PASSWORD, done.stderr)

    def test_wrong_usage(self):
        for done, words in ((self.top("password-file"), "need each other"), (self.top("key-file"), "need each other"),
                            (self.top(bearer_token_file="password"), "give one"),
                            (self.top(url="https://ann:secret@127.0.0.1"), "everybody can see")):
            self.assertEqual(2, done.returncode)
            self.assertRegex(done.stderr, words)

    def test_a_token(self):
        """As a proxy in front of an agent may want one."""
        asked = []

        class Proxy(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.headers["Authorization"])
                self.send_error(403)

            def log_message(self, *_):
                pass

        with http.server.HTTPServer(("127.0.0.1", 0), Proxy) as proxy:
            proxy.timeout = 20
            serving = threading.Thread(target=proxy.handle_request)
            serving.start()
            done = self.top("username", "password-file", url=f"http://127.0.0.1:{proxy.server_port}", bearer_token_file="password")
            serving.join()
        self.assertEqual([f"Bearer {PASSWORD}"], asked)
        self.assertIn("answers 403 to /v1/sessions", done.stderr)


if __name__ == "__main__":
    unittest.main()
