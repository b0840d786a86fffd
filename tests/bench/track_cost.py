"""What a loop pays for being tracked: CPU microseconds an iteration over a bare loop, of the Python client's track() and,
where it is installed, of tqdm. Reports to the agent at $PROGRESS_AGENT_INGEST_SOCKET; prints one JSON object.
"""

import io
import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "agent" / "clients" / "python"))
import progress_agent  # noqa: E402

try:
    from tqdm import tqdm
except ImportError:
    tqdm = None
ITERATIONS, ROUNDS = 2_000_000, 5


def cost(items):
    """CPU seconds of the process, its threads included."""
    begin = time.process_time()
    for _ in items:
        pass
    return time.process_time() - begin


def main():
    loops = {"track": lambda: progress_agent.track(range(ITERATIONS), "bench")}
    if tqdm:
        loops["tqdm"] = lambda: tqdm(range(ITERATIONS), file=io.StringIO())
    over = {name: [] for name in loops}
    for _ in range(ROUNDS):
        bare = cost(range(ITERATIONS))
        for name, loop in loops.items():
            over[name].append((cost(loop()) - bare) / ITERATIONS * 1e6)
    print(json.dumps({name: statistics.median(values) for name, values in over.items()}))


if __name__ == "__main__":
    main()
