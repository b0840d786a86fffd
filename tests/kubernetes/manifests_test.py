"""The Kustomize components: what they make of workloads, by the schemas and by what a Pod with an agent must be."""

import re
import shutil
import tempfile
import textwrap
import unittest
from pathlib import Path

from harness.agent import ROOT

import tools
from tools import CHART, CONFIG, agent_of, pod_of

EXAMPLES = sorted(path.name for path in (CONFIG / "examples").iterdir())
TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"
# One workload of each kind that has everything of its own already.
OWN = """
restartPolicy: {policy}
initContainers: [{{name: fetch, image: fetch:1}}]
containers:
  - {{name: first, image: first:1}}
  - {{name: second, image: second:1, volumeMounts: [{{name: scratch, mountPath: /scratch}}]}}
volumes: [{{name: scratch, emptyDir: {{}}}}]
"""
KINDS = {"Job": "batch/v1", "CronJob": "batch/v1", "Deployment": "apps/v1", "StatefulSet": "apps/v1"}


def linger_of(agent):
    return int(next(re.fullmatch(r"--shutdown\.linger=(\d+)s", flag).group(1) for flag in agent["args"]
                    if flag.startswith("--shutdown.linger")))


def own_workload(kind):
    pod = OWN.format(policy="Never" if KINDS[kind] == "batch/v1" else "Always")
    head = f"apiVersion: {KINDS[kind]}\nkind: {kind}\nmetadata: {{name: mine}}\nspec:\n"
    if kind == "CronJob":
        return head + "  schedule: '@daily'\n  jobTemplate:\n    spec:\n      template:\n        spec:\n" + textwrap.indent(pod, 10 * " ")
    if kind != "Job":
        head += "  selector: {matchLabels: {a: b}}\n"
    if kind == "StatefulSet":
        head += "  serviceName: mine\n"
    labels = "" if kind == "Job" else "    metadata: {labels: {a: b}}\n"
    return head + "  template:\n" + labels + "    spec:\n" + textwrap.indent(pod, 6 * " ")


class Schemas(unittest.TestCase):
    def test_the_judge_refuses(self):
        """Unknown fields at any depth, wrong types, missing fields, kinds nobody knows; maps take any name."""
        def faults(text):
            return [each["faults"] for each in tools.judged(text)]
        pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: x, labels: {any: thing}}\nspec: {containers: [{name: a, image: b%s}]%s}\n"
        self.assertEqual([[]], faults(pod % ("", "")))
        self.assertEqual([["spec.containers[0].imge is unknown"]], faults(pod % (", imge: c", "")))
        self.assertEqual([["spec.volumes[0].emptyDir.sizeLimt is unknown"]],
                         faults(pod % ("", ", volumes: [{name: v, emptyDir: {sizeLimt: 1}}]")))
        self.assertIn("must be integer", faults(pod % (", ports: [{containerPort: x}]", ""))[0][0])
        self.assertIn("required", faults(pod % (", volumeMounts: [{name: v}]", ""))[0][0])
        self.assertIn("no schema", faults("apiVersion: v1\nkind: Pood\n")[0][0])
        monitor = "apiVersion: monitoring.coreos.com/v1\nkind: PodMonitor\nmetadata: {name: x}\nspec: {selector: {}, %s}\n"
        self.assertEqual([["spec.podMetricsEndpoints[0].prt is unknown"]], faults(monitor % "podMetricsEndpoints: [{prt: a}]"))


