"""Rollouts on a real cluster: what comes up, what will not, and how soon that is clear."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from jenkins_cd.cluster import mirror, pods, rollout, workloads
from jenkins_cd.errors import ExternalFailure, Refused
from jenkins_cd.tools.kubernetes import Cluster
from tests.cluster import objects
from tests.cluster.objects import LIMIT, deployment, job, workload
from tests.cluster.proxy import proxy_to
from tests.cluster.stage import Stage, beside
from tests.lab.fixture import alone, quiet  # noqa: F401
from tests.lab.lab import Lab


def test_a_rollout_is_followed_until_every_pod_is_new_and_ready(lab: Lab, stage: Stage) -> None:
    before, now = deployment(lab.image(), {"replicas": 2}), deployment(lab.image("1.0.1"), {"replicas": 2})
    assert stage.roll_out(before).ready
    verdict = stage.roll_out(now)
    assert verdict.ready, verdict.reason
    assert stage.told[-1] == "Deployment shop: 2 of 2 new pods ready" or stage.told[-1].endswith(": ready")
    assert any(line.startswith("pod shop-") and line.endswith(": starting") for line in stage.told)
    images = stage.kubectl("get", "pods", "--output=jsonpath={..imageID}")
    assert lab.digests["probe:1.0.1"] in images


def test_every_kind_of_workload_is_followed(lab: Lab, stage: Stage) -> None:
    every = [
        workload("StatefulSet", "store", lab.image(), {"replicas": 2}),
        workload("DaemonSet", "agent", lab.image()),
        objects.once(lab.image(), "resolve", "localhost"),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "single"}, "spec": objects.pod_spec(lab.image())},
    ]
    verdict = stage.roll_out(*every)
    assert verdict.ready, verdict.reason
    assert verdict.reason.startswith("4 objects up after")
    assert {"StatefulSet store: 2 of 2 new pods ready", "Job once: completed", "Pod single: ready"} <= set(stage.told)
    newer = workload("StatefulSet", "store", lab.image("1.0.1"), {"replicas": 2})
    stage.apply(newer, workload("DaemonSet", "agent", lab.image("1.0.1")))
    assert stage.follow(newer, workload("DaemonSet", "agent", lab.image("1.0.1"))).ready


def test_an_image_that_is_not_there_fails_once_the_registry_has_said_so(lab: Lab, stage: Stage) -> None:
    missing = deployment(f"{lab.registry}/probe:9.9.9")
    verdict = stage.roll_out(missing)
    assert verdict.outcome == "failed"
    assert verdict.reason.endswith(f"{lab.registry}/probe:9.9.9 cannot be pulled: not found")


def test_a_registry_that_does_not_answer_fails_after_a_second_attempt(lab: Lab, stage: Stage) -> None:
    missing = deployment("127.0.0.1:1/probe:1.0.0")
    verdict = stage.roll_out(missing)
    assert verdict.outcome == "failed"
    assert "connection refused" in verdict.reason
    pulls = stage.kubectl("get", "events", "--output=jsonpath={.items[*].message}")
    assert "Failed to pull image" in pulls


def test_a_crash_loop_fails_with_its_exit_code_and_the_old_pods_go_on(lab: Lab, stage: Stage) -> None:
    good, bad = deployment(lab.image()), deployment(lab.image("1.0.1"), PROBE_EXIT_CODE="3")
    assert stage.roll_out(good).ready
    verdict = stage.roll_out(bad)
    assert verdict.outcome == "failed"
    assert "app crashes again and again, last with exit code 3 (restarts: 2)" in verdict.reason
    assert stage.heard("app crashed with exit code 3")
    stage.apply(good)
    stage.told.clear()
    assert stage.follow(good).ready, "the pods that still crash are not those of this release"


def test_a_probe_that_never_passes_fails_when_kubernetes_gives_it_up(
    lab: Lab, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workloads, "SETTLED", 1.0)
    never = deployment(lab.image(), {"progressDeadlineSeconds": 5}, PROBE_READY_AFTER="never")
    verdict = stage.roll_out(never)
    assert verdict.outcome == "failed"
    assert verdict.reason.startswith("Deployment shop made no progress for 5 s")
    assert "statuscode: 503" in verdict.reason


def test_a_probe_that_has_not_passed_in_time_is_late_and_not_failed(lab: Lab, stage: Stage) -> None:
    never = deployment(lab.image(), PROBE_READY_AFTER="never")
    verdict = stage.roll_out(never, limit=4.0)
    assert verdict.outcome == "late"
    assert "Deployment shop: 0 of 1 new pods ready, pod shop-" in verdict.reason


def test_a_probe_that_passes_late_is_a_good_rollout(lab: Lab, stage: Stage) -> None:
    slow = deployment(lab.image(), PROBE_READY_AFTER="4")
    verdict = stage.roll_out(slow)
    assert verdict.ready, verdict.reason
    assert stage.heard("not ready: Readiness probe failed: HTTP probe failed with statuscode: 503")


def test_a_secret_that_comes_a_little_later_is_waited_for(lab: Lab, stage: Stage) -> None:
    waits = deployment(lab.image())
    reference = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "late", "key": "key"}}}
    waits["spec"]["template"]["spec"]["containers"][0]["env"] = [reference]

    def give() -> None:
        objects.eventually(lambda: stage.heard("CreateContainerConfigError"))
        stage.kubectl("create", "secret", "generic", "late", "--from-literal=key=value")

    with beside(give):
        verdict = stage.roll_out(waits)
    assert verdict.ready, verdict.reason


def test_a_quota_that_is_used_up_fails(lab: Lab, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workloads, "SOON", 2.0)
    stage.kubectl("create", "quota", "none", "--hard=pods=0")
    both = [deployment(lab.image()), workload("StatefulSet", "store", lab.image())]
    for one in both:
        verdict = stage.roll_out(one)
        assert verdict.outcome == "failed"
        assert "its pods cannot be created: " in verdict.reason
        assert "exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0" in verdict.reason


def test_a_pod_that_no_node_can_take_fails(lab: Lab, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pods, "ROOM", 2.0)
    large = deployment(lab.image())
    large["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"memory": "900Gi"}}
    verdict = stage.roll_out(large)
    assert verdict.outcome == "failed"
    assert "no node takes it: 0/1 nodes are available: 1 Insufficient memory." in verdict.reason


def test_a_job_that_fails_is_told_with_its_exit_code(lab: Lab, stage: Stage) -> None:
    failing = job(lab.image(), PROBE_EXIT_CODE="4")
    verdict = stage.roll_out(failing)
    assert verdict.reason == (
        "Job migrate failed: Job has reached the specified backoff limit; app ended with exit code 4"
    )


@pytest.mark.parametrize(
    ("image", "because"),
    [("", "failed: Job has reached the specified backoff limit; app ended with exit code 4"), (":9.9.9", "not found")],
    ids=["it fails", "its image is missing"],
)
def test_a_hook_that_will_not_end_well_is_told_while_helm_still_waits(
    lab: Lab, stage: Stage, image: str, because: str
) -> None:
    hook = job(f"{lab.registry}/probe{image}" if image else lab.image(), hook="pre-upgrade", PROBE_EXIT_CODE="4")
    before = rollout.present(stage.cluster, stage.namespace, [hook])
    assert before == frozenset()
    stage.apply(hook)
    until = time.monotonic() + LIMIT
    verdict = rollout.hooks(stage.cluster, stage.namespace, [hook], before, until, stage.told.append, lambda: True)
    assert verdict is not None
    assert verdict.outcome == "failed"
    assert verdict.reason.startswith("hook: Job migrate")
    assert verdict.reason.endswith(because)


def test_the_hook_of_an_earlier_release_does_not_count(lab: Lab, stage: Stage) -> None:
    hook = job(lab.image(), hook="pre-upgrade", PROBE_EXIT_CODE="4")
    stage.apply(hook)
    assert stage.follow({**hook, "metadata": {"name": "migrate"}}).outcome == "failed"
    before = rollout.present(stage.cluster, stage.namespace, [hook])
    assert len(before) == 1
    until = time.monotonic() + 3.0
    running = lambda: time.monotonic() < until  # noqa: E731
    told: list[str] = []
    assert rollout.hooks(stage.cluster, stage.namespace, [hook], before, until + LIMIT, told.append, running) is None
    assert told == []


def test_a_network_that_fails_for_a_while_changes_nothing(
    lab: Lab, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "PATIENCE", 0.2)
    slow = deployment(lab.image(), PROBE_READY_AFTER="4")
    with proxy_to(stage.cluster) as (passing, behind):

        def disturb() -> None:
            objects.eventually(lambda: stage.heard("not ready"))
            passing.cut()
            objects.eventually(lambda: stage.heard("asking again"))
            passing.mend()

        with beside(disturb):
            verdict = stage.roll_out(slow, by=behind)
    assert verdict.ready, verdict.reason
    assert "the API server answers again" in stage.told


def test_a_network_that_is_gone_at_the_end_leaves_no_verdict(
    lab: Lab, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "PATIENCE", 0.2)
    never = deployment(lab.image(), PROBE_READY_AFTER="never")
    with proxy_to(stage.cluster) as (passing, behind):

        def cut() -> None:
            objects.eventually(lambda: stage.heard("not ready"))
            passing.cut()

        with beside(cut), pytest.raises(ExternalFailure, match="it is not known whether the release is up: "):
            stage.roll_out(never, by=behind, limit=15.0)


def test_an_api_server_that_is_restarted_in_the_middle_changes_nothing(
    alone: None,  # noqa: F811
    lab: Lab,
    stage: Stage,
) -> None:
    slow = deployment(lab.image(), PROBE_READY_AFTER="8")

    def restart() -> None:
        objects.eventually(lambda: stage.heard("not ready"))
        lab.restart("kube-apiserver")

    with beside(restart):
        verdict = stage.roll_out(slow)
    assert verdict.ready, verdict.reason


def account(stage: Stage, resources: str, verbs: str) -> Cluster:
    """Return the cluster as an account that may do no more than this."""
    stage.kubectl("create", "serviceaccount", "robot")
    stage.kubectl("create", "role", "robot", f"--verb={verbs}", f"--resource={resources}")
    stage.kubectl("create", "rolebinding", "robot", "--role=robot", f"--serviceaccount={stage.namespace}:robot")
    token = stage.kubectl("create", "token", "robot").strip()
    return replace(stage.cluster, token=token, certificate=None, key=None)


def test_without_the_right_to_watch_and_to_read_events_it_looks_again_and_again(lab: Lab, stage: Stage) -> None:
    robot = account(stage, "deployments,replicasets,pods", "get,list")
    slow = deployment(lab.image(), PROBE_READY_AFTER="3")
    verdict = stage.roll_out(slow, by=robot)
    assert verdict.ready, verdict.reason
    assert any(line.startswith("going on without events: ") and "may not list events" in line for line in stage.told)


def test_without_the_right_to_read_pods_it_is_refused(lab: Lab, stage: Stage) -> None:
    robot = account(stage, "deployments,replicasets,events", "get,list,watch")
    with pytest.raises(Refused, match="may not list pods in the namespace"):
        stage.roll_out(deployment(lab.image()), by=robot)
