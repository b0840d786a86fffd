#!/usr/bin/env python3
"""Draws the pictures of the READMEs from the demo.

    tests/pictures/draw.py --agent build/release/progress-agent [--renderer PROGRAM] [NAME...]

| name        | file                   | is                                                                     |
|-------------|------------------------|------------------------------------------------------------------------|
| `page`      | agent/web/page.png     | the page at `/`                                                        |
| `top`       | agent/cli/top.png      | `progress-agent top`                                                   |
| `dashboard` | dashboards/session.png | the upper part of the dashboard of a session, over a real Prometheus   |

For the last one PROGRAM must draw the JSON of a Grafana dashboard; it is called as
    PROGRAM DASHBOARD.json --prom URL --out FILE.png --var NAME=VALUE --from UNIX --to UNIX --width PIXELS
        --scrape-interval TIME
A picture needs a past: four minutes of it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests"))

from harness.agent import Agent  # noqa: E402 (found in tests/)
from harness.browser import Browser  # noqa: E402
from harness.polling import until  # noqa: E402
from harness.prometheus import Prometheus  # noqa: E402
from pictures.terminal import last_frame, page  # noqa: E402

DEMO = ("--speed=2", "--sessions=8", "--seed=3")
SESSION = "embeddings-2-1"  # calls an API, is slowed by its rate limits, and costs money
DONE = 0.7  # how far it shall be
INTERVAL = "1s"  # between scrapes


def draw_page(agent, _prometheus, _renderer, out):
    with Browser(1280, 860) as tab:
        tab.open(f"http://127.0.0.1:{agent.web_port}/")
        tab.sees(".row", SESSION)
        tab.picture(out)


def draw_top(agent, _prometheus, _renderer, out):
    frame = last_frame([agent.binary, "top", f"--url=http://127.0.0.1:{agent.web_port}"], 120, 13, 3)
    with tempfile.NamedTemporaryFile("w", suffix=".html", encoding="utf-8") as file, Browser(1400, 900) as tab:
        file.write(page(frame))
        file.flush()
        tab.open(f"file://{file.name}")
        size = tab.run("const box = document.querySelector('pre').getBoundingClientRect();"
                       "return [Math.ceil(box.width), Math.ceil(box.height)]")
        tab.resize(*size)
        tab.picture(out)


def draw_dashboard(agent, prometheus, renderer, out):
    """Down to the rows that fit on a page."""
    began = datetime.fromisoformat(agent.session(SESSION)["session"]["startTime"].replace("Z", "+00:00")).timestamp()
    made = json.loads((ROOT / "dashboards" / "session.json").read_text())
    made["panels"] = [panel for panel in made["panels"] if panel["gridPos"]["y"] < 31]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(made, file)
        file.flush()
        subprocess.run([renderer, file.name, "--prom", f"http://127.0.0.1:{prometheus.port}", "--out", out,
                        "--var", f"session={SESSION}", "--from", str(int(began) - 2), "--to", str(int(time.time())),
                        "--width", "1400", "--scrape-interval", INTERVAL], check=True)


PICTURES = {"page": (draw_page, "agent/web/page.png"), "top": (draw_top, "agent/cli/top.png"),
            "dashboard": (draw_dashboard, "dashboards/session.png")}


def arguments():
    parser = argparse.ArgumentParser(description="Draws the pictures of the READMEs from the demo.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones: {', '.join(PICTURES)} (all)")
    parser.add_argument("--agent", type=Path, required=True, help="the binary")
    parser.add_argument("--renderer", type=Path, help="the program that draws a dashboard")
    given = parser.parse_args()
    given.names = given.names or list(PICTURES)
    if unknown := set(given.names) - PICTURES.keys():
        parser.error(f"no such picture: {', '.join(sorted(unknown))} (known: {', '.join(PICTURES)})")
    if "dashboard" in given.names and not given.renderer:
        parser.error("the dashboard needs --renderer; or name the pictures to draw")
    return given


def main():
    given = arguments()
    with Agent(*DEMO, command="demo", binary=given.agent.resolve()) as agent, \
            Prometheus(f"127.0.0.1:{agent.web_port}", interval=INTERVAL) as prometheus:
        agent.binary = given.agent.resolve()

        def is_far():
            told = agent.session(SESSION)
            return told and told["metrics"]["progressPercentage"] >= 100 * DONE

        until(is_far, 600, f"{SESSION} does not get on", every=0.5)
        for name in given.names:
            draw, path = PICTURES[name]
            draw(agent, prometheus, given.renderer, ROOT / path)
            print(f"{path}: {(ROOT / path).stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
