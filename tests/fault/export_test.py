"""The export of a very large session: told whole, and never in memory whole."""

import csv
import http.client
import json
import os
import unittest

from harness.agent import Agent, lines, sanitized

FILES = 200_000 if os.environ.get("AGENT_FULL") else 60_000
MOST_BYTES = 16 * 2**20  # beside the session itself; a whole export is 12 MiB to 80 MiB
START = 1_750_000_000


def job():
    """Every file is announced; each tenth is worked on, the later ones first."""
    yield {"event": "session.start", "session": "large", "ts": START, "totalFiles": FILES}
    names = [f"folder/of/documents/document-{number:06d}.pdf" for number in range(FILES)]
    for first in range(0, FILES, 1000):
        yield {"event": "files", "session": "large", "ts": START + 1,
               "files": [{"file": name, "bytes": 4096} for name in names[first:first + 1000]]}
    for number, name in enumerate(reversed(names[::10])):
        for seconds, status in ((0, "processing"), (0.5, "completed")):
            yield {"event": "file", "session": "large", "file": name, "ts": START + 2 + number * 0.01 + seconds,
                   "status": status, "tokens": 3}


class Export(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.agent = cls.enterClassContext(Agent())
        with cls.agent.stream(timeout=60) as stream:
            stream.send_bytes(lines(job()))
            assert stream.finish() == []
        cls.metrics = cls.agent.session("large")["metrics"]
        cls.export(cls.agent, "json", read=lambda reply: [None for _ in reply])  # buffers have their size

    @classmethod
    def export(cls, agent, form, read):
        """What `read` makes of the reply, and by how much the agent's memory was larger meanwhile."""
        before = agent.rss_bytes()
        with open(f"/proc/{agent.process.pid}/clear_refs", "w", encoding="ascii") as peak:
            peak.write("5")
        connection = http.client.HTTPConnection("127.0.0.1", agent.web_port, timeout=60)
        try:
            connection.request("GET", f"/v1/sessions/large/export?format={form}")
            reply = connection.getresponse()
            assert (reply.status, reply.getheader("Transfer-Encoding")) == (200, "chunked"), reply.headers
            found = read(reply)
        finally:
            connection.close()
        return found, agent.rss_bytes("VmHWM") - before

    def assert_bounded(self, grown):
        if not sanitized():
            self.assertLess(grown, MOST_BYTES)

    def test_json_has_every_file(self):
        whole, grown = self.export(self.agent, "json", json.load)
        self.assertEqual(FILES, len({file["file"] for file in whole["files"]}))
        self.assertEqual(FILES, whole["metrics"]["totalFiles"])
        self.assert_bounded(grown)

    def test_csv_has_every_file(self):
        def read(reply):
            rows = csv.DictReader(line.decode() for line in reply)
            return [(row["file"], row["status"]) for row in rows]
        rows, grown = self.export(self.agent, "csv", read)
        self.assertEqual(FILES, len(dict(rows)))
        self.assertEqual(FILES // 10, sum(status == "completed" for _, status in rows))
        self.assert_bounded(grown)

    def test_ndjson_told_again_gives_equal_totals(self):
        told, grown = self.export(self.agent, "ndjson", lambda reply: reply.read())
        times = [json.loads(line)["ts"] for line in told.splitlines()[:-1]]
        self.assertEqual(sorted(times), times)
        self.assert_bounded(grown)
        with Agent() as again:
            with again.stream(timeout=60) as stream:
                stream.send_bytes(told)
                self.assertEqual([], stream.finish())
            metrics = again.session("large")["metrics"]
            for name in ("totalFiles", "filesCompleted", "filesPending", "totalTokensUsed", "averageProcessingTimeMs"):
                self.assertEqual(self.metrics[name], metrics[name], name)


if __name__ == "__main__":
    unittest.main()
