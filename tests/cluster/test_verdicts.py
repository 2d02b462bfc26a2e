"""What will not come up is a verdict of the model `helm` within seconds, whichever Helm has applied it."""

from __future__ import annotations

from typing import Any

import pytest

from jenkins_cd.cluster import pods, workloads
from jenkins_cd.delivery import helm
from tests.cluster.pushed import APP, App


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workloads, "SOON", 2.0)
    monkeypatch.setattr(pods, "ROOM", 2.0)


def pod(image: str, **more: Any) -> dict[str, Any]:
    """Return what is the spec of a pod or of a Job's pods."""
    return {"restartPolicy": "Never", "containers": [{"name": "main", "image": image, **more}]}


def test_a_quota_that_is_used_up(pushed: App) -> None:
    pushed.lab.kubectl("-n", pushed.namespace, "create", "quota", "none", "--hard=pods=0")
    followed = pushed.deploy("1.0.0")
    assert not followed.reached
    assert "exceeded quota: none" in followed.reason


def test_a_pod_that_no_node_takes(pushed: App) -> None:
    large = pod(pushed.lab.image(), resources={"requests": {"memory": "900Gi"}})
    pushed.says(extra=[{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "large"}, "spec": large}])
    followed = pushed.deploy("1.0.0")
    assert not followed.reached
    assert "no node takes it" in followed.reason


def test_a_job_that_fails(pushed: App) -> None:
    template = {"spec": pod(pushed.lab.image(), env=[{"name": "PROBE_EXIT_CODE", "value": "4"}])}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "load"}}
    pushed.says(extra=[{**job, "spec": {"backoffLimit": 0, "template": template}}])
    followed = pushed.deploy("1.0.0")
    assert not followed.reached
    assert "Job load failed" in followed.reason
    assert "exit code 4" in followed.reason


def test_a_probe_that_never_passes_is_told_at_the_end_of_the_time_it_has(pushed: App) -> None:
    pushed.rules(timeout="12s")
    pushed.says(env=[{"name": "PROBE_READY_AFTER", "value": "never"}])
    followed = pushed.deploy("1.0.0")
    assert not followed.reached
    assert "0 of 1 new pods ready" in followed.reason
    evidence = helm.diagnose(pushed.target, pushed.release("1.0.0"), followed)
    assert "Readiness probe failed" in evidence


def test_an_image_that_somebody_else_has_put_there_is_not_the_release(pushed: App) -> None:
    commit = pushed.apply("1.0.0")
    other = pushed.lab.image("1.0.1")
    pushed.lab.kubectl("-n", pushed.namespace, "set", "image", f"deployment/{APP}", f"app={other}")
    followed = helm.follow(pushed.target, pushed.release("1.0.0"), commit)
    assert not followed.reached
    assert f"runs {other.partition('@')[2]}, not {pushed.lab.image('1.0.0').partition('@')[2]}" in followed.reason
