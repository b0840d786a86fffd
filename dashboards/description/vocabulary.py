"""What the four dashboards share: states and their colours, variables, links, and expressions they all use."""

from grafana import annotation, dashboard_link, datasource_variable, variable

FLEET, SESSION, FAMILIES, AGENT = "progress-fleet", "progress-session", "progress-families", "progress-agent"

# The states of a session as numbers, so that one series can say which it is; what needs a look comes first.
ACTIVE_STATES = {"stalled": (1, "orange"), "rate_limited": (2, "yellow"), "paused": (3, "purple"),
                 "waiting": (4, "#8e8e8e"), "working": (5, "blue"), "finishing": (6, "light-blue")}
FINAL_STATES = {"completed": (10, "green"), "failed": (7, "red"), "cancelled": (8, "dark-orange"),
                "stale": (9, "#6e6e6e")}
STATES = ACTIVE_STATES | FINAL_STATES
FILE_STATES = {"completed": "green", "skipped": "dark-green", "processing": "blue", "pending": "#6e6e6e",
               "cancelled": "dark-orange", "failed": "red"}
SEVERITIES = {"critical": (1, "red"), "warning": (2, "orange"), "info": (3, "blue")}

WORDS = {number: (state.replace("_", " "), color) for state, (number, color) in STATES.items()}
SEVERITY_WORDS = {number: (severity, color) for severity, (number, color) in SEVERITIES.items()}
ACTIVE = f'state=~"{"|".join(ACTIVE_STATES)}"'
FINAL = f'state=~"{"|".join(FINAL_STATES)}"'

# Label matchers.
TARGET = 'job=~"$job", instance=~"$instance", namespace=~"$namespace"'


def state_number(by, states, lately=False):
    """The state as its number; where the shards of a session differ, the state that comes first. `lately`: any state
    in the time range, instead of the one now."""
    found = []
    for state, (number, _) in states.items():
        series = f'progress_session_state{{state="{state}"}}'
        found.append(f"max by ({by}) ({f'last_over_time({series}[$__range])' if lately else series}) * {number}")
    return " or ".join(found)


def severity_number(by):
    """Alerts that fire, as the number of their severity."""
    return " or ".join(f'max by ({by}) (progress_alert_active{{severity="{severity}"}}) * {number}'
                       for severity, (number, _) in SEVERITIES.items())


def progress(by=""):
    """Share of the work done; shards count by the files that they expect."""
    grouped = f"by ({by}) " if by else ""
    return f"""sum {grouped}(progress_session_progress_ratio
        * on (job, instance, session) group_left () progress_session_expected_files)
        / clamp_min(sum {grouped}(progress_session_expected_files), 1)"""


def share(part, whole):
    """part / whole, and nothing where the whole is 0."""
    return f"({part}) / ({whole} > 0)"


def by_currency(expr):
    """Sums of money, those without a currency under the name `spent`; nothing where nothing is."""
    return f'label_replace(sum by (currency) ({expr}) > 0, "currency", "spent", "currency", "")'


def target_variables():
    """Which agents. Namespaces may be missing outside Kubernetes, so All matches none too."""
    return [datasource_variable(),
            variable("job", "Job", "label_values(progress_agent_build_info, job)"),
            variable("namespace", "Namespace", 'label_values(progress_agent_build_info{job=~"$job"}, namespace)',
                     ".*")]


def instance_variable():
    return variable("instance", "Instance",
                    'label_values(progress_agent_build_info{job=~"$job", namespace=~"$namespace"}, instance)')


def family_variable():
    return variable("family", "Family",
                    f'label_values(progress_session_info{{job=~"$job", namespace=~"$namespace"}}, family)', ".*",
                    description="What repeated runs of the same job share")


def session_variable(several):
    return variable("session", "Session", 'label_values(progress_session_info{job=~"$job", namespace=~"$namespace", '
                    'family=~"$family"}, session)', ".+" if several else None, several)


def links_from(uid):
    """To the other dashboards, with the variables and the time range that both have."""
    others = {FLEET: ("Fleet", "All running and recent sessions"), SESSION: ("Session", "One session in detail"),
              FAMILIES: ("Families", "Runs of the same job compared"),
              AGENT: ("Agent health", "The agents themselves")}
    return [dashboard_link(title, other, tooltip) for other, (title, tooltip) in others.items() if other != uid]


def session_url(time_range="${__url_time_range}"):
    """The session dashboard for the session that was clicked; its row has a column Namespace, if there are any."""
    return (f"/d/{SESSION}?{time_range}&${{datasource:queryparam}}&${{job:queryparam}}"
            "&var-namespace=${__data.fields.Namespace}&var-session=${__value.raw:percentencode}")


def family_url(uid, with_range=True):
    """A dashboard for the family that was clicked."""
    time_range = "&${__url_time_range}" if with_range else ""
    return f"/d/{uid}?${{datasource:queryparam}}{time_range}&var-family=${{__value.raw:percentencode}}"


def alert_annotation(expr="progress_alert_active"):
    """Where alerts begin to fire; a panel shows how long they do."""
    return annotation("Alerts", f"{expr} unless {expr} offset 15s", "red", "{{alert}} fires", "{{severity}}",
                      "alert,severity")
