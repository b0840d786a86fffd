"""Who may come in: over TLS, with a certificate, a password, a token; and that whoever may not is refused, counted, and
logged once."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

import websockets

from harness.agent import BINARY, ROOT, Agent, free_port, lines, sanitized
from harness.certificates import Authority, basic, hash_of
from harness.polling import until
from harness.prometheus import Prometheus

EVENT = {"event": "progress", "session": "s", "completed": 1}
PASSWORD = "correct horse"
TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"


def users(**passwords):
    return "basic_auth_users:\n" + "".join(f"  {name}: {hash_of(word)}\n" for name, word in passwords.items())


class Access(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(prefix="access-")
        cls.addClassCleanup(temporary.cleanup)
        cls.made = Path(temporary.name)
        cls.authority = Authority(cls.made)
        cls.foreigner = Authority(cls.made, "foreigner")
        cls.authority.sign("server")
        cls.authority.sign("scraper", san="DNS:scraper.example", usage="clientAuth")
        cls.authority.sign("expired", usage="clientAuth", days=-1)
        cls.foreigner.sign("foreign", usage="clientAuth")

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="access-")
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        for name in ("server.crt", "server.key", "authority.crt"):
            shutil.copy(self.made / name, self.folder)

    def write(self, text, name="web.yml"):
        path = self.folder / name
        path.write_text(text)
        return path

    def tls(self, certificate=None):
        """Of a client."""
        own = (self.made / f"{certificate}.crt", self.made / f"{certificate}.key") if certificate else ()
        return self.authority.client(*own)

    def assert_refused(self, agent, listener, reason, times):
        self.assertEqual(times, agent.total("progress_agent_access_refused_total", listener=listener, reason=reason))
        told = re.findall(rf"access refused.* listener={listener} reason={reason}\b", agent.log())
        self.assertEqual(1, len(told), agent.log())

    # Passwords.
    def test_passwords(self):
        path = self.write(users(ann=PASSWORD, bob="bob's"))
        with Agent(f"--web.config.file={path}", authorization=basic("ann", PASSWORD)) as agent:
            for wrong in (None, basic("ann", "wrong"), basic("nobody", PASSWORD), basic("ann", ""), "Basic !",
                          basic("ann", PASSWORD + "\0more"), basic("ann", "bob's"), "Bearer " + PASSWORD):
                agent.authorization = wrong
                for path in ("/metrics", "/-/healthy", "/-/ready", "/", "/v1/nothing"):
                    refused = agent.get(path)
                    self.assertEqual(401, refused.status, wrong)
                    self.assertEqual("Basic", refused.headers["www-authenticate"])
                    self.assertEqual("unauthorized", refused.json()["error"]["code"])
            for name, word in (("ann", PASSWORD), ("bob", "bob's")):
                agent.authorization = basic(name, word)
                self.assertEqual(200, agent.get("/metrics").status)
            self.assert_refused(agent, "web", "credentials", 40)

    def test_a_password_is_paid_for_once(self):
        path = self.write(f"basic_auth_users:\n  ann: {hash_of(PASSWORD, 9)}\n")
        with Agent(f"--web.config.file={path}", authorization=basic("ann", PASSWORD)) as agent:
            def cost(credentials):
                agent.authorization = credentials
                before = agent.cpu_seconds()
                agent.get("/-/healthy")
                return agent.cpu_seconds() - before
            known = min(cost(basic("ann", PASSWORD)) for _ in range(3))
            wrong = min(cost(basic("ann", "wrong")) for _ in range(3))
            unknown = min(cost(basic("nobody", PASSWORD)) for _ in range(3))
            self.assertLess(known, wrong / 10)
            self.assertLess(abs(unknown - wrong), wrong / 2, "a name cannot be guessed by its price")

    @contextlib.contextmanager
    def guessing(self, agent, threads):
        """Wrong passwords from one address, as many as it can send; gives the statuses it has got."""
        statuses, stop = [], threading.Event()
        def guess(i):
            while not stop.is_set():
                with contextlib.suppress(OSError):  # who waits too long on a slow machine
                    statuses.append(agent.request("GET", "/metrics", headers={
                        "Authorization": basic("ann", f"guess {i}")}).status)
        guessers = [threading.Thread(target=guess, args=(i,)) for i in range(threads)]
        for each in guessers:
            each.start()
        try:
            yield statuses
        finally:
            stop.set()
            for each in guessers:
                each.join()

    def test_checking_passwords_holds_up_nobody(self):
        path = self.write(f"basic_auth_users:\n  ann: {hash_of(PASSWORD, 8)}\n  bob: {hash_of(PASSWORD, 8)}\n")
        with Agent(f"--web.config.file={path}", authorization=basic("ann", PASSWORD)) as agent:
            self.assertEqual(200, agent.get("/metrics").status)
            with self.guessing(agent, 40) as statuses:
                until(lambda: 503 in statuses and 401 in statuses, 60, "too many wait")
                with agent.stream() as stream:  # events and known passwords do not wait behind guesses
                    stream.send(EVENT)
                    until(lambda: agent.session("s"), 20)
                before = statuses.count(401)
                other = http.client.HTTPConnection("127.0.0.1", agent.web_port, timeout=60, source_address=("127.0.0.2", 0))
                with contextlib.closing(other):  # nor does a password from elsewhere that is not known yet
                    other.request("GET", "/-/healthy", headers={"Authorization": basic("bob", PASSWORD)})
                    self.assertEqual(200, other.getresponse().status)
                self.assertLessEqual(statuses.count(401) - before, 2)
            self.assertLessEqual(set(statuses), {401, 503})
            self.assertGreater(agent.total("progress_agent_access_refused_total", reason="overload"), 0)

    def test_guessing_gets_a_small_share_of_a_core(self):
        path = self.write(f"basic_auth_users:\n  ann: {hash_of(PASSWORD, 8)}\n")
        with Agent(f"--web.config.file={path}", authorization=basic("ann", PASSWORD)) as agent:
            self.assertEqual(200, agent.get("/metrics").status)
            cpu, began = agent.cpu_seconds(), time.monotonic()
            with self.guessing(agent, 1) as statuses:
                until(lambda: len(statuses) >= 8, 60)
            # A check takes a tenth of the time; without rest it would take nearly all of it.
            self.assertLess(agent.cpu_seconds() - cpu, 0.4 * (time.monotonic() - began))
            self.assertEqual({401}, set(statuses))

    def test_changed_users_are_in_force_at_once(self):
        path = self.write(users(ann=PASSWORD))
        with Agent(f"--web.config.file={path}", authorization=basic("ann", PASSWORD)) as agent:
            path.write_text(users(bob="bob's"))
            until(lambda: agent.get("/metrics").status == 401, what="who is taken off the list is out")
            agent.authorization = basic("bob", "bob's")
            self.assertEqual(200, agent.get("/metrics").status)
            path.write_text("basic_auth_users: [\n")
            until(lambda: "access rules refused" in agent.log() or not agent.get("/metrics"))
            self.assertEqual(200, agent.get("/metrics").status, "the rules in force stay")
            self.assertEqual(0, agent.total("progress_agent_config_last_reload_successful"))
            path.write_text(users(ann=PASSWORD, bob="bob's"))
            until(lambda: agent.total("progress_agent_config_last_reload_successful") == 1)

    # TLS.
    def test_tls(self):
        path = self.write(TLS + "http_server_config:\n  headers:\n"
                          "    Strict-Transport-Security: max-age=31536000\n    X-Frame-Options: deny\n")
        with Agent(f"--web.config.file={path}", tls=self.tls()) as agent:
            reply = agent.get("/metrics")
            self.assertEqual(200, reply.status)
            self.assertEqual("max-age=31536000", reply.headers["strict-transport-security"])
            self.assertEqual("deny", reply.headers["x-frame-options"])
            self.assertEqual(200, agent.get("/").status)
            with self.connection(agent) as wrapped:
                self.assertEqual("TLSv1.3", wrapped.version())
            old = self.tls()
            old.maximum_version = ssl.TLSVersion.TLSv1_2
            with self.connection(agent, old) as wrapped:
                self.assertEqual("TLSv1.2", wrapped.version())
            old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
            old.set_ciphers("ALL:@SECLEVEL=0")
            with self.assertRaises(ssl.SSLError), self.connection(agent, old):
                pass

    def connection(self, agent, context=None, port=None):
        raw = socket.create_connection(("127.0.0.1", port or agent.web_port), timeout=20)
        try:
            return (context or agent.tls).wrap_socket(raw, server_hostname="localhost")
        except Exception:
            raw.close()
            raise

    def test_what_is_configured_of_tls_holds(self):
        path = self.write(TLS + "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n  max_version: TLS12\n"
                          "  curve_preferences: [CurveP384]\n")
        with Agent(f"--web.config.file={path}", tls=self.tls()) as agent:
            with self.connection(agent) as wrapped:
                self.assertEqual(("ECDHE-ECDSA-AES256-GCM-SHA384", "TLSv1.2"), wrapped.cipher()[:2])
            path.write_text(TLS + "  min_version: TLS13\n")
            until(lambda: agent.get("/-/ready") and self.version_of(agent) == "TLSv1.3")
            old = self.tls()
            old.maximum_version = ssl.TLSVersion.TLSv1_2
            with self.assertRaises(ssl.SSLError), self.connection(agent, old):
                pass

    def version_of(self, agent):
        with self.connection(agent) as wrapped:
            return wrapped.version()

    def test_large_bodies_and_replies_pass_through_tls(self):
        path = self.write(TLS)
        with Agent(f"--ingest.config.file={path}", f"--web.config.file={path}", tls=self.tls()) as agent:
            files = [{"event": "file", "session": "s", "file": f"f{i:05}", "bytes": i} for i in range(20000)]
            self.assertEqual(20000, agent.post(files).json()["accepted"])
            page = agent.get("/v1/sessions/s/export?format=ndjson")
            self.assertEqual(20000, page.body.count(b'"event":"file"'))

    def test_plain_http_on_the_tls_port(self):
        with Agent(f"--web.config.file={self.write(TLS)}", tls=self.tls()) as agent:
            agent.tls, tls = None, agent.tls
            for method in ("GET", "DELETE", "POST"):
                refused = agent.request(method, "/metrics")
                self.assertEqual((400, "tls_required"), (refused.status, refused.json()["error"]["code"]))
            agent.tls = tls
            self.assert_refused(agent, "web", "plain_http", 3)

    def test_what_is_no_tls(self):
        with Agent(f"--web.config.file={self.write(TLS)}", tls=self.tls()) as agent:
            for junk in (b"\x00\x01", b"\x16\x03\x01\x00\x05hello", b"\xff" * 100):
                with socket.create_connection(("127.0.0.1", agent.web_port), timeout=20) as client:
                    client.sendall(junk)
                    with contextlib.suppress(OSError):  # it may be gone already
                        client.shutdown(socket.SHUT_WR)
                        while client.recv(4096):
                            pass
            until(lambda: agent.total("progress_agent_access_refused_total", reason="tls_handshake") == 3)
            self.assertEqual(200, agent.get("/metrics").status)

    def test_slow_handshakes_cost_little(self):
        with Agent(f"--web.config.file={self.write(TLS)}", tls=self.tls()) as agent:
            agent.get("/metrics")
            before = agent.rss_bytes()
            hello = self.client_hello()
            with contextlib.ExitStack() as stack:
                for i in range(400):
                    client = stack.enter_context(socket.create_connection(("127.0.0.1", agent.web_port), timeout=20))
                    client.sendall(hello[:1 + i % len(hello)])
                self.assertEqual(200, agent.get("/metrics").status)
                if not sanitized():
                    self.assertLess((agent.rss_bytes() - before) / 400, 64 * 1024)

    def client_hello(self):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = self.tls().wrap_bio(incoming, outgoing, server_hostname="localhost")
        with contextlib.suppress(ssl.SSLWantReadError):
            session.do_handshake()
        return outgoing.read()[:-1]

    # Client certificates.
    def test_client_certificates(self):
        path = self.write(TLS + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: authority.crt\n")
        with Agent(f"--web.config.file={path}", tls=self.tls("scraper")) as agent:
            for certificate in (None, "expired", "foreign", "expired"):
                agent.tls = self.tls(certificate)
                with self.assertRaises((ssl.SSLError, ConnectionError), msg=certificate):
                    agent.get("/metrics")
            agent.tls = self.tls("scraper")
            self.assert_refused(agent, "web", "client_certificate", 4)

    def test_kinds_of_client_authentication(self):
        refuses = {"NoClientCert": set(), "RequestClientCert": set(), "RequireAnyClientCert": {None},
                   "VerifyClientCertIfGiven": {"foreign", "expired"},
                   "RequireAndVerifyClientCert": {None, "foreign", "expired"}}
        path = self.write(TLS)
        with Agent(f"--web.config.file={path}", tls=self.tls("scraper")) as agent:
            for kind, refused in refuses.items():
                authority = "" if kind == "NoClientCert" else "  client_ca_file: authority.crt\n"
                path.write_text(TLS + f"  client_auth_type: {kind}\n" + authority)
                count = agent.log().count("access rules read again")
                until(lambda: agent.get("/-/ready") and agent.log().count("access rules read again") > count)
                for certificate in (None, "scraper", "foreign", "expired"):
                    agent.tls = self.tls(certificate)
                    with self.subTest(kind=kind, certificate=certificate):
                        if certificate in refused:
                            with self.assertRaises((ssl.SSLError, ConnectionError)):
                                agent.get("/-/ready")
                        else:
                            self.assertEqual(200, agent.get("/-/ready").status)
                agent.tls = self.tls("scraper")

    def test_allowed_names_of_client_certificates(self):
        rules = (TLS + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: authority.crt\n"
                 "  client_allowed_sans: [other.example, {}]\n")
        path = self.write(rules.format("scraper.example"))
        with Agent(f"--web.config.file={path}", tls=self.tls("scraper")) as agent:
            path.write_text(rules.format("scraper"))
            def refused():
                try:
                    return agent.get("/metrics") and False
                except (ssl.SSLError, ConnectionError):
                    return True
            until(refused, what="the subject is no name of it")

    # Prometheus.
    def test_prometheus_scrapes_over_tls_with_a_password(self):
        path = self.write(TLS + users(ann=PASSWORD))
        self.assert_scraped(path, {"basic_auth": {"username": "ann", "password": PASSWORD}},
                            tls=self.tls(), authorization=basic("ann", PASSWORD))

    def test_prometheus_scrapes_with_a_client_certificate(self):
        path = self.write(TLS + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: authority.crt\n")
        own = {"cert_file": str(self.made / "scraper.crt"), "key_file": str(self.made / "scraper.key")}
        self.assert_scraped(path, {}, own, tls=self.tls("scraper"))

    def assert_scraped(self, path, job, own=None, **client):
        tls_config = {"ca_file": str(self.made / "authority.crt"), **(own or {})}
        with Agent(f"--web.config.file={path}", **client) as agent, \
                Prometheus(f"127.0.0.1:{agent.web_port}",
                           job={"scheme": "https", "tls_config": tls_config, **job}) as prometheus:
            until(lambda: (prometheus.target() or {}).get("health") == "up", 30,
                  lambda: json.dumps(prometheus.target()))
            until(lambda: prometheus.query("progress_agent_build_info"), 20)

    # The live feed.
    def test_live_over_tls(self):
        path = self.write(TLS + users(ann=PASSWORD))
        with Agent(f"--web.config.file={path}", tls=self.tls(), authorization=basic("ann", PASSWORD)) as agent:
            self.assertEqual(2000, asyncio.run(self.files_seen(agent, 2000)))
            with self.assertRaises(websockets.InvalidStatusCode) as refused:
                asyncio.run(self.files_seen(agent, 1, headers={}))
            self.assertEqual(401, refused.exception.status_code)

    async def files_seen(self, agent, count, headers=None):
        given = {"Authorization": agent.authorization} if headers is None else headers
        async with websockets.connect(f"wss://127.0.0.1:{agent.web_port}/v1/live", ssl=agent.tls,
                                      extra_headers=given) as live:
            self.assertEqual("snapshot", json.loads(await asyncio.wait_for(live.recv(), 20))["type"])
            with agent.stream() as stream:
                stream.send(*({"event": "file", "session": "s", "file": f"f{i}", "status": "completed"}
                              for i in range(count)))
            seen = set()
            while len(seen) < count:
                message = json.loads(await asyncio.wait_for(live.recv(), 20))
                if message["type"] == "file":
                    seen.add(message["file"]["file"])
            return len(seen)

    # Hosts and origins.
    def test_foreign_hosts_and_origins(self):
        with Agent("--web.allowed-origins=https://ci.example.org") as agent:
            body = lines([EVENT])
            def send(**headers):
                return agent.request("POST", "/v1/events", body, {"Content-Type": "application/x-ndjson", **headers},
                                     agent.ingest_port).status
            for _ in range(3):
                self.assertEqual(421, send(Host="evil.example"))
                self.assertEqual(403, send(Origin="https://evil.example"))
                self.assertEqual(403, agent.get("/v1/live", {"Origin": "null", **self.upgrade()}).status)
            self.assertEqual(200, send(Host="localhost:1"))
            self.assertEqual(101, self.status_of(agent, {"Origin": "https://ci.example.org", **self.upgrade()}))
            self.assert_refused(agent, "ingest", "host", 3)
            self.assert_refused(agent, "ingest", "origin", 3)
            self.assert_refused(agent, "web", "origin", 3)

    def upgrade(self):
        return {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}

    def status_of(self, agent, headers):
        connection = http.client.HTTPConnection("127.0.0.1", agent.web_port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", "/v1/live", headers=headers)
            return connection.getresponse().status

    # The ingest listener.
    def test_tokens(self):
        (self.folder / "token").write_text("first-token\n")
        path = self.write("bearer_token_files: [token]\n", "ingest.yml")
        with Agent(f"--ingest.config.file={path}") as agent:
            def send(token):
                agent.authorization = token
                return agent.post([EVENT])
            for wrong in (None, "Bearer first-toke", "Bearer first-token2", "Bearer", basic("", "first-token")):
                refused = send(wrong)
                self.assertEqual((401, "Bearer"), (refused.status, refused.headers["www-authenticate"]))
            self.assertEqual(200, send("Bearer first-token").status)
            (self.folder / "new").write_text("second-token")
            os.replace(self.folder / "new", self.folder / "token")
            until(lambda: send("Bearer second-token").status == 200)
            self.assertEqual(401, send("Bearer first-token").status)
            agent.authorization = None
            self.assertGreaterEqual(agent.total("progress_agent_access_refused_total", listener="ingest",
                                                reason="credentials"), 6)

    def test_exposed_with_authentication(self):
        (self.folder / "token").write_text("first-token\n")
        path = self.write("bearer_token_files: [token]\n", "ingest.yml")
        with Agent(f"--ingest.config.file={path}", "--ingest.listen-address=0.0.0.0:0") as agent:
            port = int(re.search(r"ingest_port=(\d+)", agent.log()).group(1))
            path.write_text("")
            def asked():
                return agent.get("/-/ready", port=port).status
            until(lambda: asked() == 401 and "lets everybody in" in agent.log(), what="a file that protects nothing")
            self.assertEqual(401, asked())

    def test_rate_limit(self):
        path = self.write("rate_limit: {interval: 1h, burst: 5}\n")
        with Agent(f"--ingest.config.file={path}") as agent:
            statuses = [agent.post([EVENT]).status for _ in range(8)]
            self.assertEqual([200] * 5 + [429] * 3, statuses)
            self.assert_refused(agent, "ingest", "rate_limit", 3)

    # Sockets.
    @unittest.skipUnless(os.geteuid() == 0, "needs to become another user")
    def test_foreign_users(self):
        with Agent("--ingest.socket-mode=0666", "--ingest.socket-allowed-uids=65534",
                   f"--ingest.datagram-socket={self.folder}/datagram") as agent:
            for _ in range(3):
                with agent.stream() as stream:
                    self.assertIn("socket_allowed_uids", json.dumps(stream.line()))
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                    sender.sendto(lines([EVENT]), str(self.folder / "datagram"))
            for listener in ("unix", "datagram"):
                until(lambda: agent.total("progress_agent_access_refused_total", listener=listener,
                                          reason="user") == 3)
            self.assertEqual(2, agent.log().count("ingest.socket_allowed_uids"), "once for each socket")
            self.assertIsNone(agent.session("s"))

    # Rotation.
    def test_certificates_are_replaced_under_load(self):
        path = self.write(TLS)
        with Agent(f"--web.config.file={path}", tls=self.tls()) as agent:
            failures, served, stop = [], [0], threading.Event()
            def scrape():
                while not stop.is_set():
                    try:
                        served[0] += agent.get("/metrics").status == 200
                    except Exception as fault:  # pylint: disable=broad-except
                        failures.append(repr(fault))
            scrapers = [threading.Thread(target=scrape) for _ in range(4)]
            for each in scrapers:
                each.start()
            try:
                for i in range(3):
                    before, count = self.serial(agent), served[0]
                    certificate, key = self.authority.sign(f"server{i}", into=self.made)
                    # As Kubernetes does: both at once. One after the other, they would not fit for a moment.
                    shutil.copy(certificate, self.folder / "next.crt")
                    shutil.copy(key, self.folder / "next.key")
                    os.replace(self.folder / "next.key", self.folder / "server.key")
                    os.replace(self.folder / "next.crt", self.folder / "server.crt")
                    until(lambda: self.serial(agent) != before, what="the new certificate")
                    until(lambda: served[0] > count + 20)
            finally:
                stop.set()
                for each in scrapers:
                    each.join()
            self.assertEqual([], failures)

    def serial(self, agent):
        with self.connection(agent) as wrapped:
            return wrapped.getpeercert()["serialNumber"]

    def test_reload_reads_them_too(self):
        path = self.write(users(ann=PASSWORD))
        with Agent(f"--web.config.file={path}", authorization=basic("ann", PASSWORD)) as agent:
            reload = lambda: agent.request("POST", "/-/reload", port=agent.ingest_port).status  # noqa: E731
            self.assertEqual(200, reload())
            path.write_text("basic_auth_users: {ann: wrong}\n")
            self.assertNotEqual(200, reload())
            self.assertEqual(200, agent.get("/metrics").status)

    # Secrets.
    def test_secrets_are_told_to_nobody(self):
        (self.folder / "token").write_text("token-never-shown\n")
        hashed = hash_of(PASSWORD)
        web = self.write(TLS + f"basic_auth_users:\n  ann: {hashed}\n")
        ingest = self.write("bearer_token_files: [token]\n", "ingest.yml")
        with Agent(f"--web.config.file={web}", f"--ingest.config.file={ingest}", "--log.level=debug", tls=self.tls(),
                   authorization=basic("ann", PASSWORD)) as agent:
            told = [agent.get(path).body.decode() for path in ("/v1/status", "/metrics", "/v1/sessions")]
            agent.request("GET", "/", headers={"Authorization": basic("ann", "wrong-and-never-shown")})
            agent.request("GET", "/", headers={"Authorization": "Bearer token-never-shown"})
            web.write_text(f"basic_auth_users:\n  ann: {hashed}\n  ben: hash-never-shown\n"
                           "tls_server_config: {key: key-never-shown}\n")
            until(lambda: agent.get("/-/ready") and "access rules refused" in agent.log())
            told += [agent.log(), Path(f"/proc/{agent.process.pid}/cmdline").read_bytes().decode(),
                     Path(f"/proc/{agent.process.pid}/environ").read_bytes().decode(errors="replace")]
            everything = "\n".join(told)
            for secret in (PASSWORD, hashed, "never-shown", basic("ann", PASSWORD)[6:], "PRIVATE KEY"):
                self.assertNotIn(secret, everything)
        checked = subprocess.run([agent.process.args[0], "check-config", web], capture_output=True, text=True,
                                 check=False, timeout=30)
        self.assertNotIn("never-shown", checked.stdout + checked.stderr)

    # What config/README.md tells people to type.
    def test_the_commands_of_the_readme(self):
        text = (ROOT / "config" / "README.md").read_text()
        blocks = re.findall(r"^```sh ci\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        self.assertEqual(2, len(blocks))
        script = "".join(blocks)
        for standard in ("19900", "19901"):
            script = script.replace(standard, str(free_port()))
        web, ingest = dict.fromkeys(re.findall(r"(?:localhost|127\.0\.0\.1):(\d+)", script))
        environment = {**os.environ, "PATH": f"{BINARY.parent}:{os.environ['PATH']}",
                       "PROGRESS_AGENT_WEB_LISTEN_ADDRESS": f"127.0.0.1:{web}",
                       "PROGRESS_AGENT_INGEST_LISTEN_ADDRESS": f"127.0.0.1:{ingest}",
                       "PROGRESS_AGENT_INGEST_SOCKET": "", "PROGRESS_AGENT_SHUTDOWN_LINGER": "0s"}
        done = subprocess.run(["bash", "-euc", script + "wait"], cwd=self.folder, env=environment, timeout=60,
                              capture_output=True, text=True, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("web.yml: ok\ningest.yml: ok\n", done.stdout)
        self.assertIn("progress_agent_build_info", done.stdout)
        self.assertIn('"accepted":1', done.stdout)
        self.assertRegex(done.stdout, r"nightly .* 30\.0%")

    # The process.
    def test_sandbox(self):
        for flags, mode in (((), "0" if sanitized() else "2"), (("--security.seccomp=false",), "0")):
            with Agent(*flags) as agent:
                status = Path(f"/proc/{agent.process.pid}/status").read_text()
                self.assertEqual(mode, re.search(r"^Seccomp:\s+(\d)", status, re.MULTILINE).group(1))


if __name__ == "__main__":
    unittest.main()
