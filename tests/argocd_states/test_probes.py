"""A pod that runs and never gets ready: what its state does not say, its events do."""

from __future__ import annotations

from typing import Any

from jenkins_cd.argocd import evidence
from jenkins_cd.argocd.evidence import Evidence
from jenkins_cd.argocd.nodes import Node
from jenkins_cd.argocd.pod_evidence import Told

POD = Node(kind="Pod", name="web-1", uid="1", health="Progressing", ready="0/1", status_reason="Running")
PROBE = "Startup probe failed: HTTP probe failed with statuscode: 500"


def event(reason: str, message: str, at: str, pod: str = POD.name) -> dict[str, Any]:
    """Return a warning that was seen three times."""
    about = {"kind": "Pod", "name": pod}
    times = {"lastTimestamp": f"2026-01-01T{at}Z", "count": 3}
    return {
        "metadata": {"name": at},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "involvedObject": about,
    } | times


def told(*events: dict[str, Any]) -> list[str]:
    """Return the lines of the evidence of that pod."""
    pod = Told(node=POD, states=("app: runs, but is not ready",), logs=())
    return evidence.text(Evidence(page="https://argocd.local", nodes=(POD,), pods=(pod,), events=events)).splitlines()


def test_the_probe_that_fails_is_told_of_the_pod_and_not_again_among_the_events() -> None:
    lines = told(event("BackOff", "Back-off restarting", "10:00:00"), event("Unhealthy", PROBE, "10:00:01"))
    at = lines.index("  app: runs, but is not ready")
    assert lines[at + 1] == f"  {PROBE} (3 times)"
    assert sum(PROBE in line for line in lines) == 1
    assert "  10:00:00 BackOff Pod/web-1: Back-off restarting (3 times)" in lines


def test_only_the_newest_of_them_is_the_cause_and_earlier_ones_stay_events() -> None:
    earlier = "0/1 nodes are available"
    lines = told(event("FailedScheduling", earlier, "10:00:00"), event("Unhealthy", PROBE, "10:00:01"))
    assert f"  {PROBE} (3 times)" in lines
    assert f"  10:00:00 FailedScheduling Pod/web-1: {earlier} (3 times)" in lines


def test_what_happens_to_another_pod_is_none_of_its_causes() -> None:
    lines = told(event("Unhealthy", PROBE, "10:00:01", pod="web-0"))
    assert f"  {PROBE} (3 times)" not in lines
    assert f"  10:00:01 Unhealthy Pod/web-0: {PROBE} (3 times)" in lines
