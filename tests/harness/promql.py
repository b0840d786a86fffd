"""PromQL as far as rules about it need: which series an expression selects, over which ranges, under which functions."""

import re
from dataclasses import dataclass

STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
LABEL_LIST = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
WORDS = {"and", "or", "unless", "offset", "bool", "inf", "nan"}
SELECTOR = re.compile(r"""(?P<function>\b\w+\s*\(\s*)?              # what is called with nothing but the selector
    (?<![\w$])(?P<name>[a-zA-Z_:][\w:]*)(?![\w(]|\s*\()             # no function, no variable
    (?:\{(?P<matchers>[^}]*)\})?(?:\s*\[(?P<range>[^\]]*)\])?""", re.VERBOSE)
MATCHER = re.compile(r"\s*(\w+)\s*(=~|!~|!=|=)\s*(\d+)\s*")


@dataclass(frozen=True)
class Selector:
    name: str
    matchers: dict  # label: (operator, text)
    range: str | None
    function: str | None


def selectors(expression):
    """Every selector of an expression, in order."""
    strings = []

    def put_away(found):
        strings.append(found.group()[1:-1])
        return str(len(strings) - 1)

    bare = LABEL_LIST.sub(" ", STRING.sub(put_away, expression))
    found = []
    for match in SELECTOR.finditer(bare):
        if match["name"] in WORDS:
            continue
        matchers = {label: (operator, strings[int(number)])
                    for label, operator, number in MATCHER.findall(match["matchers"] or "")}
        function = match["function"] and match["function"].rstrip("( \t\n")
        found.append(Selector(match["name"], matchers, match["range"], function))
    return found
