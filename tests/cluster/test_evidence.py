"""Evidence of rollouts that failed on a real cluster: what a person reads in the build."""

from __future__ import annotations

import json
from dataclasses import replace

from jenkins_cd.cluster import evidence, rollout
from jenkins_cd.tools.kubernetes import Cluster
from tests.cluster import objects
from tests.cluster.objects import apply, deployment, follow, job
from tests.lab.lab import Lab

PASSWORD = "correct-horse-battery"


def test_a_crash_loop_shows_states_events_and_the_log_of_the_run_that_crashed(
    lab: Lab, namespace: str, administrator: Cluster
) -> None:
    good = deployment(lab.image(), name="good")
    says = f"cannot reach the database with {PASSWORD}"
    bad = deployment(lab.image("1.0.1"), PROBE_EXIT_CODE="3", PROBE_PRINT=says)
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "shop"},
        "stringData": {"password": PASSWORD},
    }
    apply(lab, namespace, good, bad, secret)
    assert follow(administrator, namespace, [bad]).outcome == "failed"
    assert follow(administrator, namespace, [good]).ready
    shown = evidence.diagnose(administrator, namespace, [good, bad, secret])
    lines = shown.splitlines()
    assert lines[0] == "Deployment shop: 0 of 1 new pods ready"
    assert "app crashed with exit code 3; restarts: 2" in lines[1]
    assert "Deployment good" not in shown, "what is up is no evidence"
    events = lines[lines.index("events (UTC):") + 1 :]
    assert any("Warning BackOff Pod shop-" in line and line.endswith(" times)") for line in events)
    assert "  │ cannot reach the database with ****" in lines
    assert f"    app ({lab.image('1.0.1')}): waiting, CrashLoopBackOff" in shown
    assert PASSWORD not in shown


def test_events_come_newest_last(lab: Lab, namespace: str, administrator: Cluster) -> None:
    missing = deployment(f"{lab.registry}/probe:9.9.9")
    apply(lab, namespace, missing)
    follow(administrator, namespace, [missing])
    shown = evidence.diagnose(administrator, namespace, [missing])
    lines = [line for line in shown.partition("events (UTC):\n")[2].splitlines() if line.startswith("  ")]
    times = [line.split()[0] for line in lines]
    assert times == sorted(times)
    assert "ScalingReplicaSet" in lines[0]
    assert any("Failed to pull image" in line for line in lines)
    assert "log of" not in shown, "it has never run"


def test_a_container_that_runs_again_shows_the_log_of_the_run_before_too(
    lab: Lab, namespace: str, administrator: Cluster
) -> None:
    flaky = deployment(lab.image(), PROBE_READY_AFTER="never", PROBE_PRINT="a run")
    container = flaky["spec"]["template"]["spec"]["containers"][0]
    container["livenessProbe"] = {"httpGet": {"path": "/none", "port": 8080}, "periodSeconds": 1, "failureThreshold": 1}
    container["livenessProbe"]["initialDelaySeconds"] = 2
    apply(lab, namespace, flaky)

    def restarted() -> bool:
        every = json.loads(lab.kubectl("--namespace", namespace, "get", "pods", "--output=json").stdout)["items"]
        states = [one for pod in every for one in pod["status"].get("containerStatuses", ())]
        return any(one["restartCount"] and "running" in one["state"] for one in states)

    objects.eventually(restarted)
    shown = evidence.diagnose(administrator, namespace, [flaky])
    assert ", app, the run before (last 30 lines):" in shown
    assert "Liveness probe failed" in shown


def test_a_hook_that_failed_shows_its_log(lab: Lab, namespace: str, administrator: Cluster) -> None:
    hook = job(lab.image(), hook="pre-install", PROBE_EXIT_CODE="4", PROBE_PRINT="table shop is locked")
    gone = job(lab.image(), hook="post-install", name="gone")
    apply(lab, namespace, hook)
    objects.eventually(lambda: _failed(administrator, namespace, hook))
    shown = evidence.diagnose(administrator, namespace, [hook, gone])
    assert shown.startswith("Job migrate: it failed: Job has reached the specified backoff limit")
    assert "  │ table shop is locked" in shown.splitlines()
    assert "gone" not in shown, "Helm removes hooks that have ended well"


def test_what_cannot_be_read_is_said(lab: Lab, namespace: str, administrator: Cluster) -> None:
    stranger = replace(administrator, token="nobody-knows-it", certificate=None, key=None)
    shown = evidence.diagnose(stranger, namespace, [deployment(lab.image())])
    assert "cannot be read" in shown
    assert "does not accept the credential" in shown


def _failed(cluster: Cluster, namespace: str, hook: objects.Object) -> bool:
    from jenkins_cd.cluster import mirror, workloads

    scene = mirror.read(cluster, namespace, rollout.kinds_of([hook]), lambda _text: None)
    return bool(workloads.assess(hook, scene).failures)
