"""Somebody to be told of alerts: a webhook, or an Alertmanager that behaves as a test wants."""

import http.server
import json
import subprocess
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from harness.agent import free_port
from harness.polling import until


def endless(handler, sent=None):
    """Answers with 100 MiB, until nobody takes it any more; `sent` is told how many bytes each time."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(100 << 20))
    handler.end_headers()
    try:
        for _ in range(1600):
            count = handler.wfile.write(b"x" * 65536)
            if sent is not None:
                sent.append(count)
    except OSError:
        pass


class Receiver:
    """An HTTP server that keeps what it is sent; `behave(handler)` answers, by default with 200."""

    def __init__(self, port=None, behave=None, tls=None):
        self.requests = []  # (time, path, headers, body as sent)
        self.behave = behave
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((time.monotonic(), self.path, dict(self.headers), json.loads(body)))
                if receiver.behave:
                    receiver.behave(self)
                else:
                    self.send_response(200)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port or 0), Handler)
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def alerts(self):
        """Every alert in every request, in order; of either format."""
        found = []
        for _, _, _, body in list(self.requests):
            found += body if isinstance(body, list) else body["alerts"]
        return found

    def statuses(self, name):
        """"firing" and "resolved" of one alert, as webhooks tell them."""
        return [a["status"] for a in self.alerts() if a["labels"]["alertname"] == name]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Alertmanager:
    """A real one, which tells `webhook` of everything."""

    def __init__(self, webhook, port=None, folder=None):
        self.temporary = None if folder else tempfile.TemporaryDirectory(prefix="alertmanager-")
        self.folder = Path(folder or self.temporary.name)
        self.port = port or free_port()
        (self.folder / "alertmanager.yml").write_text(
            "route: {receiver: all, group_by: [alertname, session], group_wait: 0s, group_interval: 1s, "
            "repeat_interval: 1h}\n"
            f"receivers: [{{name: all, webhook_configs: [{{url: 'http://127.0.0.1:{webhook}/'}}]}}]\n")
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["prometheus-alertmanager", f"--config.file={self.folder}/alertmanager.yml",
                 f"--storage.path={self.folder}/state", f"--web.listen-address=127.0.0.1:{self.port}",
                 "--cluster.listen-address="], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(self.is_ready, 60, lambda: (self.folder / "log").read_text()[-2000:], every=0.05)

    def fetch(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as reply:
            return reply.read()

    def is_ready(self):
        try:
            return self.fetch("/-/ready")
        except OSError:
            return None

    def alerts(self):
        """{alertname: alert} of what fires as it sees it."""
        return {a["labels"]["alertname"]: a for a in json.loads(self.fetch("/api/v2/alerts"))}

    def stop(self):
        self.process.terminate()
        self.process.wait(20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        if self.temporary:
            self.temporary.cleanup()
