"""nst/JSONTestSuite through the socket and over HTTP: documents that a parser must accept (y_), refuse (n_), or may
do either with (i_). Each refusal is counted once, and a good event after each document is applied."""

import unittest

from harness.agent import NDJSON, ROOT, Agent, lines

FOLDER = ROOT / "tests" / "vectors" / "jsontestsuite" / "test_parsing"
SYNTAX = {"invalid_json", "invalid_utf8", "too_deep", "line_too_long"}
MEANING = {"not_an_object", "missing_field", "invalid_field", "unknown_event"}


def documents():
    return [(path.name, path.read_bytes()) for path in sorted(FOLDER.glob("*.json"))]


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.agent = Agent()
        cls.addClassCleanup(cls.agent.__exit__, None, None, None)
        cls.sent = 0

    def good(self):
        BadInput.sent += 1
        return {"event": "progress", "session": "good", "completed": BadInput.sent, "total": 10_000}

    def judge(self, name, document, codes, by_line):
        """Whether these refusals are right. By line, a document of several lines is several documents, none good."""
        if not document.strip():  # blank lines are skipped
            return
        if by_line and b"\n" in document.strip():
            self.assertTrue(codes)
        elif name.startswith("n_"):
            self.assertTrue(codes, "accepted")
            self.assertTrue(SYNTAX & set(codes), codes)
        elif name.startswith("y_"):
            self.assertLessEqual(set(codes), MEANING)
        self.assertLessEqual(set(codes), SYNTAX | MEANING)

    def test_there_are_documents(self):
        self.assertEqual(318, len(documents()))

    def test_socket(self):
        refused = 0
        before = self.agent.total("progress_agent_events_rejected_total")
        with self.agent.stream() as stream:
            stream.send({"event": "hello", "producer": "suite", "ack": "each"})
            self.assertIn("welcome", stream.line())
            for name, document in documents():
                with self.subTest(document=name):
                    # "each": the reply to the good event comes after those to the document's own lines.
                    stream.send_bytes(document + b"\n" + lines([self.good()]))
                    replies = [stream.line()]
                    while "ok" not in replies[-1]:
                        replies.append(stream.line())
                    codes = [reply["error"]["code"] for reply in replies[:-1]]
                    refused += len(codes)
                    self.judge(name, document, codes, by_line=True)
        self.assertEqual(refused, self.agent.total("progress_agent_events_rejected_total") - before)
        self.assertEqual(self.sent, self.agent.session("good")["metrics"]["filesCompleted"])

    def over_http(self, content_type):
        refused = 0
        before = self.agent.total("progress_agent_events_rejected_total")
        for name, document in documents():
            with self.subTest(document=name):
                answer = self.agent.post(document, content_type)
                codes = [error["code"] for error in answer.json()["errors"]]
                refused += answer.json()["rejected"]
                self.assertEqual(len(codes), min(100, answer.json()["rejected"]))
                self.assertEqual(400 if codes and not answer.json()["accepted"] else 200, answer.status)
                self.judge(name, document, codes, content_type == NDJSON)
                self.assertEqual(1, self.agent.post([self.good()]).json()["accepted"])
        self.assertEqual(refused, self.agent.total("progress_agent_events_rejected_total") - before)
        self.assertEqual(self.sent, self.agent.session("good")["metrics"]["filesCompleted"])

    def test_http_lines(self):
        self.over_http(NDJSON)

    def test_http_document(self):
        self.over_http("application/json")


if __name__ == "__main__":
    unittest.main()
