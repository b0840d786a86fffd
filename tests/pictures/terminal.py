"""What a program draws in a terminal, as a page for a browser."""

import fcntl
import html
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

HOME = "\x1b[H"  # begins a frame
COLORS = {"31": "#f2777a", "32": "#99cc99", "33": "#ffcc66", "34": "#6699cc", "35": "#cc99cc", "36": "#66cccc",
          "90": "#8a8f98", "94": "#7ea6ff"}
PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: #16181d; }}
pre {{ margin: 0; padding: 18px 22px; display: inline-block; color: #d7dae0;
      font: 15px/1.28 "DejaVu Sans Mono", monospace; }}</style><pre>{}</pre>"""


def last_frame(arguments, columns, rows, seconds):
    """The last whole screen that the program drew in that time; it is then told to quit by `q`."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {"TERM": "xterm-256color"}
    process = subprocess.Popen(arguments, stdin=slave, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    drawn, deadline = b"", time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if select.select([master], [], [], left)[0]:
            drawn += os.read(master, 65536)
    os.write(master, b"q")
    process.wait(10)
    os.close(master)
    frames = drawn.decode(errors="replace").split(HOME)
    if len(frames) < 3:  # what was before the first, at least one whole, and the one it was in
        raise AssertionError(f"{arguments[0]} drew no frame in {seconds} s: {drawn[-500:]!r}")
    return frames[-2]


def style(codes):
    """CSS for the codes of one SGR sequence."""
    found = []
    for code in codes:
        if code == "1":
            found.append("font-weight:bold")
        elif code == "2":
            found.append("opacity:.65")
        elif code == "7":
            found.append("background:#d7dae0;color:#16181d")
        elif code in COLORS:
            found.append(f"color:{COLORS[code]}")
    return ";".join(found)


def page(frame):
    """A frame as HTML; sequences other than colours are left out."""
    parts, is_open = [], False
    for text, codes in re.findall(r"([^\x1b]*)(?:\x1b\[([\d;?]*m)|\x1b\[[\d;?]*[a-zA-Z]|$)", frame.replace("\r", "")):
        parts.append(html.escape(text))
        if codes:
            parts.append("</span>" if is_open else "")
            css = style(codes.rstrip("m").split(";"))
            parts.append(f'<span style="{css}">' if css else "")
            is_open = bool(css)
    return PAGE.format("".join(parts) + ("</span>" if is_open else ""))
