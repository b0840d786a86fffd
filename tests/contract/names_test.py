"""The house's names: of files, and of the words that say nothing."""

import re
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Words that hide what a thing is. The API of the project has some of them; its code does not.
EMPTY_WORDS = {"util", "utils", "helper", "helpers", "manager", "service", "handler", "common", "misc",
               "base", "data", "info"}
TOP_LEVEL = {"agent", "config", "dashboards", "alerts", "tests", "CMakeLists.txt", "Dockerfile",
             "README.md", "CMakePresets.json", "LICENSE", "dev"}


def tracked():
    listing = subprocess.run(["git", "-C", ROOT, "ls-files"], capture_output=True, text=True, check=False)
    if listing.returncode == 0:
        return [Path(line) for line in listing.stdout.splitlines()]
    return [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()
            and "build" not in path.parts and ".git" not in path.parts]


def code(suffixes):
    return [path for path in tracked() if path.parts[0] in {"agent", "tests"} and path.suffix in suffixes
            and not {"corpus", "vectors"} & set(path.parts)]


class Names(unittest.TestCase):
    def test_there_is_something_to_check(self):
        self.assertGreater(len(code({".h", ".cc"})), 5)

    def test_top_level(self):
        beside = {path.parts[0] for path in tracked()} - TOP_LEVEL
        self.assertEqual([], [name for name in sorted(beside) if not name.startswith(".")])

    def test_files_are_snake_case(self):
        wrong = [str(path) for path in code({".h", ".cc", ".py"})
                 if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*|__init__", path.stem)]
        self.assertEqual([], wrong)

    def test_no_empty_words_in_names_of_files(self):
        wrong = [str(path) for path in tracked() if path.parts[0] == "agent"
                 and EMPTY_WORDS & set(re.split(r"[/._-]", str(path).lower()))]
        self.assertEqual([], wrong)

    def test_no_empty_words_in_names_of_types(self):
        declared = re.compile(r"^\s*(?:class|struct|enum class|using)\s+(\w+)", re.MULTILINE)
        wrong = []
        for path in code({".h"}):
            for name in declared.findall((ROOT / path).read_text()):
                words = {word.lower() for word in re.findall(r"[A-Z][a-z0-9]*", name)}
                if words & EMPTY_WORDS:
                    wrong.append(f"{path}: {name}")
        self.assertEqual([], wrong)

    def test_headers_say_what_they_are(self):
        """Each opens with prose, then `#pragma once`."""
        wrong = [str(path) for path in code({".h"})
                 if not re.match(r"(// .*\n)+(//\n|// .*\n)*\n?#pragma once", (ROOT / path).read_text())]
        self.assertEqual([], wrong)


if __name__ == "__main__":
    unittest.main()
