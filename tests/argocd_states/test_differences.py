"""What is told of objects that are not as declared."""

from __future__ import annotations

import json
from typing import Any

from jenkins_cd.argocd import differences


def compared(kind: str, live: Any, target: Any, **more: Any) -> dict[str, Any]:
    states = {"normalizedLiveState": json.dumps(live), "predictedLiveState": json.dumps(target)}
    return {"kind": kind, "name": "web", "targetState": json.dumps(target), **states, **more}


def test_each_field_that_differs_is_a_line_and_what_the_server_writes_is_none() -> None:
    live = {"spec": {"replicas": 2, "list": [{"image": "a"}]}, "metadata": {"generation": 2}, "status": {"x": 1}}
    target = {"spec": {"replicas": 1, "list": [{"image": "b"}], "paused": True}, "metadata": {"generation": 1}}
    assert differences.lines([compared("Deployment", live, target)]) == [
        "Deployment/web is not as declared:",
        "  spec.list[0].image: a → b",
        "  spec.paused: nothing → true",
        "  spec.replicas: 2 → 1",
    ]


def test_what_is_the_same_or_a_hook_is_not_told() -> None:
    same = compared("Service", {"spec": {}}, {"spec": {}})
    assert differences.lines([same, compared("Job", {"a": 1}, {"a": 2}, hook=True)]) == []


def test_of_a_secret_nothing_is_shown() -> None:
    found = differences.lines([compared("Secret", {"data": {"key": "b25l"}}, {"data": {"key": "dHdv"}})])
    assert found == ["Secret/web is not as declared:", "  a Secret: what differs is not shown"]


def test_what_is_missing_and_what_is_too_many() -> None:
    assert differences.lines([compared("Service", None, {"spec": {}})]) == ["Service/web is declared and is not there"]
    assert differences.lines([compared("Service", {"spec": {}}, None)]) == ["Service/web is there and is not declared"]


def test_many_fields_are_counted() -> None:
    live, target = ({"data": {f"k{number}": text for number in range(20)}} for text in "ab")
    found = differences.lines([compared("ConfigMap", live, target)])
    assert found[-1] == "  and 12 more"
    assert len(found) == 10
