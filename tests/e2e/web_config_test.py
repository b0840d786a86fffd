"""Files of --web.config.file: read as Prometheus' exporter-toolkit reads them, and told apart by all their faults."""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness.agent import ROOT, free_port, run
from harness.certificates import openssl

VECTORS = ROOT / "tests" / "vectors" / "exporter-toolkit"
# What Debian's promtool does not know yet, and what the toolkit's own tests expect of these files when they start.
NEWER_KEYS = re.compile(r"field (rate_limit|client_allowed_sans|client_ca|cert|key) not found")
NEWER = {
    "web-config.yml": True, "web_config_auth_client_san.bad.yaml": True, "web_config_auth_client_san.good.yaml": True,
    "web_config_noAuth_cert_empty.bad.yml": False, "web_config_noAuth_key_empty.bad.yml": False,
    "web_config_rate_limiter_nonblocking.yaml": True, "web_config_rate_limiter_one_second.yaml": True,
}


def make_pair(folder):
    """server.crt and server.key, which the vectors leave out."""
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", "/CN=server",
            "-out", folder / "server.crt", "-keyout", folder / "server.key")


class WebConfig(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="web-config-")
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def write(self, text, name="web.yml"):
        path = self.folder / name
        path.write_text(text)
        return path

    def check(self, text):
        path = self.write(text)
        return run("check-config", path).stderr.replace(f"{path}:", "").splitlines()

    def test_agrees_with_promtool(self):
        copy = self.folder / "vectors"
        shutil.copytree(VECTORS / "web" / "testdata", copy)
        shutil.copy(VECTORS / "docs" / "web-config.yml", copy)
        make_pair(copy)
        files = sorted(path for path in copy.iterdir() if path.suffix in {".yml", ".yaml"})
        self.assertEqual(40, len(files))
        newer = set()
        for path in files:
            with self.subTest(file=path.name):
                theirs = subprocess.run(["promtool", "check", "web-config", path], capture_output=True, text=True,
                                        check=False, timeout=30)
                ours = run("check-config", path)
                accepts = theirs.returncode == 0
                if NEWER_KEYS.search(theirs.stderr + theirs.stdout):
                    newer.add(path.name)
                    accepts = NEWER[path.name]
                self.assertEqual(accepts, ours.returncode == 0, theirs.stderr + ours.stderr)
                if not accepts:
                    self.assertRegex(ours.stderr, rf"{re.escape(str(path))}(:\d+:\d+)?: .")
        self.assertLessEqual(newer, NEWER.keys())

    def test_agrees_on_what_the_vectors_leave_out(self):
        make_pair(self.folder)
        pair = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
        hashed = "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze"
        for text in ("tls_server_config:\n  min_version: TLS13\n", "tls_server_config:\n", "{}\n",
                     pair + "  min_version: TLS10\n", pair + "  client_auth_type: RequireClientCert\n",
                     pair + "  client_auth_type: requireclientcert\n", pair + "  prefer_server_cipher_suites: no\n",
                     pair + "  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]\n", pair + "  cipher_suites: []\n",
                     pair + "  cipher_suites: [TLS_RSA_WITH_AES_128_GCM_SHA256]\n",
                     f"tls_server_config: {{cert_file: {self.folder}/server.crt, key_file: server.key}}\n",
                     "basic_auth_users: {a: '" + hashed + "'}\n", "basic_auth_users: {a: '" + hashed[:-2] + "'}\n",
                     "basic_auth_users: {a: '" + hashed.replace("$2y$10", "$2y$03") + "'}\n",
                     "basic_auth_users: {a: '" + hashed.replace("$2y$10", "$2b$04") + "'}\n",
                     "basic_auth_users: {a: '" + hashed.replace("$2y$", "$3y$") + "'}\n", "basic_auth_users: [a]\n",
                     "basic_auth_users: {a: }\n", "http_server_config: {http2: maybe}\n",
                     "http_server_config: {headers: {x-frame-options: deny}}\n",
                     "http_server_config: {headers: {X-Frame-Options: ''}}\n",
                     "http_server_config: {headers: {X-XSS-Protection: ''}}\n",
                     "basic_auth_users: {}\nbasic_auth_users: {}\n", "tls_server_config: 5\n"):
            with self.subTest(text=text):
                path = self.write(text)
                theirs = subprocess.run(["promtool", "check", "web-config", path], capture_output=True, text=True,
                                        check=False, timeout=30)
                ours = run("check-config", path)
                self.assertEqual(theirs.returncode == 0, ours.returncode == 0, theirs.stderr + ours.stderr)

    def test_says_all_faults_and_where(self):
        faults = self.check("tls_server_confg:\n  cert_file: a\n"
                            "basic_auth_users:\n  ann: secret-one\n"
                            "http_server_config:\n  htp2: true\n  headers:\n    X-Frame-Option: deny\n"
                            "    X-Content-Type-Options: sniff\n")
        self.assertEqual([
            '1:1: "tls_server_confg" is no key of the file (did you mean "tls_server_config"?)',
            '4:8: the password of "ann" is no bcrypt hash: it is too short; make one with htpasswd -nBC 10 ""',
            '6:3: "htp2" is no key of http_server_config (did you mean "http2"?)',
            '8:5: the header "X-Frame-Option" cannot be configured (did you mean "X-Frame-Options"?)',
            '9:29: X-Content-Type-Options takes "nosniff", not "sniff"'], faults)

    def test_says_what_the_named_files_lack(self):
        make_pair(self.folder)
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                self.folder / "other.key")
        openssl("pkey", "-in", self.folder / "server.key", "-aes128", "-passout", "pass:x", "-out",
                self.folder / "locked.key")
        for key, why in (("other.key", "no certificate assigned"), ("missing.key", "No such file"), ("server.crt", ""),
                         ("locked.key", "")):
            with self.subTest(key=key):
                faults = self.check(f"tls_server_config:\n  cert_file: server.crt\n  key_file: {key}\n")
                self.assertEqual(1, len(faults), faults)
                self.assertRegex(faults[0], rf"^3:13: .*{key}.*{why}")

    def test_written_out_certificates(self):
        make_pair(self.folder)
        def indented(name):
            return "".join(f"    {line}\n" for line in (self.folder / name).read_text().splitlines())
        text = f"tls_server_config:\n  cert: |\n{indented('server.crt')}  key: |\n{indented('server.key')}"
        self.assertEqual([], self.check(text))
        self.assertRegex(self.check(text.replace("BEGIN CERT", "BEGIN DIRT"))[0], r"^2:9: cert: ")

    def test_tokens_are_for_the_ingest_listener(self):
        (self.folder / "token").write_text("abc\n")
        self.assertEqual([], self.check("bearer_token_files: [token]\n"))
        (self.folder / "token").write_text("\n")
        self.assertRegex(self.check("bearer_token_files: [token]\n")[0], r"^1:22: .*is empty")
        self.assertRegex(self.check("bearer_token_files: [none]\n")[0], r"^1:22: .*No such file")
        (self.folder / "token").write_text("abc\n")
        path = self.write("bearer_token_files: [token]\n")
        refused = self.start(f"--web.config.file={path}")
        self.assertEqual(2, refused.returncode)
        self.assertIn(f"{path}:1:1: bearer_token_files is for ingest.config.file only", refused.stderr)

    def start(self, *flags):
        given = {flag.split("=")[0] for flag in flags}
        standard = {"--web.listen-address": f"127.0.0.1:{free_port()}",
                    "--ingest.listen-address": f"127.0.0.1:{free_port()}", "--ingest.socket": ""}
        return run("serve", *flags, *(f"{name}={value}" for name, value in standard.items() if name not in given))

    def test_does_not_start_unprotected(self):
        path = self.write("tls_server_config:\n  cert_file: a.crt\n  key_file: a.key\n")
        for flag in ("web", "ingest"):
            refused = self.start(f"--{flag}.config.file={path}")
            self.assertEqual(2, refused.returncode)
            self.assertIn(f"{path}:2:14: cannot read {self.folder}/a.crt", refused.stderr)
            self.assertIn(f"{path}:3:13: cannot read {self.folder}/a.key", refused.stderr)
        missing = self.start("--web.config.file=/nowhere/web.yml")
        self.assertEqual(2, missing.returncode)
        self.assertIn("/nowhere/web.yml: cannot be read", missing.stderr)

    def test_the_ingest_listener_is_not_exposed_without_authentication(self):
        exposed = f"--ingest.listen-address=0.0.0.0:{free_port()}"
        bare = self.start(exposed)
        self.assertEqual(2, bare.returncode)
        self.assertIn("ingest.allow_remote", bare.stderr)
        make_pair(self.folder)
        for text in ("", "http_server_config: {http2: true}\n",
                     "tls_server_config: {cert_file: server.crt, key_file: server.key}\n",
                     "tls_server_config: {cert_file: server.crt, key_file: server.key,"
                     " client_auth_type: RequireAnyClientCert}\n"):
            with self.subTest(text=text):
                path = self.write(text)
                open_to_all = self.start(exposed, f"--ingest.config.file={path}")
                self.assertEqual(2, open_to_all.returncode)
                self.assertIn(f"{path}: lets everybody in", open_to_all.stderr)


if __name__ == "__main__":
    unittest.main()
