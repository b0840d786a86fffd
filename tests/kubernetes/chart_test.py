"""The Helm chart: what it renders is valid, what makes no sense is refused, and other charts can include it."""

import tempfile
import textwrap
import unittest
from pathlib import Path

from harness.agent import ROOT, run

import tools
from tools import CHART, agent_of, pod_of

JOB = ("workload.kind=Job", "workload.image=busybox:1.36")
RENDERED = [
    (), JOB, (*JOB, "agent.classic=true"), (*JOB, "agent.storage.enabled=false"), (*JOB, "workload.serviceAccountName=me"),
    (*JOB, "workload.indexed=true", "workload.completions=4", "workload.parallelism=2",
     "workload.activeDeadlineSeconds=60", "workload.ttlSecondsAfterFinished=0"),
    ("workload.kind=CronJob", "workload.image=a", "workload.schedule=30 2 * * *", "workload.timeZone=Europe/Vienna"),
    ("workload.kind=Deployment", "workload.image=a", "workload.replicas=3", "workload.podLabels.team=x",
     "workload.podAnnotations.note=y", "workload.podSecurityContext.fsGroup=1", "workload.nodeSelector.disk=ssd"),
    (*JOB, "workload.command={sh,-c}", "workload.args={exit 0}", "workload.env[0].name=A", "workload.env[0].value=b",
     "workload.tolerations[0].operator=Exists", "workload.imagePullSecrets[0].name=pull"),
    ("dashboards.enabled=true", "rules.enabled=true", "rules.labels.release=prometheus"), (*JOB, "podMonitor.enabled=true", "podMonitor.labels.release=prometheus", "agent.extraArgs={--log.level=debug}"),
    (*JOB, "agent.config.sessions.linger=1h", "agent.config.sessions.max_files=5000000", "agent.image.tag=v2"),
]
REFUSED = {
    "workload.knd=Job": "knd", "workload.kind=DaemonSet": "kind", "agent.lingerSeconds=many": "lingerSeconds",
    "agent.logFormat=xml": "logFormat", "agent.extraArgs={log}": "extraArgs", "podMonitor.interval=10": "interval",
    "workload.name=UPPER": "name", "agent.image.pullPolicy=Sometimes": "pullPolicy", "agnt.classic=true": "agnt",
}
MEANINGLESS = {
    ("workload.kind=Job",): "workload.image", ("workload.kind=CronJob", "workload.image=a"): "workload.schedule",
    ("workload.kind=Deployment", "workload.image=a", "agent.classic=true"): "agent.classic",
}
DASHBOARDS = list((ROOT / "dashboards").glob("*.json"))
PARENT = {
    "Chart.yaml": """
        apiVersion: v2
        name: parent
        version: 1.0.0
        dependencies: [{name: progress-agent, version: 0.1.0, repository: "file://CHART"}]
        """,
    "values.yaml": "progress-agent: {agent: {lingerSeconds: 50, config: {log: {level: warn}}}}\n",
    "templates/job.yaml": """
        {{- $agent := index .Subcharts "progress-agent" }}
        apiVersion: batch/v1
        kind: Job
        metadata: {name: parent}
        spec:
          template:
            spec:
              restartPolicy: Never
              terminationGracePeriodSeconds: {{ include "progress-agent.gracePeriodSeconds" (list $agent 30) }}
              initContainers:
                {{- include "progress-agent.sidecar" $agent | nindent 8 }}
              containers:
                - name: job
                  image: job:1
                  volumeMounts:
                    {{- include "progress-agent.volumeMounts" $agent | nindent 12 }}
              volumes:
                {{- include "progress-agent.volumes" $agent | nindent 8 }}
        """,
}


def template(*values, chart=CHART, release="x"):
    arguments = [part for value in values for part in ("--set", value)]
    return tools.helm("template", release, chart, *arguments)


