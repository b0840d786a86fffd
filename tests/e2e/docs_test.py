"""What `docs` writes for other programs to read: the manual page as man formats it, and the completion as bash asks it."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness.agent import run


def commands():
    """Name and own help of each command, as the program's help lists them."""
    listed = run("--help").stdout.split("Commands:\n")[1].split("\n\n")[0]
    names = re.findall(r"^  ([a-z][a-z-]*)", listed, re.MULTILINE)
    return {name: run(name, "--help").stdout for name in names}


def flags(text):
    return set(re.findall(r"^  (--[a-z][\w.-]*)", text, re.MULTILINE))


class Manual(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.source = run("docs", "man").stdout

    def formatted(self):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "progress-agent.1"
            page.write_text(self.source)
            environment = {**os.environ, "MANWIDTH": "2000", "LC_ALL": "C.UTF-8", "MAN_KEEP_FORMATTING": ""}
            done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", page], env=environment, capture_output=True,
                                  text=True, check=False)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        return done.stdout

    def test_formats_without_warnings_and_names_everything(self):
        text = self.formatted()
        said = commands()
        self.assertIn("serve", said)
        for name, own in said.items():
            self.assertIn(f"progress-agent {name}", text)
            for flag in flags(own) - {"--help"}:
                self.assertRegex(text, rf"(?m)^\s+{re.escape(flag)}(=|\s|$)", name)
        for variable in re.findall(r"PROGRESS_AGENT_\w+", said["serve"]):
            self.assertIn(variable, text)
        for key in re.findall(r"^\| `(\S+[\]>]\S*)`", run("docs", "config", "--format=markdown").stdout, re.MULTILINE):
            self.assertIn(key, text)

    def test_examples_stand_as_they_were_written(self):
        text = self.formatted()
        for line in ("progress-agent emit file --session nightly --file a.pdf --status completed --bytes 1048576",
                     "progress-agent run --session nightly -- ./import.sh --all"):
            self.assertIn(line, text)


class Flags(unittest.TestCase):
    def test_every_flag_is_in_a_table(self):
        said = run("docs", "flags").stdout
        listed = set(re.findall(r"^\| `(--[\w.-]+)` \|", said, re.MULTILINE))
        for name, own in commands().items():
            self.assertEqual(set(), flags(own) - listed - {"--help", "--version"}, name)
        self.assertIn("| `--password-file` | FILE |", said)


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.script = Path(cls.folder.name) / "progress-agent"
        cls.script.write_text(run("docs", "completion").stdout)
        (Path(cls.folder.name) / "some events.ndjson").touch()

    def offered(self, *words):
        """What bash is offered for the last of these words, which stand as bash splits them."""
        asked = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _progress_agent; printf "%s\\n" "${COMPREPLY[@]}"'
        done = subprocess.run(["bash", "-uc", asked, "bash", self.script, "progress-agent", *words], cwd=self.folder.name,
                              capture_output=True, text=True, check=False)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        return set(done.stdout.split("\n")) - {""}

    def test_bash_knows_whom_to_ask(self):
        done = subprocess.run(["bash", "-euc", 'source "$1"; complete -p progress-agent', "bash", self.script],
                              capture_output=True, text=True, check=False)
        self.assertIn("-F _progress_agent progress-agent", done.stdout)

    def test_commands(self):
        self.assertEqual({*commands(), "help", "version"}, self.offered(""))
        self.assertEqual({"replay", "run"}, self.offered("help", "r"))
        self.assertEqual({"replay", "run"}, self.offered("r"))
        self.assertEqual({"demo"}, self.offered("--log.level", "=", "debug", "de"))

    def test_flags_are_those_of_the_command_s_help(self):
        for name, own in commands().items():
            names = {word.rstrip("=") for word in self.offered(name, "--")}
            missing = flags(own) - names
            self.assertEqual(set(), missing, name)
        self.assertIn("--config.file=", self.offered("--con"))
        self.assertEqual({"--exit-when-done"}, self.offered("serve", "--exit"))  # a switch: nothing follows

    def test_values_however_they_are_split(self):
        levels = {"debug", "info", "warn", "error"}
        self.assertEqual(levels, self.offered("--log.level", ""))
        self.assertEqual(levels, self.offered("serve", "--log.level", "="))
        self.assertEqual({"warn"}, self.offered("serve", "--log.level", "=", "w"))
        self.assertEqual({"--log.level=warn"}, self.offered("serve", "--log.level=w"))
        self.assertEqual({"table", "json"}, self.offered("top", "--format", ""))
        self.assertEqual({"state", "started"}, self.offered("top", "--sort", "st"))
        self.assertEqual({"completed", "cancelled"}, self.offered("emit", "file", "--status", "c"))
        self.assertEqual(set(), self.offered("serve", "--sessions.linger", ""))

    def test_every_offered_choice_is_taken(self):
        for order in self.offered("top", "--sort", ""):
            self.assertNotEqual(2, run("top", "--once", f"--sort={order}", "--url=http://127.0.0.1:9").returncode)
        for topic in self.offered("docs", ""):
            self.assertEqual(0, run("docs", topic).returncode, topic)
        for mode in self.offered("emit", "session.start", "--mode", ""):
            self.assertEqual(0, run("emit", "session.start", "--session=s", f"--mode={mode}",
                                    "--ingest.socket=/nonexistent").returncode)

    def test_arguments(self):
        self.assertEqual({"session.pause"}, self.offered("emit", "session.p"))
        self.assertIn("completion", self.offered("docs", ""))
        for words in (("replay", "some"), ("--config.file", "=", "some"), ("replay", "--eta.log", "some")):
            self.assertEqual({"some events.ndjson"}, self.offered(*words))

    def test_behind_two_dashes_stands_another_command(self):
        self.assertIn("bash", self.offered("run", "--session", "x", "--", "bas"))
        self.assertEqual({"some events.ndjson"}, self.offered("run", "--", "cat", "some"))


if __name__ == "__main__":
    unittest.main()
