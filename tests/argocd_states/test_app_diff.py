"""What a sync would change: of what Git declares as Argo CD says it, of other manifests as it is worked out here."""

from __future__ import annotations

import copy
from typing import Any

from jenkins_cd.argocd import app_diff, predicted
from jenkins_cd.argocd.managed import Managed
from tests.argocd_states import recorded


def changed(text: str) -> list[str]:
    """Return the lines of a diff that are not as they were."""
    return [line for line in text.splitlines() if line[:1] in "+-"]


def manifests(scene: str) -> list[dict[str, Any]]:
    """Return what is declared, as Helm would render it: without what Argo CD adds."""
    found = [copy.deepcopy(dict(one.declared)) for one in recorded.items(scene) if one.declared]
    for one in found:
        del one["metadata"]["namespace"], one["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"]
    return found


def applied(wanted: dict[str, Any], declared: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    return predicted.merged(wanted, declared, live)


def test_each_object_that_a_sync_would_change_is_shown_and_no_other() -> None:
    text = app_diff.shown(recorded.items("drifted"))
    assert changed(text)[:4] == [
        "--- live/ConfigMap/conf.yaml",
        "+++ wanted/ConfigMap/conf.yaml",
        "-  color: red",
        "+  color: blue",
    ]
    assert "-  replicas: 2\n+  replicas: 1\n" in text
    assert "--- /dev/null\n+++ wanted/Service/late.yaml\n" in text
    assert "ConfigMap/web" not in text
    assert "status" not in text
    assert "managedFields" not in text


def test_values_of_secrets_are_hidden_and_that_they_differ_is_said() -> None:
    text = app_diff.shown(recorded.items("drifted"))
    assert '-  password: (hidden)\n+  password: "(hidden), another one"\n   user: (hidden)\n' in text
    assert "++++" not in text


def test_what_is_worked_out_for_the_same_manifests_is_what_argo_cd_says() -> None:
    items = recorded.items("drifted")
    known = [one for one in items if one.kind != "Secret"]  # whether its values differ only Argo CD knows
    worked_out = app_diff.planned(known, [one for one in manifests("drifted") if one["kind"] != "Secret"], prune=True)
    said, found = changed(app_diff.shown(known)), changed(app_diff.shown(worked_out))
    added = [line for line in said if line not in found]
    assert [line for line in found if line not in said] == []
    assert added == [  # what it adds to an object that is not there yet
        "+    argocd.argoproj.io/tracking-id: shop-web:/Service:shop/late",
        "+  namespace: shop",
    ]


def test_another_version_changes_what_it_says_otherwise_and_drops_what_it_does_not_say() -> None:
    wanted = [one for one in manifests("drifted") if one["kind"] == "ConfigMap"]
    wanted[0]["data"] = {"color": "green"}
    items = app_diff.planned(recorded.items("drifted"), wanted, prune=True)
    text = app_diff.shown(items)
    assert '-  color: red\n+  color: green\n   more: x\n-  size: "1"\n' in text, "what somebody added stays"
    assert "--- live/Deployment/web.yaml\n+++ /dev/null\n" in text
    assert "Deployment" not in app_diff.shown(app_diff.planned(recorded.items("drifted"), wanted, prune=False))


def test_items_of_lists_are_told_by_their_keys() -> None:
    live = {"containers": [{"name": "app", "image": "a:1", "pullPolicy": "Always"}, {"name": "mesh", "image": "m:1"}]}
    declared = {"containers": [{"name": "app", "image": "a:1"}, {"name": "old", "image": "o:1"}]}
    wanted = {"containers": [{"name": "new", "image": "n:1"}, {"name": "app", "image": "a:2"}]}
    assert applied(wanted, declared, live) == {
        "containers": [
            {"name": "app", "image": "a:2", "pullPolicy": "Always"},
            {"name": "mesh", "image": "m:1"},
            {"name": "new", "image": "n:1"},
        ]
    }


def test_another_spelling_of_the_same_is_no_change() -> None:
    live = {"limits": {"cpu": "1", "memory": "1Gi"}, "args": ["a"]}
    assert applied({"limits": {"cpu": "1000m", "memory": "1024Mi"}, "args": ["a"], "empty": []}, {}, live) == live


def test_null_takes_a_field_away_and_a_list_without_keys_is_replaced() -> None:
    assert applied({"a": None, "args": ["b"]}, {}, {"a": 1, "b": 2, "args": ["a", "c"]}) == {"b": 2, "args": ["b"]}


def test_what_the_application_ignores_stays_as_it_is() -> None:
    declared = {"kind": "Deployment", "spec": {"replicas": 1, "paused": True}}
    wanted = predicted.heeded({"kind": "Deployment", "spec": {"replicas": 3}}, declared, {"spec": {"paused": True}})
    assert wanted == {"spec": {}}, "replicas, and the kind that this prediction does not have"


def test_a_value_under_a_telling_name_is_hidden_too() -> None:
    env = [{"name": "DB_PASSWORD", "value": "one"}, {"name": "COLOR", "value": "red"}]
    before = {"kind": "Pod", "spec": {"containers": [{"name": "app", "env": env}]}}
    after = copy.deepcopy(before)
    after["spec"]["containers"][0]["env"][0]["value"] = "two"  # type: ignore[index]
    text = predicted.diff("Pod/x.yaml", before, after)
    assert "one" not in changed(text)[2]
    assert changed(text)[2:] == ["-      value: (hidden)", '+      value: "(hidden), another one"']


def test_an_object_that_is_neither_there_nor_wanted_is_passed_over() -> None:
    assert app_diff.shown([Managed(group="", kind="Service", name="x")]) == ""
