"""What counts as drift, and what does not: objects as a real API server wrote them, and small ones made for a case."""

from __future__ import annotations

import base64
import copy
import gzip
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd.drift import compare, values
from jenkins_cd.drift.compare import Object
from jenkins_cd.drift.owners import owners
from jenkins_cd.drift.paths import Key, show
from jenkins_cd.drift.release import HelmRelease, decode
from jenkins_cd.errors import ExternalFailure

RECORDED = Path(__file__).parent / "data" / "drift"
CONTAINER = "spec.template.spec.containers[probe]"


def recorded(helm: str) -> tuple[HelmRelease, dict[str, Object]]:
    """Return a release as Helm stored it, and its objects by kind after people have changed them with kubectl."""
    found = json.loads((RECORDED / f"{helm}.json").read_text(encoding="utf-8"))
    return decode(found["secret"]), {one["kind"]: one for one in found["live"]}


def manifest(release: HelmRelease, kind: str) -> Object:
    return next(one for one in release.manifests if one["kind"] == kind)


def told(wanted: Object, live: Object, **more: bool) -> dict[str, tuple[str, str, str]]:
    """Return what differs by field: what kind of a difference, wanted, live."""
    found = compare.changes(compare.differences(wanted, live, **more), live)
    return {one.field: (one.kind, one.wanted, one.live) for one in found}


def differs(wanted: Any, live: Any) -> list[str]:
    """Return the fields of two `spec`s that differ."""
    one, other = ({"kind": "Thing", "metadata": {"name": "x"}, "spec": spec} for spec in (wanted, live))
    return [show(each.path) for each in compare.differences(one, other)]


@pytest.mark.parametrize("helm", ["helm3", "helm4"])
def test_each_change_of_a_recorded_object_is_told_and_nothing_else(helm: str) -> None:
    release, live = recorded(helm)
    seen = told(manifest(release, "Deployment"), live["Deployment"])
    images = [seen[f"{CONTAINER}.image"][index].rpartition("@")[0] for index in (1, 2)]
    assert images == ["registry.local:5000/probe"] * 2
    del seen[f"{CONTAINER}.image"]
    assert seen == {
        "spec.replicas": ("changed", "1", "2"),
        f"{CONTAINER}.env[GREETING]": ("removed", '{"name":"GREETING","value":"hello"}', ""),
        f"{CONTAINER}.env[DEBUG]": ("added", "", '{"name":"DEBUG","value":"1"}'),
        f"{CONTAINER}.resources.limits.cpu": ("changed", "1000m", "2"),
    }
    assert told(manifest(release, "Service"), live["Service"]) == {
        "spec.ports[81]": ("removed", '{"name":"admin","port":81,"protocol":"TCP","targetPort":8080}', "")
    }
    assert told(manifest(release, "Secret"), live["Secret"]) == {"data.password": ("changed", "(hidden)", "(hidden)")}


@pytest.mark.parametrize("helm", ["helm3", "helm4"])
def test_whoever_changed_a_recorded_object_is_named(helm: str) -> None:
    release, live = recorded(helm)
    differences = compare.differences(manifest(release, "Deployment"), live["Deployment"])
    found = {one.field: one for one in compare.changes(differences, live["Deployment"])}
    assert found[f"{CONTAINER}.image"].by == "kubectl-set"
    assert (found[f"{CONTAINER}.image"].at or datetime.min).tzinfo == timezone.utc
    assert found["spec.replicas"].by == "kubectl"
    assert (found[f"{CONTAINER}.env[GREETING]"].by, found[f"{CONTAINER}.env[GREETING]"].at) == ("", None)


