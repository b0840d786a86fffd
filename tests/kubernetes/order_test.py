"""The example Pods as processes, in the order of a kubelet, beside a real Prometheus: the last state of every job is
scraped, and its exit code is its own. $AGENT_POD_RUNS says how often each form runs (50 for a verdict, 3 in the suite)."""

import os
import tempfile
import unittest

from harness.agent import free_port
from harness.polling import until
from harness.prometheus import Prometheus

import tools
from kubelet import Pod, expanded
from tools import CHART, CONFIG, agent_of, pod_of

RUNS = int(os.environ.get("AGENT_POD_RUNS", "3"))
QUICK = {"WORK_SECONDS": "0.01"}


def example(name):
    workload, = tools.objects(tools.kustomize(CONFIG / "examples" / name))
    return pod_of(workload)


def scripted(pod, *changes):
    """The same Pod with other words in the scripts of its containers; each must occur."""
    for container in pod["containers"]:
        if container["name"] != "progress-agent":
            for old, new in changes:
                if old not in container["args"][0]:
                    raise AssertionError(f"{old} is not in the script of {container['name']}")
                container["args"] = [container["args"][0].replace(old, new)]
    return pod


class Order(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        tools.folder()
        cls.port = free_port()
        cls.prometheus = Prometheus(f"127.0.0.1:{cls.port}", interval="200ms")
        cls.addClassCleanup(cls.prometheus.__exit__)

    def last_scraped(self, session):
        """The last numbers of files that Prometheus has of a session, by state."""
        found = self.prometheus.query(f'last_over_time(progress_session_files{{session="{session}"}}[1h])')
        return {labels["state"]: value for labels, value in found}

    def run_pod(self, pod, **options):
        with tempfile.TemporaryDirectory() as folder, Pod(pod, folder, web_port=self.port, environment=QUICK,
                                                          **options) as running:
            running.run()
            self.assertFalse(running.is_killed("progress-agent"), running.log("progress-agent"))
            self.assertEqual(0, running.code("progress-agent"), running.log("progress-agent"))
            return running

    def check_runs(self, form):
        """Every other run fails in the middle; the last state that Prometheus saw is the job's own in all of them."""
        for number in range(RUNS):
            session, fails = f"{form}-{number}", number % 2 == 1
            changes = [('"session":"import"', f'"session":"{session}"')]
            if fails:
                changes.append(("for file in $(seq 20); do", "for file in $(seq 20); do [ $file = 13 ] && exit 7;"))
            with self.subTest(run=number):
                running = self.run_pod(scripted(example(form), *changes))
                self.assertEqual(7 if fails else 0, running.code("import"))
                done = 12 if fails else 20
                until(lambda: self.last_scraped(session).get("completed") == done, 10,
                      lambda: f"{self.last_scraped(session)} {running.log('progress-agent')}")
                self.assertEqual({"failed" if fails else "completed"}, set(self.ended_as(session)))
                yield running

    def ended_as(self, session):
        """The states in which Prometheus saw the session as ended."""
        found = self.prometheus.query(f'last_over_time(progress_session_state{{session="{session}",'
                                      'state=~"completed|failed|cancelled"}[1h])')
        return [labels["state"] for labels, value in found if value == 1]

    def test_native_sidecar(self):
        for running in self.check_runs("job"):
            self.assertEqual(["start progress-agent", "started progress-agent", "start import",
                              "SIGTERM progress-agent"], running.events)

    def test_classic_sidecar_leaves_by_itself(self):
        for running in self.check_runs("classic-job"):
            self.assertEqual(["start import", "start progress-agent"], running.events)

    def test_a_worker_that_is_deleted(self):
        pod = example("worker")
        with tempfile.TemporaryDirectory() as folder, Pod(pod, folder, name="worker-0", web_port=self.port,
                                                          environment={"WORK_SECONDS": "0.05"}) as running:
            running.begin()
            until(lambda: self.ended_as("worker-0-1") == ["completed"], 20, lambda: running.log("worker"))
            running.delete()
            self.assertEqual((0, 0), (running.code("worker"), running.code("progress-agent")))
            self.assertEqual(["SIGTERM worker", "SIGTERM progress-agent"], running.events[-2:])
        until(lambda: self.prometheus.query('last_over_time(progress_session_state{session=~"worker-0-.*",state="cancelled"}[1h])'),
              10, "the batch under way was seen as cancelled")

    def test_a_cron_jobs_run(self):
        self.assertEqual(0, self.run_pod(example("cron-job"), name="nightly-report-1").code("report"))
        until(lambda: self.ended_as("nightly-report-1") == ["completed"], 10)
        until(lambda: self.last_scraped("nightly-report-1").get("completed") == 30, 10)

    def test_a_killed_agent_is_started_again_and_knows_everything(self):
        pod = example("cron-job")
        with tempfile.TemporaryDirectory() as folder, Pod(pod, folder, name="killed-1", web_port=self.port,
                                                          environment={"WORK_SECONDS": "0.1"}) as running:
            running.begin()
            until(lambda: self.last_scraped("killed-1").get("completed", 0) >= 3, 20)
            running.sidecars[0].process.kill()
            running.sidecars[0].process.wait()
            until(running.are_containers_over, 30)
            running.delete()
            self.assertEqual((0, 0), (running.code("report"), running.code("progress-agent")))
        self.assertEqual(["start progress-agent", "started progress-agent", "start report", "ended progress-agent",
                          "start progress-agent", "SIGTERM progress-agent"], running.events)
        until(lambda: self.last_scraped("killed-1").get("completed") == 30, 10)
        named = self.prometheus.query('last_over_time(progress_session_info{session="killed-1"}[1h])')
        self.assertEqual({("Nightly report", "nightly-report", "1")},
                         {(labels["name"], labels["family"], labels["attempt"]) for labels, _ in named})

    def test_a_shard(self):
        pod = example("indexed-job")
        pod["containers"][0]["env"] = [{"name": "JOB_COMPLETION_INDEX", "value": "2"}]
        self.assertEqual(0, self.run_pod(pod).code("reindex"))
        until(lambda: self.last_scraped("reindex").get("completed") == 10, 10)
        found = self.prometheus.query('last_over_time(progress_session_info{session="reindex"}[1h])')
        self.assertEqual({"2"}, {labels["shard"] for labels, _ in found})

    def test_the_pod_of_helm_test(self):
        done = tools.helm("template", "x", CHART, "--show-only", "templates/tests/starts.yaml")
        pod, = tools.objects(done.stdout)
        self.assertEqual(0, self.run_pod(pod["spec"]).code("test"))
        until(lambda: self.last_scraped("helm-test").get("completed") == 1, 10)

    def test_a_workload_of_another_user_reaches_the_socket(self):
        pod = example("job")
        container, = pod["containers"]
        container.update(image="progress-agent:0.1.0", command=[],
                         args=["emit", "progress", "--session=other-user", "--completed=3", "--total=3"])
        self.assertNotEqual(container["securityContext"]["runAsUser"], agent_of(pod)["securityContext"]["runAsUser"])
        self.assertEqual(0, self.run_pod(pod).code("import"))
        until(lambda: self.last_scraped("other-user").get("completed") == 3, 10)

    def test_an_agent_that_does_not_start_holds_the_job_back(self):
        pod = example("job")
        agent_of(pod)["args"].append("--log.level=loud")
        with tempfile.TemporaryDirectory() as folder, Pod(pod, folder) as running:
            with self.assertRaisesRegex(AssertionError, "before it was started"):
                running.run()
            self.assertEqual(["start progress-agent"], running.events)


class Expansion(unittest.TestCase):
    def test_a_kubelet_leaves_the_scripts_alone(self):
        """$(seq 20) and $((n + 1)) look like a kubelet's variables, and are none."""
        self.assertEqual("1 $(seq 20) $((n + 1)) $(B) $(A)", expanded("$(A) $(seq 20) $((n + 1)) $(B) $$(A)", {"A": "1"}))


if __name__ == "__main__":
    unittest.main()
