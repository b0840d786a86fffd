"""Runs a Pod's spec as processes on this machine in the order that a kubelet uses. No cluster, no namespaces: volumes
become folders, the Pod's two ports become free ones, the agent's image becomes the binary of this build and every other
image busybox; users are the Pod's own where this process is root. What is judged is the order, the signals, the probes,
the grace period, and the exit codes."""

import os
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

from harness.agent import BINARY, free_ports
from harness.polling import until

AGENT_IMAGE = re.compile(r"progress-agent(:|$)")
STANDARD_PORTS = ("19900", "19901")


def expanded(text, environment):
    """$(NAME) as the kubelet replaces it in commands and arguments: a name that is not known stays as it is."""
    def value(match):
        return "$" if match.group() == "$$" else environment.get(match.group(1), match.group())
    return re.sub(r"\$\$|\$\(([^)]*)\)", value, text)


class Running:
    """A container's process."""

    def __init__(self, name, process, log):
        self.name, self.process, self.log_path, self.killed = name, process, log, False

    @property
    def code(self):
        return self.process.poll()

    def log(self):
        return self.log_path.read_text(errors="replace")


class Pod:
    """`run()` takes it from its start to its end; `delete()` ends it early, as `kubectl delete pod` would."""

    def __init__(self, spec, folder, name="pod-0", web_port=None, environment=None):
        self.spec, self.folder = spec, Path(folder)
        self.folder.chmod(0o755)
        some, ingest_port = free_ports(2)
        self.ports = dict(zip(STANDARD_PORTS, (str(web_port or some), str(ingest_port))))
        self.environment = {"PATH": str(self.applets()), "HOSTNAME": name, **(environment or {})}
        self.grace = spec.get("terminationGracePeriodSeconds", 30)
        self.sidecars, self.containers, self.events = [], [], []

    def applets(self):
        place = self.folder / "bin"
        place.mkdir()
        subprocess.run(["busybox", "--install", "-s", place], check=True)
        return place

    # One container.

    def placed(self, text, container):
        """Paths of volumes and the Pod's ports as they are on this machine."""
        for mount in container.get("volumeMounts", []):
            text = text.replace(mount["mountPath"], str(self.folder / mount["name"]))
        return re.sub(r":(19900|19901)\b", lambda match: ":" + self.ports[match.group(1)], text)

    def start(self, container):
        for mount in container.get("volumeMounts", []):
            (self.folder / mount["name"]).mkdir(exist_ok=True)
            (self.folder / mount["name"]).chmod(0o777)  # as an emptyDir
        # Programs that know the socket by its standard path find it where the folder is here.
        sockets = {"PROGRESS_AGENT_INGEST_SOCKET": f"{self.folder / mount['name']}/agent.sock"
                   for mount in container.get("volumeMounts", []) if mount["mountPath"] == "/run/progress-agent"}
        environment = {**self.environment, **sockets, **{each["name"]: each.get("value", "") for each in container.get("env", [])}}
        words = container.get("command", []) + container.get("args", [])
        words = [self.placed(expanded(word, environment), container) for word in words]
        if AGENT_IMAGE.match(container["image"]):
            words.insert(0, str(BINARY))
            words = [word.replace("--web.listen-address=:", "--web.listen-address=127.0.0.1:") for word in words]
        else:
            words[0] = str(self.folder / "bin" / words[0])
        log = self.folder / f"{container['name']}.log"
        with open(log, "wb") as out:
            process = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                       **self.identity(container))
        self.events.append(f"start {container['name']}")
        return Running(container["name"], process, log)

    def identity(self, container):
        """The user of the container, where this process may choose one and everybody may run the binary."""
        context = container.get("securityContext", {})
        is_reachable = all(parent.stat().st_mode & 0o001 for parent in BINARY.resolve().parents)
        if os.geteuid() != 0 or not is_reachable or "runAsUser" not in context:
            return {}
        return {"user": context["runAsUser"], "group": context.get("runAsGroup", 0), "extra_groups": []}

    def started(self, container, running):
        """Whether its startup probe has succeeded; a fault when it never will."""
        probe = container.get("startupProbe")
        if running.code is not None:
            raise AssertionError(f"{running.name} ended with {running.code} before it was started: {running.log()}")
        if not probe:
            return True
        port = next(str(each["containerPort"]) for each in container["ports"] if each["name"] == probe["httpGet"]["port"])
        try:
            url = f"http://127.0.0.1:{self.ports[port]}{probe['httpGet']['path']}"
            with urllib.request.urlopen(url, timeout=probe.get("timeoutSeconds", 1)) as reply:
                return 200 <= reply.status < 400
        except OSError:
            return False

    # The Pod.

    def begin(self):
        for container in self.spec.get("initContainers", []):
            running = self.start(container)
            if container.get("restartPolicy") == "Always":
                self.sidecars.append(running)
                probe = container.get("startupProbe", {})
                patience = probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)
                until(lambda: self.started(container, running), patience, lambda: running.log())
                self.events.append(f"started {running.name}")
            elif running.process.wait(60) != 0:
                raise AssertionError(f"{running.name} failed: {running.log()}")
        self.containers = [self.start(container) for container in self.spec["containers"]]
        return self

    def restart_sidecars(self):
        """A sidecar that ended by itself is started again, with the Pod's volumes as they are."""
        for place, each in enumerate(self.sidecars):
            if each.code is not None:
                self.events.append(f"ended {each.name}")
                self.sidecars[place] = self.start(next(
                    container for container in self.spec["initContainers"] if container["name"] == each.name))

    def are_containers_over(self):
        self.restart_sidecars()
        return all(each.code is not None for each in self.containers)

    def run(self, seconds=60):
        self.begin()
        until(self.are_containers_over, seconds,
              lambda: "\n".join(each.log() for each in self.containers + self.sidecars))
        return self.end_sidecars(time.monotonic() + self.grace)

    def delete(self):
        deadline = time.monotonic() + self.grace
        self.end(self.containers, deadline)
        return self.end_sidecars(deadline)

    def end_sidecars(self, deadline):
        """In the reverse of their order, one after the other, after all others have ended."""
        for each in reversed(self.sidecars):
            self.end([each], deadline)
        return self

    def end(self, running, deadline):
        for each in running:
            if each.code is None:
                self.events.append(f"SIGTERM {each.name}")
                each.process.send_signal(signal.SIGTERM)
        for each in running:
            try:
                each.process.wait(max(0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                each.killed = True
                each.process.kill()
                each.process.wait()

    def code(self, name):
        return next(each.code for each in self.containers + self.sidecars if each.name == name)

    def log(self, name):
        return next(each.log() for each in self.containers + self.sidecars if each.name == name)

    def is_killed(self, name):
        return next(each.killed for each in self.containers + self.sidecars if each.name == name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self.containers + self.sidecars:
            if each.code is None:
                each.process.kill()
                each.process.wait()