def test_the_replicas_of_what_an_autoscaler_scales_are_its_own() -> None:
    release, live = recorded("helm4")
    assert "spec.replicas" not in told(manifest(release, "Deployment"), live["Deployment"], scaled=True)
    scaler = {"kind": "HorizontalPodAutoscaler", "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "shop"}}}
    assert compare.scaled([scaler, {"kind": "Service"}]) == {"Deployment/shop"}


@pytest.mark.parametrize(
    ("wanted", "live"),
    [
        ({"limits": {"cpu": "1000m"}}, {"limits": {"cpu": "1"}}),
        ({"limits": {"cpu": 0.5}}, {"limits": {"cpu": "500m"}}),
        ({"limits": {"memory": "1024Mi"}}, {"limits": {"memory": "1Gi"}}),
        ({"limits": {"memory": "1e3"}}, {"limits": {"memory": "1k"}}),
        ({"ports": [{"port": 80, "targetPort": "8080"}]}, {"ports": [{"port": 80, "targetPort": 8080}]}),
        ({"ports": [{"port": 80}]}, {"ports": [{"port": 80, "protocol": "TCP", "nodePort": 30001}]}),
        ({"clusterIP": "", "ports": []}, {"clusterIP": "10.0.0.1"}),
        ({"env": [{"name": "A"}, {"name": "B"}]}, {"env": [{"name": "B"}, {"name": "C"}, {"name": "A"}]}),
        ({"hostNetwork": False, "minReadySeconds": 0, "tolerations": [], "a": {"b": {}}}, {}),
        ({"command": None}, {"command": ["sh"]}),
        ({"template": {"metadata": {"creationTimestamp": None}}}, {"template": {"metadata": {}}}),
        ({"a": True, "b": 1.0}, {"a": True, "b": 1}),
    ],
)
def test_another_way_to_say_the_same_is_no_drift(wanted: Any, live: Any) -> None:
    assert differs(wanted, live) == []


@pytest.mark.parametrize(
    ("wanted", "live", "fields"),
    [
        ({"limits": {"cpu": "1000m"}}, {"limits": {"cpu": "1001m"}}, ["spec.limits.cpu"]),
        ({"limits": {"cpu": "1"}}, {"limits": {}}, ["spec.limits.cpu"]),
        ({"labels": {"requests": "1000m"}}, {"labels": {"requests": "1"}}, ["spec.labels.requests"]),
        ({"labels": {"a/b": ""}}, {"labels": {}}, ["spec.labels[a/b]"]),
        ({"hostNetwork": False}, {"hostNetwork": True}, ["spec.hostNetwork"]),
        ({"enabled": True}, {"enabled": 1}, ["spec.enabled"]),
        ({"clusterIP": "None"}, {"clusterIP": "10.0.0.1"}, ["spec.clusterIP"]),
        ({"args": ["a", "b"]}, {"args": ["b", "a"]}, ["spec.args[0]", "spec.args[1]"]),
        ({"args": ["a", "b"]}, {"args": ["a"]}, ["spec.args"]),
        ({"ports": [{"port": 80}]}, {"ports": [{"port": 80, "protocol": "UDP"}]}, ["spec.ports[80]"]),
        ({"env": [{"name": "A"}, {"name": "A"}]}, {"env": [{"name": "A"}]}, ["spec.env"]),
        ({"a": {"b": 1}}, {"a": "text"}, ["spec.a"]),
        ({"a": {"b": 1}}, {"a": None}, ["spec.a"]),
    ],
)
def test_what_means_something_else_is_drift(wanted: Any, live: Any, fields: list[str]) -> None:
    assert differs(wanted, live) == fields


def test_what_the_server_and_controllers_write_is_not_looked_at() -> None:
    wanted = {
        "apiVersion": "v1",
        "kind": "Thing",
        "metadata": {
            "name": "x",
            "namespace": "a",
            "resourceVersion": "1",
            "annotations": {"deployment.kubernetes.io/revision": "1", "team": "a"},
        },
        "status": {"ready": True},
    }
    live = {"kind": "Thing", "metadata": {"annotations": {"deployment.kubernetes.io/revision": "7", "team": "b"}}}
    assert list(told(wanted, live)) == ["metadata.annotations.team"]


def owned(manager: str, fields: Any, time: str = "2026-01-02T03:04:05Z", **more: str) -> dict[str, Any]:
    return {"manager": manager, "time": time, "fieldsV1": fields, **more}


def managed(spec: Any, *entries: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "Thing", "metadata": {"name": "x", "managedFields": list(entries)}, "spec": spec}


SIDECAR: dict[str, Any] = {"f:spec": {"f:containers": {'k:{"name":"spy"}': {".": {}, "f:name": {}, "f:image": {}}}}}


def test_a_part_that_somebody_added_is_told_once_and_as_a_whole() -> None:
    wanted = managed({"containers": [{"name": "app"}]})
    live = managed(
        {"containers": [{"name": "app"}, {"name": "spy", "image": "spy:1"}]},
        owned("helm", {}),
        owned("kubectl-edit", SIDECAR),
    )
    assert told(wanted, live) == {"spec.containers[spy]": ("added", "", '{"image":"spy:1","name":"spy"}')}


@pytest.mark.parametrize("manager", ["istio-operator", "vault-agent-injector", "kube-controller-manager", "helm-4"])
def test_what_a_controller_or_helm_added_is_no_drift(manager: str) -> None:
    live = managed({"containers": [{"name": "spy", "image": "spy:1"}]}, owned("helm", {}), owned(manager, SIDECAR))
    assert told(managed({}), live) == {}


def test_what_a_part_of_kubernetes_itself_changed_is_no_drift_and_what_another_controller_changed_is() -> None:
    fields: dict[str, Any] = {"f:spec": {"f:caBundle": {}}}
    for manager, seen in (("cert-manager-cainjector", []), ("kustomize-controller", ["spec.caBundle"])):
        live = managed({"caBundle": "b"}, owned("helm", {}), owned(manager, fields))
        assert list(told(managed({"caBundle": "a"}), live)) == seen


def test_the_last_one_who_set_a_field_is_named_also_where_he_set_the_whole_around_it() -> None:
    live = managed(
        {"args": ["b"]},
        owned("helm", {"f:spec": {"f:args": {}}}, "2026-01-04T00:00:00Z"),
        owned("first", {"f:spec": {"f:args": {}}}, "2026-01-02T00:00:00Z"),
        owned("second", {"f:spec": {"f:args": {}}}, "2026-01-03T00:00:00Z"),
        owned("other", {"f:spec": {"f:image": {}}}, "2026-01-05T00:00:00Z"),
    )
    [change] = compare.changes(compare.differences(managed({"args": ["a"]}), live), live)
    assert (change.field, change.by, change.at) == ("spec.args[0]", "second", datetime(2026, 1, 3, tzinfo=timezone.utc))


def test_an_object_that_helm_has_no_part_in_any_more_is_compared_by_the_manifest_alone() -> None:
    live = managed({"a": 2, "defaulted": True}, owned("kubectl-create", {"f:spec": {"f:a": {}, "f:defaulted": {}}}))
    assert told(managed({"a": 1}), live) == {"spec.a": ("changed", "1", "2")}
    assert told(managed({"a": 1}), managed({"a": 2})) == {"spec.a": ("changed", "1", "2")}


def test_what_the_server_writes_the_same_way_is_no_drift() -> None:
    wanted, live = managed({"mode": "ON", "size": 1}), managed({"mode": "Enabled", "size": 2})
    found = compare.differences(wanted, live)
    assert [show(one.path) for one in found] == ["spec.mode", "spec.size"]
    written = managed({"mode": "Enabled", "size": 1})
    assert [show(one.path) for one in compare.confirmed(found, written, live)] == ["spec.size"]


def secret(**data: str) -> dict[str, Any]:
    encoded = {name: base64.b64encode(value.encode()).decode() for name, value in data.items()}
    return {"kind": "Secret", "metadata": {"name": "x"}, "data": encoded}


def test_a_secret_is_compared_and_never_shown() -> None:
    live = secret(password="hunter2", key="same")
    wanted = {**secret(key="same"), "stringData": {"password": "hunter1"}}
    assert told(wanted, live) == {"data.password": ("changed", "(hidden)", "(hidden)")}
    assert told({**secret(), "stringData": {"password": "hunter2", "key": "same"}}, live) == {}
    assert told(secret(gone="x"), {"kind": "Secret", "metadata": {}}) == {"data": ("removed", "(hidden)", "")}
    wrapped = copy.deepcopy(live)
    wrapped["data"]["key"] += "\n"
    assert told(wrapped, live) == {}


def test_text_that_is_named_like_a_secret_is_not_shown_either() -> None:
    item = {"name": "DB_PASSWORD", "value": "hunter2"}
    path = ("spec", "env", Key((("name", "DB_PASSWORD"),)))
    assert values.shown(item, path, "Pod") == '{"name":"DB_PASSWORD","value":"(hidden)"}'
    assert values.shown("hunter2", (*path, "value"), "Pod") == "(hidden)"
    assert "hunter2" not in values.shown({"env": [item]}, ("spec",), "Pod")
    assert "hunter2" not in values.shown({"api-key": "hunter2"}, ("data",), "ConfigMap")
    assert values.shown({"name": "db", "key": "password"}, ("spec", "secretKeyRef"), "Pod") != "(hidden)"


def test_a_release_is_read_as_helm_wrote_it() -> None:
    release, _ = recorded("helm4")
    assert (release.name, release.revision, release.chart, release.version) == ("storefront", 1, "storefront", "1.4.0")
    assert [one["kind"] for one in release.manifests].count("PodDisruptionBudget") == 1  # from a List
    assert release.hooks == {"ConfigMap/storefront-hook"}
    assert release.deployed
    assert release.deployed.tzinfo


def stored(content: bytes) -> dict[str, Any]:
    return {"metadata": {"name": "s"}, "data": {"release": base64.b64encode(base64.b64encode(content)).decode()}}


@pytest.mark.parametrize(
    "broken",
    [
        {"metadata": {"name": "s"}},
        {"metadata": {"name": "s"}, "data": {"release": "!"}},
        stored(b"\x1f\x8b broken"),
        stored(gzip.compress(b"[]")),
        stored(gzip.compress(b"{}")),
        stored(b'{"name": "x", "version": 1, "info": {}, "chart": {"metadata": {"name": "x", "version": "1"}}, '
               b'"manifest": "a: [", "hooks": null}'),
    ],
)  # fmt: skip
def test_a_secret_that_holds_no_release_is_an_error_that_shows_nothing_of_it(broken: Object) -> None:
    with pytest.raises(ExternalFailure, match="the Secret s holds no release"):
        decode(broken)


def test_an_object_without_managed_fields_has_no_owners() -> None:
    assert owners({}) == []
    stray = {"kind": "Service", "metadata": {"name": "copy", "creationTimestamp": "2026-01-02T03:04:05Z"}}
    change = compare.stray(stray)
    assert (change.object, change.kind, change.by) == ("Service/copy", "extra", "")
    assert change.at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
