"""Grafana's JSON for what the description names: panels, tables, variables, dashboards. Nothing here knows of
sessions.

A panel is a function that returns a dict; `Dashboard.json` gives each its place and its id. Sizes are in Grafana's
grid: 24 columns wide, 30 pixels a row.
"""

import re
from dataclasses import dataclass, field

SCHEMA_VERSION = 39  # Grafana 11; later ones migrate it
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24
METRIC = re.compile(r"(?<![\w$])((?:progress|process)_\w+|up)(?![\w(])(?:\{([^}]*)\})?")


@dataclass(frozen=True)
class Query:
    """One PromQL expression of a panel. Metrics in it carry only matchers of their own: the dashboard adds others."""

    expr: str
    legend: str = ""
    format: str = "time_series"
    instant: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a table: an expression with one value a row, or, without one, a label of the others. Without a name
    it is not shown, but its rows and labels are there."""

    name: str
    expr: str = ""
    label: str = ""
    width: int = 0
    properties: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """Panels side by side, all `height` high; with a title it is a row of Grafana's, which can be folded."""

    height: int
    panels: list
    title: str = ""
    collapsed: bool = False


def steps(*pairs):
    """Thresholds: steps(("green", None), ("red", 1)) is green below 1."""
    return {"mode": "absolute", "steps": [{"color": color, "value": value} for color, value in pairs]}


def mapping(words):
    """Numbers to words with colours: mapping({1: ("working", "blue")})."""
    options = {str(value): {"text": text, "color": color, "index": index}
               for index, (value, (text, color)) in enumerate(words.items())}
    return [{"type": "value", "options": options}]


def fixed(color):
    return {"mode": "fixed", "fixedColor": color}


def override(matcher, options, properties):
    return {"matcher": {"id": matcher, "options": options},
            "properties": [{"id": name, "value": value} for name, value in properties.items()]}


def named(name, **properties):
    """Properties of one series or column; `custom__lineWidth` is spelled `custom.lineWidth`."""
    return override("byName", name, {key.replace("__", "."): value for key, value in properties.items()})


def colored(colors):
    """One override for each name: colored({"failed": "red"})."""
    return [named(name, color=fixed(color)) for name, color in colors.items()]


# Panels.

def panel(kind, title, description, queries, width, defaults, options, overrides=(), transformations=(), links=()):
    targets = [{"refId": reference(index), "datasource": DATASOURCE, "expr": query.expr, "legendFormat": query.legend,
                "format": query.format, "instant": query.instant, "range": not query.instant}
               for index, query in enumerate(queries)]
    made = {"type": kind, "title": title, "description": description, "datasource": DATASOURCE, "width": width,
            "targets": targets, "options": options,
            "fieldConfig": {"defaults": {"custom": {}, **defaults}, "overrides": list(overrides)}}
    if transformations:
        made["transformations"] = list(transformations)
    if links:
        made["links"] = list(links)
    return made


def reference(index):
    return chr(ord("A") + index)


def stat(title, description, queries, width, unit="none", thresholds=None, overrides=(), sparkline=False, words=None,
         mode="value", text="auto", links=(), empty=None, **defaults):
    """Big numbers as of now, one for each query or series. `mode` is what the colour fills: value or background."""
    queries = [Query(query.expr, query.legend, instant=not sparkline) for query in queries]
    settings = {"unit": unit, "thresholds": thresholds or steps(("text", None)), "color": {"mode": "thresholds"},
                **defaults}
    if words:
        settings["mappings"] = mapping(words)
    if empty is not None:
        settings["noValue"] = empty
    if links:
        settings["links"] = list(links)
    return panel("stat", title, description, queries, width, settings, {
        "colorMode": mode, "graphMode": "area" if sparkline else "none", "justifyMode": "auto", "textMode": text,
        "orientation": "auto", "wideLayout": True, "reduceOptions": {"calcs": ["lastNotNull"], "fields": "",
                                                                     "values": False}
    }, overrides)


