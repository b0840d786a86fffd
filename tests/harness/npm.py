"""Packages of npm that a suite needs, installed once by its lock file beside the builds. Without npm or its registry the
tests that need them are skipped, with the reason."""

import fcntl
import functools
import hashlib
import shutil
import subprocess
import unittest

from harness.agent import BUILD


@functools.lru_cache(maxsize=None)
def _installed(source, what, finish):
    """Installs what is not there in the versions of the lock file: (where, why not)."""
    if not shutil.which("npm"):
        return None, f"there is no npm here, which installs {what}"
    lock = (source / "package-lock.json").read_bytes()
    place = BUILD.parent / "npm" / hashlib.sha256(lock).hexdigest()[:12]
    place.mkdir(parents=True, exist_ok=True)
    with open(place / "lock", "w", encoding="utf-8") as others:
        fcntl.flock(others, fcntl.LOCK_EX)
        why_not = None if (place / "complete").exists() else _install(source, place, what, finish)
        for script in source.glob("*.mjs"):
            shutil.copy(script, place)
    return (None, why_not) if why_not else (place, None)


def _install(source, place, what, finish):
    """Why it could not be done; None: it is."""
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(source / name, place)
    done = subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=place, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        faults = [line.removeprefix("npm error ") for line in done.stderr.splitlines() if line.startswith("npm error ")]
        return f"npm could not install {what}: " + "; ".join(faults[:3])
    if finish:
        finish(place)
    (place / "complete").touch()
    return None


def folder(source, what, finish=None):
    """Where the packages of `source`'s lock file are, and its scripts (*.mjs) beside them; skips the test that asks where they
    cannot be had. `what` names them to people; `finish(place)` does what is left to do after they are installed."""
    place, why_not = _installed(source, what, finish)
    if why_not:
        raise unittest.SkipTest(why_not)
    return place


def node(place, script, *arguments, text=None, seconds=120):
    """What a script beside the packages prints."""
    done = subprocess.run(["node", place / script, *map(str, arguments)], input=text, capture_output=True, text=True,
                          timeout=seconds, cwd=place, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr or done.stdout)
    return done.stdout
