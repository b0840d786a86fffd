#!/usr/bin/env python3
"""Draws session.png, the picture of a running session that README.md shows: the demo, scraped by a real Prometheus.

    dashboards/picture.py --agent build/release/progress-agent --renderer PROGRAM [--out FILE]

PROGRAM draws the JSON of a dashboard; it is called as
    PROGRAM DASHBOARD.json --prom URL --out FILE.png --var NAME=VALUE --from UNIX --to UNIX --width PIXELS --scrape-interval TIME
Needs Debian's `prometheus`. Takes four minutes: a picture needs a past.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "tests"))

from harness.agent import Agent  # noqa: E402 (found in tests/)
from harness.polling import until  # noqa: E402
from harness.prometheus import Prometheus  # noqa: E402

SESSION = "embeddings-2-1"  # calls an API, is slowed by its rate limits, and costs money
DONE = 0.7  # how far it shall be
ROWS = 31  # of Grafana's grid: what fits on a page
WIDTH = 1400
INTERVAL = "1s"


def arguments():
    parser = argparse.ArgumentParser(description="Draws session.png from the demo.")
    parser.add_argument("--agent", type=Path, required=True, help="the binary")
    parser.add_argument("--renderer", type=Path, required=True, help="the program that draws a dashboard")
    parser.add_argument("--out", type=Path, default=HERE / "session.png")
    return parser.parse_args()


def upper_part():
    """The dashboard down to the first panel that begins below ROWS."""
    made = json.loads((HERE / "session.json").read_text())
    return {**made, "panels": [panel for panel in made["panels"] if panel["gridPos"]["y"] < ROWS]}


def main():
    given = arguments()
    with tempfile.TemporaryDirectory(prefix="picture-") as folder, \
            Agent("--speed=2", "--sessions=8", "--seed=3", command="demo", binary=given.agent.resolve()) as agent, \
            Prometheus(f"127.0.0.1:{agent.web_port}", INTERVAL) as prometheus:
        def far_enough():
            told = agent.session(SESSION)
            return told if told and told["metrics"]["progressPercentage"] >= 100 * DONE else None

        told = until(far_enough, 300, f"{SESSION} does not get on", every=0.5)
        began = datetime.fromisoformat(told["session"]["startTime"].replace("Z", "+00:00")).timestamp()
        dashboard = Path(folder) / "session.json"
        dashboard.write_text(json.dumps(upper_part()))
        subprocess.run([given.renderer, dashboard, "--prom", f"http://127.0.0.1:{prometheus.port}", "--out", given.out.resolve(),
                        "--var", f"session={SESSION}", "--from", str(int(began) - 2), "--to", str(int(time.time())),
                        "--width", str(WIDTH), "--scrape-interval", INTERVAL], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