class Chart(unittest.TestCase):
    def render(self, *values, **options):
        done = template(*values, **options)
        self.assertEqual(0, done.returncode, done.stderr)
        return tools.objects(done.stdout)

    def test_lint(self):
        done = tools.helm("lint", "--strict", CHART)
        self.assertEqual(0, done.returncode, done.stdout)

    def test_what_it_renders_is_valid(self):
        rendered = [template(*values) for values in RENDERED]
        self.assertEqual([], [done.stderr for done in rendered if done.returncode != 0])
        found = tools.objects("\n---\n".join(done.stdout for done in rendered))  # judged at once: node starts slowly
        kinds = [each["kind"] for each in found]
        for kind in ("Job", "CronJob", "Deployment"):
            self.assertEqual(sum(f"workload.kind={kind}" in values for values in RENDERED), kinds.count(kind))
        self.assertEqual((1, 1), (kinds.count("PodMonitor"), kinds.count("PrometheusRule")))
        self.assertEqual(1 + len(DASHBOARDS), kinds.count("ConfigMap"))

    def test_values_nobody_knows_are_refused(self):
        for value, named in REFUSED.items():
            with self.subTest(value=value):
                done = template(*JOB, value)
                self.assertNotEqual(0, done.returncode)
                self.assertIn(named, done.stderr)

    def test_what_makes_no_sense_is_refused_in_words(self):
        for values, named in MEANINGLESS.items():
            with self.subTest(values=values):
                done = template(*values)
                self.assertNotEqual(0, done.returncode)
                self.assertIn(named, done.stderr)

    def test_the_pod_outlives_the_agents_wait(self):
        for linger, wanted, got in ((20, 45, 45), (120, 45, 130), (0, 5, 10)):
            job, = (each for each in self.render(*JOB, f"agent.lingerSeconds={linger}",
                                                 f"workload.terminationGracePeriodSeconds={wanted}") if each["kind"] == "Job")
            self.assertEqual(got, pod_of(job)["terminationGracePeriodSeconds"])

    def test_the_agents_configuration_arrives_as_it_was_meant(self):
        found = self.render(*JOB, "agent.config.sessions.max_files=5000000", "agent.config.sessions.linger=1h")
        config, = (each for each in found if each["kind"] == "ConfigMap")
        job, = (each for each in found if each["kind"] == "Job")
        volume, = (each for each in pod_of(job)["volumes"] if each["name"] == "progress-agent-config")
        self.assertEqual(config["metadata"]["name"], volume["configMap"]["name"])
        self.assertIn("--config.file=/etc/progress-agent/agent.yaml", agent_of(pod_of(job))["args"])
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(config["data"]["agent.yaml"])
            file.flush()
            done = run("check-config", file.name)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_notes(self):
        for kind in ("Job", "CronJob", "Deployment", ""):
            done = tools.helm("install", "import", CHART, "--dry-run=client", "--set", f"workload.kind={kind}", "--set",
                              "workload.image=a,workload.schedule=@daily")
            notes = done.stdout.split("NOTES:\n")[1]
            self.assertIn(f"{kind} import runs" if kind else "Nothing runs", notes)

    def test_a_cluster_without_native_sidecars(self):
        done = tools.helm("template", "x", CHART, "--kube-version", "1.27.0", "--set", ",".join(JOB))
        self.assertNotEqual(0, done.returncode)
        self.assertIn("agent.classic", done.stderr)
        done = tools.helm("template", "x", CHART, "--kube-version", "1.27.0", "--set", ",".join((*JOB, "agent.classic=true")))
        self.assertEqual(["Job"], [each["kind"] for each in tools.objects(done.stdout)])

    def test_a_package_holds_what_the_tree_links_to(self):
        with tempfile.TemporaryDirectory() as folder:
            done = tools.helm("package", CHART, "--destination", folder)
            self.assertEqual(0, done.returncode, done.stderr)
            package, = Path(folder).glob("*.tgz")
            found = self.render("dashboards.enabled=true", "rules.enabled=true", chart=package)
        self.assertEqual(len(DASHBOARDS), sum(each["kind"] == "ConfigMap" for each in found))
        self.assertEqual(1, sum(each["kind"] == "PrometheusRule" for each in found))

    def test_helm_test_is_a_pod_that_an_agent_gates(self):
        pod, = (each for each in self.render(*JOB) if each["kind"] == "Pod")
        self.assertEqual("test", pod["metadata"]["annotations"]["helm.sh/hook"])
        self.assertIn("startupProbe", agent_of(pod["spec"]))
        self.assertEqual([], [each for each in self.render(*JOB, "agent.classic=true") if each["kind"] == "Pod"])

    def test_other_charts_include_it(self):
        with tempfile.TemporaryDirectory() as folder:
            parent = Path(folder) / "parent"
            for name, text in PARENT.items():
                (parent / name).parent.mkdir(parents=True, exist_ok=True)
                (parent / name).write_text(textwrap.dedent(text).lstrip("\n").replace("CHART", str(CHART)))
            done = tools.helm("dependency", "build", parent, env={"HOME": folder, "PATH": "/usr/bin:/bin"})
            self.assertEqual(0, done.returncode, done.stderr)
            found = self.render(chart=parent)
        job, = (each for each in found if each["kind"] == "Job")
        self.assertIn("--shutdown.linger=50s", agent_of(pod_of(job))["args"])
        self.assertEqual(60, pod_of(job)["terminationGracePeriodSeconds"])
        own, = (each for each in self.render(*JOB, "agent.lingerSeconds=50", "agent.config.log.level=warn")
                if each["kind"] == "Job")
        self.assertEqual(agent_of(pod_of(own)), agent_of(pod_of(job)))
        self.assertEqual(pod_of(own)["volumes"], pod_of(job)["volumes"])


if __name__ == "__main__":
    unittest.main()
