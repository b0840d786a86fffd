"""The dashboards as committed: their panels and queries, and how Grafana fills in variables."""

import json
import re

from harness.agent import ROOT

FOLDER = ROOT / "dashboards"
VARIABLE = re.compile(r"\$(?:\{([a-zA-Z_]\w*)\}|([a-zA-Z_]\w*))")  # not $1, which is label_replace's


def load(folder=FOLDER):
    """{file name: dashboard}"""
    return {path.name: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def panels(dashboard):
    """Every panel, those inside rows too, but not the rows."""
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


def targets(dashboard):
    """(panel, target)"""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield panel, target


def filled_in(expression, values):
    """The expression with its variables replaced; one without a value is an error."""
    return VARIABLE.sub(lambda found: values[found.group(1) or found.group(2)], expression)