class Components(unittest.TestCase):
    def check_agent(self, pod, classic=False):
        """Everything that a Pod with an agent must be."""
        agent = agent_of(pod)
        self.assertEqual(not classic, agent in pod.get("initContainers", []))
        self.assertEqual(None if classic else "Always", agent.get("restartPolicy"))
        self.assertEqual(classic, "--exit-when-done" in agent["args"])
        context = agent["securityContext"]
        self.assertEqual((True, 65532, 65532, True, False, ["ALL"], "RuntimeDefault"), (
            context["runAsNonRoot"], context["runAsUser"], context["runAsGroup"], context["readOnlyRootFilesystem"],
            context["allowPrivilegeEscalation"], context["capabilities"]["drop"], context["seccompProfile"]["type"]))
        self.assertEqual({"cpu", "memory"}, agent["resources"]["requests"].keys() & agent["resources"]["limits"].keys())
        self.assertIn("--ingest.listen-address=127.0.0.1:19901", agent["args"])
        ports = {port["name"]: port["containerPort"] for port in agent["ports"]}
        self.assertEqual({"progress-agent": 19900}, ports)
        if not classic:
            self.assertEqual({"path": "/-/ready", "port": "progress-agent"}, agent["startupProbe"]["httpGet"])
        self.check_folders(pod, agent)
        self.assertGreaterEqual(pod.get("terminationGracePeriodSeconds", 30), linger_of(agent) + 10)

    def check_folders(self, pod, agent):
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        folders = {mount["mountPath"]: volumes[mount["name"]] for mount in agent["volumeMounts"]}
        self.assertEqual("Memory", folders["/run/progress-agent"]["emptyDir"]["medium"])
        for folder in ("/run/progress-agent", "/var/lib/progress-agent", TOKEN):
            self.assertIn("sizeLimit", folders[folder]["emptyDir"])
        for container in pod["containers"]:
            mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
            self.assertEqual("progress-agent", mounts["/run/progress-agent"], container["name"])

    def test_examples(self):
        self.assertEqual(["classic-job", "cron-job", "indexed-job", "job", "worker"], EXAMPLES)
        for name in EXAMPLES:
            with self.subTest(example=name):
                workload, = tools.objects(tools.kustomize(CONFIG / "examples" / name))
                pod = pod_of(workload)
                self.check_agent(pod, classic=name == "classic-job")
                self.assertIs(False, pod["automountServiceAccountToken"])

    def build(self, kind, component, more=""):
        """What a kustomization of a user's own beside the components becomes."""
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(CONFIG, Path(folder) / "kubernetes", symlinks=True)
            mine = Path(folder) / "mine"
            mine.mkdir()
            (mine / "workload.yaml").write_text(own_workload(kind))
            (mine / "kustomization.yaml").write_text(
                f"resources: [workload.yaml]\ncomponents: [../kubernetes/{component}]\n{more}")
            return tools.kustomize(mine)

    def test_what_a_workload_has_stays(self):
        cases = [(kind, "sidecar") for kind in KINDS] + [("Job", "classic"), ("CronJob", "classic")]
        found = tools.objects("\n---\n".join(self.build(*case) for case in cases))
        self.assertEqual(len(cases), len(found))
        for (kind, component), workload in zip(cases, found):
            with self.subTest(kind=kind, component=component):
                self.assertEqual(kind, workload["kind"])
                pod = pod_of(workload)
                self.check_agent(pod, classic=component == "classic")
                self.assertEqual("fetch", pod["initContainers"][0]["name"])
                self.assertEqual(["first", "second"], [each["name"] for each in pod["containers"]][:2])
                self.assertEqual({"name": "scratch", "mountPath": "/scratch"}, pod["containers"][1]["volumeMounts"][0])
                self.assertEqual({"name": "scratch", "emptyDir": {}}, pod["volumes"][0])

    def test_a_user_may_change_the_agent(self):
        """Its image, by kustomize's own word for that; anything else by a patch."""
        workload, = tools.objects(self.build("Job", "sidecar", textwrap.dedent("""
            namePrefix: my-
            namespace: batch
            images: [{name: progress-agent, newName: registry.example/agent, newTag: "2"}]
            patches:
              - target: {kind: Job}
                patch: |
                  apiVersion: batch/v1
                  kind: Job
                  metadata: {name: any}
                  spec:
                    template:
                      spec:
                        initContainers: [{name: progress-agent, env: [{name: PROGRESS_AGENT_LOG_LEVEL, value: debug}]}]
            """)))
        pod = pod_of(workload)
        agent = agent_of(pod)
        self.assertEqual("registry.example/agent:2", agent["image"])
        self.assertEqual("debug", agent["env"][0]["value"])
        self.check_agent(pod)

    def test_the_chart_makes_the_same_agent(self):
        for classic in (False, True):
            with self.subTest(classic=classic):
                example, = tools.objects(tools.kustomize(CONFIG / "examples" / ("classic-job" if classic else "job")))
                done = tools.helm("template", "x", CHART, "--set", "workload.kind=Job,workload.image=busybox:1.36",
                                  "--set", f"agent.classic={str(classic).lower()}", "--show-only", "templates/workload.yaml")
                chart, = tools.objects(done.stdout)
                ours, theirs = pod_of(example), pod_of(chart)
                self.check_agent(theirs, classic)
                agent = agent_of(theirs)
                self.assertEqual("IfNotPresent", agent.pop("imagePullPolicy"))
                self.assertEqual(agent_of(ours), agent)
                self.assertEqual(ours["volumes"], theirs["volumes"])


class Documents(unittest.TestCase):
    def test_what_they_apply_can_be_applied(self):
        named = {name for document in (ROOT / "README.md", CONFIG / "README.md", ROOT / "dashboards" / "README.md")
                 for name in re.findall(r"kubectl apply (?:-n \w+ )?-k ([\w./-]+)", document.read_text())}
        self.assertLessEqual({"config/kubernetes/examples/job", "config/kubernetes/monitoring", "dashboards"}, named)
        for name in named:
            self.assertTrue(tools.objects(tools.kustomize(ROOT / name)), name)

    def test_the_scrape_configuration_is_one(self):
        block, = re.findall(r"^```yaml\n(- job_name.*?)^```$", (CONFIG / "README.md").read_text(), re.MULTILINE | re.DOTALL)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "prometheus.yml"
            # Debian's promtool is built without Kubernetes' discovery.
            known = block.replace("kubernetes_sd_configs: [{role: pod}]", "static_configs: [{targets: [pod]}]")
            self.assertNotEqual(block, known)
            file.write_text("scrape_configs:\n" + known)
            done = tools.execute("promtool", "check", "config", file)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)


class Monitoring(unittest.TestCase):
    def test_each_agent_is_scraped_while_it_waits(self):
        found = tools.objects(tools.kustomize(CONFIG / "monitoring"))
        monitor, = (each for each in found if each["kind"] == "PodMonitor")
        endpoint, = monitor["spec"]["podMetricsEndpoints"]
        rule, = (each for each in found if each["kind"] == "PrometheusRule")
        self.assertIn("ProgressAgentDown", {each.get("alert") for group in rule["spec"]["groups"] for each in group["rules"]})
        dashboards = [each for each in found if each["kind"] == "ConfigMap"]
        self.assertEqual(len(list((ROOT / "dashboards").glob("*.json"))), len(dashboards))
        for dashboard in dashboards:
            self.assertLess(sum(map(len, dashboard["data"].values())), 1_000_000, "the size that a ConfigMap may have")
        for name in EXAMPLES:
            workload, = tools.objects(tools.kustomize(CONFIG / "examples" / name))
            agent = agent_of(pod_of(workload))
            self.assertEqual(endpoint["port"], agent["ports"][0]["name"])
            self.assertLess(int(endpoint["interval"].rstrip("s")), linger_of(agent))


if __name__ == "__main__":
    unittest.main()
