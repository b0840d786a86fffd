"""A Pushgateway of the test's own."""

import subprocess
import tempfile
import urllib.request

from harness import exposition
from harness.agent import free_port
from harness.polling import until


class Pushgateway:
    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            ["prometheus-pushgateway", f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=debug"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        until(self.is_ready, 30, "the Pushgateway is ready")

    def is_ready(self):
        try:
            with urllib.request.urlopen(self.url + "/-/ready", timeout=5) as reply:
                return reply.status == 200
        except OSError:
            return False

    def samples(self):
        with urllib.request.urlopen(self.url + "/metrics", timeout=5) as reply:
            return exposition.samples(reply.read().decode())

    def pushes(self):
        """How often each group was pushed to, by instance: the requests that it counted."""
        return exposition.total(self.samples(), "pushgateway_http_requests_total", handler="push", method="put")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()
