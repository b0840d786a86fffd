"""Rules of the house that a compiler does not check."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def sources():
    return sorted(path for path in (ROOT / "agent").rglob("*") if path.suffix in {".h", ".cc"})


def places(pattern, allowed=()):
    """FILE:LINE of every match outside comments, but for the files named."""
    found = []
    for path in sources():
        name = str(path.relative_to(ROOT))
        if name in allowed:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(pattern, line.split("//")[0]):
                found.append(f"{name}:{number}")
    return found


class Rules(unittest.TestCase):
    def test_the_clock_is_read_in_one_file(self):
        self.assertEqual([], places(r"(system|steady|high_resolution)_clock::now\(", {"agent/clock.cc"}))

    def test_no_regular_expressions_on_outside_text(self):
        self.assertEqual([], places(r"\bstd::regex\b|boost/regex|#include <regex>"))

    def test_nothing_is_unfinished(self):
        words = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
        found = [f"{path.relative_to(ROOT)}:{number}" for path in sources()
                 for number, line in enumerate(path.read_text().splitlines(), 1) if words.search(line)]
        self.assertEqual([], found)


if __name__ == "__main__":
    unittest.main()
