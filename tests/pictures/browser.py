"""Headless Chromium, driven over a pipe by its own protocol: no driver and no port."""

import base64
import fcntl
import json
import os
import select
import subprocess
import tempfile

from harness.polling import until

ANSWER_SECONDS = 60


class Browser:
    """One tab. `with Browser() as tab: tab.open(url, ...); tab.save(path)`."""

    def __init__(self, program="chromium"):
        self.folder = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        to_browser, self.commands = os.pipe()
        self.answers, from_browser = os.pipe()

        def take_pipes():  # Chromium reads descriptor 3 and writes 4; the pipes may have these very numbers
            reading, writing = (fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_browser, from_browser))
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
             "--hide-scrollbars",
             "--no-first-run", "--disable-background-networking", f"--user-data-dir={self.folder.name}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=take_pipes,
            close_fds=False)
        os.close(to_browser)
        os.close(from_browser)
        self.pending, self.number, self.session = b"", 0, None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def read(self):
        """The next message."""
        while b"\0" not in self.pending:
            if not select.select([self.answers], [], [], ANSWER_SECONDS)[0]:
                raise AssertionError(f"Chromium does not answer within {ANSWER_SECONDS} s")
            got = os.read(self.answers, 1 << 20)
            if not got:
                raise AssertionError(f"Chromium ended with {self.process.wait()}")
            self.pending += got
        message, self.pending = self.pending.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        answer = self.read()
        while answer.get("id") != self.number:  # an event, which nobody waits for
            answer = self.read()
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def open(self, url, width, height, theme="light", ready="document.readyState === 'complete'"):
        """Goes there, and waits until the expression `ready` holds."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        self.call("Page.navigate", url=url)
        until(lambda: self.value(ready), 30, f"{url} is never ready: {ready}", every=0.1)

    def value(self, expression):
        """What a JavaScript expression gives."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def save(self, path):
        """What is in view, as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        os.close(self.commands)
        os.close(self.answers)
        self.folder.cleanup()
