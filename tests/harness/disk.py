"""A disk of the test's own: a small tmpfs, which can be filled and made read-only."""

import subprocess
import tempfile
import unittest
from pathlib import Path


class Disk:
    def __init__(self, mebibytes):
        self.folder = tempfile.TemporaryDirectory(prefix="disk-")
        self.path = Path(self.folder.name)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", self.path],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.folder.cleanup()
            raise unittest.SkipTest("nothing can be mounted here: " + done.stderr.strip())

    def set_writable(self, writable):
        mode = "rw" if writable else "ro"
        subprocess.run(["mount", "-o", f"remount,{mode}", self.path], check=True)

    def fill(self):
        """Takes all space that is left; give it back by removing the file that this returns."""
        filler = self.path / "filler"
        with open(filler, "wb", buffering=0) as file:
            for size in (65536, 4096, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass
        return filler

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "--lazy", self.path], check=True)
        self.folder.cleanup()
