"""Waiting for what must come to pass, without a guess how long that takes."""

import time


def until(condition, seconds=10.0, what=None, every=0.01):
    """Returns the first true value of condition(); fails with `what` (text or a function) after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            said = what() if callable(what) else what
            raise AssertionError(f"not within {seconds} s: {said or condition}")
        time.sleep(every)
