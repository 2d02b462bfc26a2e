"""What of an Application counts as drift, and who did it: objects as a real server compared them."""

from __future__ import annotations

import json

import pytest

from jenkins_cd.argocd import managed
from jenkins_cd.argocd.app_drift import compared
from jenkins_cd.argocd.managed import Managed
from tests.argocd_states import recorded

CONTAINER = "spec.template.spec.containers[app]"


@pytest.fixture(scope="module")
def drifted() -> dict[tuple[str, str], tuple[str, str, str, str]]:
    """What differs, by object and field: its kind, wanted, live, and by whom."""
    found = compared(recorded.items("drifted"), None)
    assert not found.newer
    return {(one.object, one.field): (one.kind, one.wanted, one.live, one.by) for one in found.changes}


def test_each_change_by_hand_is_told_with_who_made_it(
    drifted: dict[tuple[str, str], tuple[str, str, str, str]],
) -> None:
    images = drifted.pop(("Deployment/web", f"{CONTAINER}.image"))
    assert images[0] == "changed"
    assert images[3] == "kubectl-set"
    assert drifted == {
        ("ConfigMap/conf", "data.color"): ("changed", "blue", "red", "kubectl-patch"),
        ("ConfigMap/conf", "data.more"): ("added", "", "x", "kubectl-patch"),
        ("Secret/key", "data.password"): ("changed", "(hidden)", "(hidden)", "kubectl-patch"),
        ("Service/late", ""): ("missing", "", "", ""),
        ("Deployment/web", "spec.replicas"): ("changed", "1", "2", "kubectl"),
        ("Deployment/web", f"{CONTAINER}.env[BYHAND]"): ("added", "", '{"name":"BYHAND","value":"1"}', "kubectl-set"),
    }


def test_when_it_was_changed_is_known() -> None:
    changes = compared(recorded.items("drifted"), None).changes
    assert all(one.at for one in changes if one.by and one.field != "spec.replicas"), "kubectl scale leaves no time"


def test_what_a_newer_commit_wants_is_no_drift() -> None:
    before = managed.by_key(json.loads(one) for one in recorded.said("newer")["manifests"])
    found = compared(recorded.items("newer"), before)
    assert found.newer == ["ConfigMap/web", "Secret/key"], "another text, and the Secret is not declared any more"
    assert {(one.object, one.field) for one in found.changes} == {
        ("ConfigMap/conf", "data.color"),
        ("ConfigMap/conf", "data.more"),
        ("Deployment/web", "spec.replicas"),
        ("Deployment/web", f"{CONTAINER}.image"),
        ("Deployment/web", f"{CONTAINER}.env[BYHAND]"),
    }


def test_an_object_that_the_newer_commit_brings_is_not_missing_and_one_that_was_deleted_is() -> None:
    manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "late"}, "spec": {}}
    item = Managed(group="", kind="Service", name="late", declared=manifest)
    assert compared([item], {}).newer == ["Service/late"]
    assert [one.kind for one in compared([item], {item.key: manifest}).changes] == ["missing"]


def test_an_object_that_nobody_declares_is_extra_unless_a_newer_commit_dropped_it() -> None:
    live = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "old"}}
    item = Managed(group="", kind="Service", name="old", live=live, compared=live)
    assert [one.kind for one in compared([item], None).changes] == ["extra"]
    assert compared([item], {item.key: live}).newer == ["Service/old"]


def test_what_the_application_ignores_is_not_looked_at() -> None:
    declared = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 1}}
    live = {**declared, "spec": {"replicas": 7}}
    ignored = {**declared, "spec": {}}  # as normalizedLiveState and predictedLiveState have it
    item = Managed(
        group="apps", kind="Deployment", name="web", declared=declared, live=live, compared=ignored, predicted=ignored
    )
    assert compared([item], None).changes == []


def test_the_server_s_text_becomes_objects_and_null_is_none() -> None:
    item = managed.of({"kind": "Service", "name": "late", "liveState": "null", "targetState": '{"kind": "Service"}'})
    assert (item.live, item.compared, item.predicted) == (None, None, {"kind": "Service"})
    assert managed.key_of({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}}) == (
        "apps",
        "Deployment",
        "x",
    )
