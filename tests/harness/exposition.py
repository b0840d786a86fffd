"""Pages of metrics: their samples, and the judgement of two readers that are not ours."""

import re
import subprocess

from prometheus_client.openmetrics import parser as openmetrics

SAMPLE = re.compile(r'([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: (\S+))?')
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')
ESCAPED = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}


def samples(page):
    """[(name, {label: value}, value)] of a page in either format."""
    found = []
    for line in page.split("\n"):
        if line and not line.startswith("#"):
            name, labels, value, _ = SAMPLE.fullmatch(line).groups()
            pairs = {key: re.sub(r"\\.", lambda match: ESCAPED[match.group()], text)
                     for key, text in LABEL.findall(labels or "")}
            found.append((name, pairs, float(value)))
    return found


def total(found, family, **labels):
    return sum(value for name, pairs, value in found
               if name == family and labels.items() <= pairs.items())


def one(found, family, /, **labels):
    """The one sample of a family that carries these labels; None when there is none."""
    values = [value for name, pairs, value in found if name == family and labels.items() <= pairs.items()]
    if len(values) > 1:
        raise AssertionError(f"{len(values)} samples of {family} with {labels}")
    return values[0] if values else None


def check_text(page):
    """promtool's opinion of a page in the text format; raises with its words."""
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError("promtool: " + (done.stdout + done.stderr).decode()[:4000])


def check_openmetrics(page):
    """Reads a page with the strict parser of the Python client; returns its families."""
    return list(openmetrics.text_string_to_metric_families(page.decode()))