def gauge(title, description, queries, width, unit, thresholds, **defaults):
    return panel("gauge", title, description, [Query(query.expr, query.legend, instant=True) for query in queries],
                 width,
                 {"unit": unit, "thresholds": thresholds, "color": {"mode": "thresholds"}, **defaults},
                 {"showThresholdLabels": False, "showThresholdMarkers": False, "minVizWidth": 75, "minVizHeight": 75,
                  "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}})


def bargauge(title, description, queries, width, unit, thresholds=None, **defaults):
    return panel("bargauge", title, description, [Query(query.expr, query.legend, instant=True) for query in queries],
                 width,
                 {"unit": unit, "thresholds": thresholds or steps(("blue", None)), "color": {"mode": "thresholds"},
                  **defaults},
                 {"displayMode": "basic", "orientation": "horizontal", "showUnfilled": True, "valueMode": "color",
                  "namePlacement": "auto", "sizing": "auto",
                  "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}})


def timeseries(title, description, queries, width, unit="short", overrides=(), stack=False, fill=0, bars=False,
               points=False,
               axis="", thresholds=None, legend=True, span=False, calcs=(), soft_max=None, **defaults):
    """Lines over time; `stack` piles them up, `bars` and `points` draw those instead, `span` joins over gaps; the axis
    goes to `soft_max` at least."""
    custom = {"drawStyle": "bars" if bars else "points" if points else "line", "lineInterpolation": "linear",
              "lineWidth": 1 if stack or bars else 2, "fillOpacity": 80 if bars else 60 if stack else fill,
              "pointSize": 6,
              "gradientMode": "none", "showPoints": "always" if points else "never", "spanNulls": span,
              "axisLabel": axis, "axisPlacement": "auto",
              "stacking": {"mode": "normal" if stack else "none", "group": "A"}}
    settings = {"unit": unit, "custom": custom, "color": {"mode": "palette-classic"}, **defaults}
    if soft_max is not None:
        custom["axisSoftMax"] = soft_max
    if thresholds:
        settings["thresholds"] = thresholds
        custom["thresholdsStyle"] = {"mode": "dashed"}
    return panel("timeseries", title, description, queries, width, settings, {
        "legend": {"displayMode": "table" if calcs else "list", "placement": "right" if calcs else "bottom",
                   "showLegend": legend, "calcs": list(calcs)},
        "tooltip": {"mode": "multi", "sort": "desc"}}, overrides)


def state_timeline(title, description, queries, width, words, rows=20, **defaults):
    return panel("state-timeline", title, description, queries, width,
                 {"mappings": mapping(words), "color": {"mode": "thresholds"}, "thresholds": steps(("text", None)),
                  "custom": {"fillOpacity": 75, "lineWidth": 0}, **defaults},
                 {"showValue": "auto", "rowHeight": 0.8, "mergeValues": True, "alignValue": "left", "perPage": rows,
                  "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
                  "tooltip": {"mode": "single", "sort": "none"}})


def heatmap(title, description, query, width, unit, scheme="Blues"):
    """Of a classic histogram: a row for each bucket, darker where more fell."""
    return panel("heatmap", title, description, [Query(query.expr, "{{le}}", "heatmap")], width, {}, {
        "calculate": False, "cellGap": 1, "cellValues": {"unit": "short", "decimals": 0},
        "color": {"mode": "scheme", "scheme": scheme, "steps": 64, "exponent": 0.5, "fill": "blue", "reverse": False},
        "filterValues": {"le": 1e-9}, "legend": {"show": True}, "rowsFrame": {"layout": "auto"},
        "tooltip": {"mode": "single", "yHistogram": False, "showColorScale": False},
        "yAxis": {"axisPlacement": "left", "unit": unit, "reverse": False}})


def table(title, description, columns, width, sort=None, descending=False, links=(), empty="", **defaults):
    """A row for each set of the labels that the columns' expressions share."""
    measured = [column for column in columns if column.expr]
    names = {f"Value #{reference(index)}" if len(measured) > 1 else "Value": column.name
             for index, column in enumerate(measured)}
    sources = {column.name: source for source, column in zip(names, measured)}
    sources |= {column.name: column.label for column in columns if column.label and column.name}
    order = {sources[column.name]: index for index, column in enumerate(columns) if column.name}
    hidden = {"Time": True} | {source: True for source, name in names.items() if not name} | {
        column.label: True for column in columns if column.label and not column.name}
    organize = {"excludeByName": hidden, "indexByName": order, "renameByName": {
        source: name for name, source in sources.items() if name}}
    settings = {"unit": "none", "custom": {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": False,
                                           "inspect": False},
                "color": {"mode": "thresholds"}, "thresholds": steps(("text", None)), "noValue": empty, **defaults}
    overrides = [named(column.name, **({"custom__width": column.width} if column.width else {}), **column.properties)
                 for column in columns if column.name and (column.width or column.properties)]
    return panel("table", title, description, [Query(column.expr, format="table",
                                                     instant=True) for column in measured], width,
                 settings, {"showHeader": True, "cellHeight": "sm",
                            "footer": {"show": False, "reducer": ["sum"], "countRows": False, "fields": ""},
                            "sortBy": [{"displayName": sort, "desc": descending}] if sort else []},
                 overrides, [{"id": "merge", "options": {}}, {"id": "organize", "options": organize}], links)


# What columns look like. Each is properties for a Column.

def bar(color="blue", decimals=0):
    return {"unit": "percentunit", "min": 0, "max": 1, "decimals": decimals, "color": fixed(color),
            "custom__cellOptions": {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}}


def pill(words):
    return {"mappings": mapping(words), "custom__cellOptions": {"type": "color-background", "mode": "basic"}}


def number(unit="none", decimals=None, thresholds=None):
    made = {"unit": unit}
    if decimals is not None:
        made["decimals"] = decimals
    if thresholds:
        made |= {"thresholds": thresholds, "custom__cellOptions": {"type": "color-text"}}
    return made


def linked(title, url):
    return {"links": [{"title": title, "url": url, "targetBlank": False}]}


# Around the panels.

def variable(name, label, query, every=".+", multi=True, description=""):
    """A variable with the values of a label. `every` is what All matches; None: one value must be chosen."""
    made = {"type": "query", "name": name, "label": label, "description": description, "datasource": DATASOURCE,
            "query": query, "definition": query, "refresh": 2, "sort": 5, "hide": 0, "regex": "",
            "skipUrlSync": False,
            "multi": multi, "includeAll": every is not None, "options": []}
    if every is not None:
        made |= {"allValue": every, "current": {"selected": True, "text": ["All"] if multi else "All",
                                                "value": ["$__all"] if multi else "$__all"}}
    return made


def datasource_variable():
    return {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "hide": 0,
            "regex": "", "refresh": 1, "skipUrlSync": False, "multi": False, "includeAll": False, "options": [],
            "current": {}}


def annotation(name, expr, color, title, text="", tags="", at_value=False):
    """Marks on every chart: where the expression has a value; with `at_value` at the times that are its values."""
    made = {"name": name, "datasource": DATASOURCE, "enable": True, "hide": False, "iconColor": color, "expr": expr,
            "step": "10s", "titleFormat": title, "textFormat": text, "tagKeys": tags}
    return made | {"useValueForTime": True} if at_value else made


def dashboard_link(title, uid, tooltip):
    return {"type": "link", "title": title, "tooltip": tooltip, "url": f"/d/{uid}", "icon": "dashboard", "tags": [],
            "asDropdown": False, "includeVars": True, "keepTime": True, "targetBlank": False}


@dataclass
class Dashboard:
    """One dashboard. `matchers` maps the beginning of a metric's name to label matchers that each such metric gets;
    of several that fit, the longest decides."""

    uid: str
    title: str
    description: str
    variables: list
    matchers: dict
    rows: list
    annotations: list = field(default_factory=list)
    links: list = field(default_factory=list)
    refresh: str = "10s"
    since: str = "now-1h"

    def select(self, expr):
        """The expression on one line, every metric in it with the dashboard's matchers before its own."""
        def with_matchers(found):
            name, own = found.group(1), found.group(2)
            begin = max((begin for begin in self.matchers if name.startswith(begin)), key=len)
            return f"{name}{{{', '.join(filter(None, [self.matchers[begin], own]))}}}"
        return METRIC.sub(with_matchers, " ".join(expr.split()))

    def json(self):
        return {
            "uid": self.uid, "title": self.title, "description": self.description, "tags": ["progress-agent"],
            "schemaVersion": SCHEMA_VERSION, "version": 1, "editable": False, "graphTooltip": 1,
                "timezone": "browser",
            "refresh": self.refresh, "time": {"from": self.since, "to": "now"}, "fiscalYearStartMonth": 0,
            "weekStart": "", "links": self.links, "templating": {"list": self.variables},
            "annotations": {"list": [{**made, "expr": self.select(made["expr"])} for made in self.annotations]},
            "panels": self.placed()}

    def placed(self):
        """The panels with their place, in order; those of a collapsed row are inside it."""
        panels, top, ids = [], 0, iter(range(1, 1000))
        for row in self.rows:
            inner = panels
            if row.title:
                header = {"type": "row", "title": row.title, "id": next(ids), "collapsed": row.collapsed,
                          "panels": [],
                          "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": top}}
                panels.append(header)
                top += 1
                inner = header["panels"] if row.collapsed else panels
            left = 0
            for made in row.panels:
                width = made["width"]
                if left + width > COLUMNS:
                    left, top = 0, top + row.height
                inner.append(self.finished(made, next(ids), {"h": row.height, "w": width, "x": left, "y": top}))
                left += width
            top += row.height
        return panels

    def finished(self, made, number_of, place):
        targets = [{**target, "expr": self.select(target["expr"])} for target in made["targets"]]
        rest = {key: value for key, value in made.items() if key not in {"width", "targets"}}
        return {"id": number_of, "gridPos": place, **rest, "targets": targets}
