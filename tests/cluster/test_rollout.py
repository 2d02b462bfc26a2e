"""Rollouts on a real cluster: what comes up, what will not, and how soon that is clear."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from jenkins_cd.cluster import mirror, pods, rollout, workloads
from jenkins_cd.errors import ExternalFailure, Refused
from jenkins_cd.tools.kubernetes import Cluster
from tests.cluster import objects
from tests.cluster.objects import LIMIT, apply, deployment, follow, job, workload
from tests.cluster.proxy import proxy_to
from tests.lab.fixture import alone, quiet  # noqa: F401
from tests.lab.lab import Lab


def test_a_rollout_is_followed_until_every_pod_is_new_and_ready(
    lab: Lab, namespace: str, administrator: Cluster
) -> None:
    before, now = deployment(lab.image(), {"replicas": 2}), deployment(lab.image("1.0.1"), {"replicas": 2})
    apply(lab, namespace, before)
    assert follow(administrator, namespace, [before]).ready
    apply(lab, namespace, now)
    told: list[str] = []
    verdict = follow(administrator, namespace, [now], told)
    assert verdict.ready, verdict.reason
    assert told[-1] == "Deployment shop: 2 of 2 new pods ready" or told[-1].endswith(": ready")
    assert any(line.startswith("pod shop-") and line.endswith(": starting") for line in told)
    images = lab.kubectl("--namespace", namespace, "get", "pods", "--output=jsonpath={..imageID}").stdout
    assert lab.digests["probe:1.0.1"] in images


def test_every_kind_of_workload_is_followed(lab: Lab, namespace: str, administrator: Cluster) -> None:
    every = [
        workload("StatefulSet", "store", lab.image(), {"replicas": 2}),
        workload("DaemonSet", "agent", lab.image()),
        objects.once(lab.image(), "resolve", "localhost"),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "single"}, "spec": objects.pod_spec(lab.image())},
    ]
    apply(lab, namespace, *every)
    told: list[str] = []
    verdict = follow(administrator, namespace, every, told)
    assert verdict.ready, verdict.reason
    assert verdict.reason.startswith("4 objects up after")
    assert {"StatefulSet store: 2 of 2 new pods ready", "Job once: completed", "Pod single: ready"} <= set(told)
    newer = workload("StatefulSet", "store", lab.image("1.0.1"), {"replicas": 2})
    apply(lab, namespace, newer, workload("DaemonSet", "agent", lab.image("1.0.1")))
    assert follow(administrator, namespace, [newer, workload("DaemonSet", "agent", lab.image("1.0.1"))]).ready


def test_an_image_that_is_not_there_fails_once_the_registry_has_said_so(
    lab: Lab, namespace: str, administrator: Cluster
) -> None:
    missing = deployment(f"{lab.registry}/probe:9.9.9")
    apply(lab, namespace, missing)
    verdict = follow(administrator, namespace, [missing])
    assert verdict.outcome == "failed"
    assert verdict.reason.endswith(f"{lab.registry}/probe:9.9.9 cannot be pulled: not found")


def test_a_registry_that_does_not_answer_fails_after_a_second_attempt(
    lab: Lab, namespace: str, administrator: Cluster
) -> None:
    missing = deployment("127.0.0.1:1/probe:1.0.0")
    apply(lab, namespace, missing)
    verdict = follow(administrator, namespace, [missing])
    assert verdict.outcome == "failed"
    assert "connection refused" in verdict.reason
    pulls = lab.kubectl("--namespace", namespace, "get", "events", "--output=jsonpath={.items[*].message}").stdout
    assert "Failed to pull image" in pulls


def test_a_crash_loop_fails_with_its_exit_code_and_the_old_pods_go_on(
    lab: Lab, namespace: str, administrator: Cluster
) -> None:
    good, bad = deployment(lab.image()), deployment(lab.image("1.0.1"), PROBE_EXIT_CODE="3")
    apply(lab, namespace, good)
    assert follow(administrator, namespace, [good]).ready
    apply(lab, namespace, bad)
    told: list[str] = []
    verdict = follow(administrator, namespace, [bad], told)
    assert verdict.outcome == "failed"
    assert "app crashes again and again, last with exit code 3 (restarts: 2)" in verdict.reason
    assert any("app crashed with exit code 3" in line for line in told)
    apply(lab, namespace, good)
    told.clear()
    assert follow(administrator, namespace, [good], told).ready, (
        "the pods that still crash are not those of this release"
    )


def test_a_probe_that_never_passes_fails_when_kubernetes_gives_it_up(
    lab: Lab, namespace: str, administrator: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workloads, "SETTLED", 1.0)
    never = deployment(lab.image(), {"progressDeadlineSeconds": 5}, PROBE_READY_AFTER="never")
    apply(lab, namespace, never)
    verdict = follow(administrator, namespace, [never])
    assert verdict.outcome == "failed"
    assert verdict.reason.startswith("Deployment shop made no progress for 5 s")
    assert "statuscode: 503" in verdict.reason


def test_a_probe_that_has_not_passed_in_time_is_late_and_not_failed(
    lab: Lab, namespace: str, administrator: Cluster
) -> None:
    never = deployment(lab.image(), PROBE_READY_AFTER="never")
    apply(lab, namespace, never)
    verdict = follow(administrator, namespace, [never], limit=4.0)
    assert verdict.outcome == "late"
    assert "Deployment shop: 0 of 1 new pods ready, pod shop-" in verdict.reason


def test_a_probe_that_passes_late_is_a_good_rollout(lab: Lab, namespace: str, administrator: Cluster) -> None:
    slow = deployment(lab.image(), PROBE_READY_AFTER="4")
    apply(lab, namespace, slow)
    told: list[str] = []
    verdict = follow(administrator, namespace, [slow], told)
    assert verdict.ready, verdict.reason
    assert any("not ready: Readiness probe failed: HTTP probe failed with statuscode: 503" in line for line in told)


def test_a_secret_that_comes_a_little_later_is_waited_for(lab: Lab, namespace: str, administrator: Cluster) -> None:
    waits = deployment(lab.image())
    reference = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "late", "key": "key"}}}
    waits["spec"]["template"]["spec"]["containers"][0]["env"] = [reference]
    apply(lab, namespace, waits)
    told: list[str] = []

    def give() -> None:
        objects.eventually(lambda: any("CreateContainerConfigError" in line for line in told))
        lab.kubectl("--namespace", namespace, "create", "secret", "generic", "late", "--from-literal=key=value")

    giver = threading.Thread(target=give)
    giver.start()
    verdict = follow(administrator, namespace, [waits], told)
    giver.join()
    assert verdict.ready, verdict.reason


def test_a_quota_that_is_used_up_fails(
    lab: Lab, namespace: str, administrator: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workloads, "SOON", 2.0)
    lab.kubectl("--namespace", namespace, "create", "quota", "none", "--hard=pods=0")
    both = [deployment(lab.image()), workload("StatefulSet", "store", lab.image())]
    for one in both:
        apply(lab, namespace, one)
        verdict = follow(administrator, namespace, [one])
        assert verdict.outcome == "failed"
        assert "its pods cannot be created: " in verdict.reason
        assert "exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0" in verdict.reason


def test_a_pod_that_no_node_can_take_fails(
    lab: Lab, namespace: str, administrator: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pods, "ROOM", 2.0)
    large = deployment(lab.image())
    large["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"memory": "900Gi"}}
    apply(lab, namespace, large)
    verdict = follow(administrator, namespace, [large])
    assert verdict.outcome == "failed"
    assert "no node takes it: 0/1 nodes are available: 1 Insufficient memory." in verdict.reason


def test_a_job_that_fails_is_told_with_its_exit_code(lab: Lab, namespace: str, administrator: Cluster) -> None:
    failing = job(lab.image(), PROBE_EXIT_CODE="4")
    apply(lab, namespace, failing)
    verdict = follow(administrator, namespace, [failing])
    assert verdict.reason == (
        "Job migrate failed: Job has reached the specified backoff limit; app ended with exit code 4"
    )


@pytest.mark.parametrize(
    ("image", "because"),
    [("", "failed: Job has reached the specified backoff limit; app ended with exit code 4"), (":9.9.9", "not found")],
    ids=["it fails", "its image is missing"],
)
def test_a_hook_that_will_not_end_well_is_told_while_helm_still_waits(
    lab: Lab, namespace: str, administrator: Cluster, image: str, because: str
) -> None:
    hook = job(f"{lab.registry}/probe{image}" if image else lab.image(), hook="pre-upgrade", PROBE_EXIT_CODE="4")
    before = rollout.present(administrator, namespace, [hook])
    assert before == frozenset()
    apply(lab, namespace, hook)
    told: list[str] = []
    until = time.monotonic() + LIMIT
    verdict = rollout.hooks(administrator, namespace, [hook], before, until, told.append, lambda: True)
    assert verdict is not None
    assert verdict.outcome == "failed"
    assert verdict.reason.startswith("hook: Job migrate")
    assert verdict.reason.endswith(because)


def test_the_hook_of_an_earlier_release_does_not_count(lab: Lab, namespace: str, administrator: Cluster) -> None:
    hook = job(lab.image(), hook="pre-upgrade", PROBE_EXIT_CODE="4")
    apply(lab, namespace, hook)
    assert follow(administrator, namespace, [{**hook, "metadata": {"name": "migrate"}}]).outcome == "failed"
    before = rollout.present(administrator, namespace, [hook])
    assert len(before) == 1
    until = time.monotonic() + 3.0
    running = lambda: time.monotonic() < until  # noqa: E731
    told: list[str] = []
    assert rollout.hooks(administrator, namespace, [hook], before, until + LIMIT, told.append, running) is None
    assert told == []


def test_a_network_that_fails_for_a_while_changes_nothing(
    lab: Lab, namespace: str, administrator: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "PATIENCE", 0.2)
    slow = deployment(lab.image(), PROBE_READY_AFTER="4")
    told: list[str] = []
    with proxy_to(administrator) as (passing, behind):

        def disturb() -> None:
            objects.eventually(lambda: any("not ready" in line for line in told))
            passing.cut()
            objects.eventually(lambda: any("asking again" in line for line in told))
            passing.mend()

        apply(lab, namespace, slow)
        trouble = threading.Thread(target=disturb)
        trouble.start()
        verdict = follow(behind, namespace, [slow], told)
        trouble.join()
    assert verdict.ready, verdict.reason
    assert "the API server answers again" in told


def test_a_network_that_is_gone_at_the_end_leaves_no_verdict(
    lab: Lab, namespace: str, administrator: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "PATIENCE", 0.2)
    never = deployment(lab.image(), PROBE_READY_AFTER="never")
    told: list[str] = []
    with proxy_to(administrator) as (passing, behind):

        def cut() -> None:
            objects.eventually(lambda: any("not ready" in line for line in told))
            passing.cut()

        apply(lab, namespace, never)
        trouble = threading.Thread(target=cut)
        trouble.start()
        with pytest.raises(ExternalFailure, match="it is not known whether the release is up: "):
            follow(behind, namespace, [never], told, limit=15.0)
        trouble.join()


def test_an_api_server_that_is_restarted_in_the_middle_changes_nothing(
    alone: None,  # noqa: F811
    lab: Lab,
    namespace: str,
    administrator: Cluster,
) -> None:
    slow = deployment(lab.image(), PROBE_READY_AFTER="8")
    told: list[str] = []

    def restart() -> None:
        objects.eventually(lambda: any("not ready" in line for line in told))
        lab.restart("kube-apiserver")

    apply(lab, namespace, slow)
    trouble = threading.Thread(target=restart)
    trouble.start()
    verdict = follow(administrator, namespace, [slow], told)
    trouble.join()
    assert verdict.ready, verdict.reason


def account(lab: Lab, namespace: str, administrator: Cluster, resources: str, verbs: str) -> Cluster:
    """Return the cluster as an account that may do no more than this."""
    within = ("--namespace", namespace)
    lab.kubectl(*within, "create", "serviceaccount", "robot")
    lab.kubectl(*within, "create", "role", "robot", f"--verb={verbs}", f"--resource={resources}")
    lab.kubectl(*within, "create", "rolebinding", "robot", "--role=robot", f"--serviceaccount={namespace}:robot")
    token = lab.kubectl(*within, "create", "token", "robot").stdout.strip()
    return replace(administrator, token=token, certificate=None, key=None)


def test_without_the_right_to_watch_and_to_read_events_it_looks_again_and_again(
    lab: Lab, namespace: str, administrator: Cluster
) -> None:
    robot = account(lab, namespace, administrator, "deployments,replicasets,pods", "get,list")
    slow = deployment(lab.image(), PROBE_READY_AFTER="3")
    apply(lab, namespace, slow)
    told: list[str] = []
    verdict = follow(robot, namespace, [slow], told)
    assert verdict.ready, verdict.reason
    assert any(line.startswith("going on without events: ") and "may not list events" in line for line in told)


def test_without_the_right_to_read_pods_it_is_refused(lab: Lab, namespace: str, administrator: Cluster) -> None:
    robot = account(lab, namespace, administrator, "deployments,replicasets,events", "get,list,watch")
    apply(lab, namespace, deployment(lab.image()))
    with pytest.raises(Refused, match="may not list pods in the namespace"):
        follow(robot, namespace, [deployment(lab.image())])
