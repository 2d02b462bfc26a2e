"""What is told of objects that are not as declared."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jenkins_cd.argocd import differences, managed, predicted
from jenkins_cd.argocd.managed import Managed
from jenkins_cd.drift import compare
from jenkins_cd.drift.values import SERVER_FIELDS


def compared(kind: str, live: Any, target: Any, **more: Any) -> Managed:
    """Return an object as the server tells of it."""
    states = {"liveState": json.dumps(live), "normalizedLiveState": json.dumps(live)}
    states |= {"targetState": json.dumps(target), "predictedLiveState": json.dumps(target)}
    return managed.of({"kind": kind, "name": "web", **states, **more})


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


def test_items_of_lists_are_told_by_their_keys_and_values_under_a_telling_name_are_hidden() -> None:
    env = [{"name": "DB_PASSWORD", "value": "one"}, {"name": "COLOR", "value": "red"}]
    target = {"spec": {"containers": [{"name": "app", "image": "a:1", "env": env}]}}
    live = {"spec": {"containers": [{"name": "mesh"}, {"name": "app", "image": "a:2", "env": [env[1], {**env[0]}]}]}}
    live["spec"]["containers"][1]["env"][1]["value"] = "two"  # type: ignore[index]
    assert differences.lines([compared("Pod", live, target)]) == [
        "Pod/web is not as declared:",
        "  spec.containers[app].env[DB_PASSWORD].value: (hidden) → (hidden)",
        "  spec.containers[app].image: a:2 → a:1",
        '  spec.containers[mesh]: {"name":"mesh"} → nothing',
    ]


def written(field: str, manager: str) -> dict[str, Any]:
    """Return an object in which the server wrote something into one of its own fields."""
    value: list[Any] = [{"manager": manager, "operation": "Update", "fieldsV1": {}}]
    return {"kind": "Service", "metadata": {"name": "web", field: value}, "spec": {}}


@pytest.mark.parametrize("field", sorted(SERVER_FIELDS))
def test_what_the_server_writes_is_no_difference_wherever_objects_are_compared(field: str) -> None:
    live, wanted = (written(field, manager) for manager in ("kubectl-edit", "helm"))
    assert differences.lines([compared("Service", live, wanted)])[1:] == []
    assert compare.differences(wanted, live) == []
    assert compare.both_ways(wanted, live) == []
    assert predicted.diff("Service/web.yaml", live, wanted) == ""
