"""Documents say what is true: links lead somewhere, and paths that are named exist."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def documents():
    return [path for path in ROOT.rglob("*.md")
            if not {"build", "vectors", "node_modules", ".git"} & set(path.relative_to(ROOT).parts)]


class Documents(unittest.TestCase):
    def test_links_lead_somewhere(self):
        wrong = []
        for path in documents():
            for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text()):
                if not re.match(r"[a-z]+:", target) and not (path.parent / target).exists():
                    wrong.append(f"{path.relative_to(ROOT)}: {target}")
        self.assertEqual([], wrong)

    def test_named_paths_exist(self):
        """`agent/...`, `tests/...` and so on in backquotes."""
        wrong = []
        for path in documents():
            for name in re.findall(r"`((?:agent|config|tests|dashboards|alerts)/[\w./-]+)`", path.read_text()):
                if not (ROOT / name).exists():
                    wrong.append(f"{path.relative_to(ROOT)}: {name}")
        self.assertEqual([], wrong)

    def test_commands_of_the_script_exist(self):
        known = set(re.findall(r"^(\w+) +\|", (ROOT / "dev").read_text(), re.MULTILINE))
        self.assertIn("run", known)
        for path in documents():
            for name in re.findall(r"`?\./dev (\w+)", path.read_text()):
                self.assertIn(name, known, path.relative_to(ROOT))


if __name__ == "__main__":
    unittest.main()
