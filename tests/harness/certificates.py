"""Certificates of the test's own: an authority, and what it signs, made by openssl. And passwords: their hashes, and how they
are sent."""

import base64
import ssl
import subprocess
from pathlib import Path


def openssl(*arguments, **options):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60, **options)


class Authority:
    """A certificate authority in a folder; `certificate` is its own."""

    def __init__(self, folder, name="authority"):
        self.folder, self.name = Path(folder), name
        self.certificate, self.key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 2,
                "-subj", f"/CN={name}", "-out", self.certificate, "-keyout", self.key)

    def sign(self, name, san="IP:127.0.0.1,DNS:localhost", usage="serverAuth", days=2, into=None):
        """NAME.crt and NAME.key; with `days` below zero it has expired."""
        folder = Path(into or self.folder)
        certificate, key, request = folder / f"{name}.crt", folder / f"{name}.key", folder / f"{name}.csr"
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-addext", f"subjectAltName={san}", "-addext", f"extendedKeyUsage={usage}",
                "-out", request, "-keyout", key)
        serial = folder / f"{name}.ext"
        serial.write_text(f"subjectAltName={san}\nextendedKeyUsage={usage}\n")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                "-days", days, "-extfile", serial, "-out", certificate)
        return certificate, key

    def client(self, certificate=None, key=None):
        """The TLS of a client that trusts this authority, with or without a certificate of its own."""
        context = ssl.create_default_context(cafile=self.certificate)
        if certificate:
            context.load_cert_chain(certificate, key)
        return context


def hash_of(password, cost=5):
    """By the C library's own bcrypt."""
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import crypt
    return crypt.crypt(password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=2 ** cost))


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()
