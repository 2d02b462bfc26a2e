"""The client on a real API server: what its double only claims."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from jenkins_cd.errors import BadInput
from jenkins_cd.tools import kubernetes, kubernetes_kinds
from jenkins_cd.tools.kubernetes import Cluster
from jenkins_cd.tools.kubernetes_kinds import Resource
from tests.lab.lab import Lab


@pytest.fixture
def maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


def named(name: str, **data: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"mine": "yes"}},
        "data": data,
    }


def test_what_is_created_is_read_listed_and_deleted(administrator: Cluster, maps: str) -> None:
    assert kubernetes.get(administrator, f"{maps}/a") is None
    for name in "abc":
        kubernetes.post(administrator, maps, named(name, colour="blue"))
    assert (kubernetes.get(administrator, f"{maps}/a") or {})["data"] == {"colour": "blue"}
    found = kubernetes.list_(administrator, maps, labelSelector="mine=yes", limit="2")
    assert [(one["kind"], one["metadata"]["name"]) for one in found.items] == [("ConfigMap", name) for name in "abc"]
    assert kubernetes.delete(administrator, f"{maps}/a", {"preconditions": {"uid": found.items[0]["metadata"]["uid"]}})
    assert kubernetes.delete(administrator, f"{maps}/a") is None


def test_a_dry_run_says_what_the_server_would_make_and_makes_nothing(administrator: Cluster, maps: str) -> None:
    assert kubernetes.post(administrator, maps, named("a"), dryRun="All")["metadata"]["uid"]
    assert kubernetes.get(administrator, f"{maps}/a") is None


def test_what_is_applied_is_made_and_a_field_of_somebody_else_is_taken_only_by_force(
    administrator: Cluster, maps: str
) -> None:
    for manager, colour in (("first", "blue"), ("first", "red")):
        kubernetes.apply(administrator, f"{maps}/a", named("a", colour=colour), fieldManager=manager)
    with pytest.raises(kubernetes.Conflict, match="first"):
        kubernetes.apply(administrator, f"{maps}/a", named("a", colour="green"), fieldManager="second")
    kubernetes.apply(administrator, f"{maps}/a", named("a", colour="green"), fieldManager="second", force="true")
    rehearsed = kubernetes.apply(administrator, f"{maps}/b", named("b"), fieldManager="second", dryRun="All")
    assert rehearsed["metadata"]["uid"]
    assert [one["data"] for one in kubernetes.list_(administrator, maps, labelSelector="mine=yes").items] == [
        {"colour": "green"}
    ]


def test_refusals_have_their_classes(administrator: Cluster, maps: str) -> None:
    kubernetes.post(administrator, maps, named("a"))
    with pytest.raises(kubernetes.Conflict) as caught:
        kubernetes.post(administrator, maps, named("a"))
    assert caught.value.reason == "AlreadyExists"
    with pytest.raises(BadInput, match="RFC 1123"):
        kubernetes.post(administrator, maps, named("No Name"))
    with pytest.raises(kubernetes.Absent, match='namespaces "no-such-place" not found'):
        kubernetes.post(administrator, "/api/v1/namespaces/no-such-place/configmaps", named("a"))
    with pytest.raises(BadInput, match="does not accept the credential"):
        kubernetes.get(replace(administrator, token="expired"), maps)
    with pytest.raises(BadInput, match="certificate verify failed"):
        kubernetes.get(replace(administrator, ca=None), maps)


def test_a_watch_tells_what_changes_after_the_listing(administrator: Cluster, maps: str) -> None:
    since = kubernetes.list_(administrator, maps).resource_version
    kubernetes.post(administrator, maps, named("a"))
    kubernetes.delete(administrator, f"{maps}/a")
    changes = kubernetes.watch(administrator, maps, since, 30, labelSelector="mine=yes")
    seen = [next(changes) for _ in range(2)]
    assert [(one["type"], one["object"]["metadata"]["name"]) for one in seen] == [("ADDED", "a"), ("DELETED", "a")]
    with pytest.raises(kubernetes.Expired):
        list(kubernetes.watch(administrator, maps, "1", 5))


def test_logs_are_read_followed_to_the_end_and_none_of_a_run_that_never_was(
    lab: Lab, administrator: Cluster, namespace: str
) -> None:
    environment = [{"name": "PROBE_PRINT", "value": "good morning"}, {"name": "PROBE_EXIT_CODE", "value": "0"}]
    container = {"name": "app", "image": lab.image(), "env": environment}
    pod = {"metadata": {"name": "once"}, "spec": {"containers": [container], "restartPolicy": "Never"}}
    pods = f"/api/v1/namespaces/{namespace}/pods"
    assert kubernetes.logs(administrator, namespace, "once") is None
    since = kubernetes.list_(administrator, pods).resource_version
    kubernetes.post(administrator, pods, pod)
    for change in kubernetes.watch(administrator, pods, since, 60):
        if change["object"]["status"].get("phase") == "Succeeded":
            break
    assert any("good morning" in line for line in kubernetes.follow_logs(administrator, namespace, "once"))
    assert "good morning" in (kubernetes.logs(administrator, namespace, "once", "app", tail=50) or "")
    assert kubernetes.logs(administrator, namespace, "once", previous=True) is None


def test_the_table_of_kinds_says_what_the_server_says(administrator: Cluster) -> None:
    differs = []
    for api_version, resource, kind in _served(administrator):
        if resource.group == "argoproj.io":  # the lab's Argo CD is no part of Kubernetes
            continue
        known = kubernetes_kinds.builtin(api_version, kind)
        if known is not None and known != resource:
            differs.append((known, resource))
        assert known or resource.group.endswith("k8s.io") or kind in ("Binding", "ComponentStatus"), kind
    assert differs == []


def _served(cluster: Cluster) -> Iterator[tuple[str, Resource, str]]:
    groups = kubernetes.get(cluster, "/apis") or {}
    for api_version in ("v1", *(version["groupVersion"] for one in groups["groups"] for version in one["versions"])):
        base = "/apis" if "/" in api_version else "/api"
        for one in (kubernetes.get(cluster, f"{base}/{api_version}") or {})["resources"]:
            if "/" not in one["name"]:
                group = kubernetes_kinds.group(api_version)
                yield api_version, Resource(group, one["name"], one["namespaced"]), one["kind"]


@pytest.mark.usefixtures("alone")
def test_reading_goes_on_over_a_restart_of_the_api_server_and_a_watch_goes_on_or_says_to_list_again(
    lab: Lab, administrator: Cluster, maps: str
) -> None:
    patient = replace(administrator, patience=60)
    looks, names, restarted = list[bool](), list[str](), threading.Event()

    def look() -> None:
        while not restarted.is_set():
            looks.append(kubernetes.get(patient, f"{maps}/none") is None)

    def follow() -> None:
        while not names:
            found = kubernetes.list_(patient, maps, labelSelector="mine=yes")
            names.extend(one["metadata"]["name"] for one in found.items)
            try:
                for change in () if names else kubernetes.watch(patient, maps, found.resource_version, 60):
                    names.append(change["object"]["metadata"]["name"])
                    break
            except kubernetes.Expired:
                continue

    threads = [threading.Thread(target=work) for work in (look, follow)]
    for thread in threads:
        thread.start()
    lab.restart("kube-apiserver")
    restarted.set()
    kubernetes.post(patient, maps, named("after"))
    for thread in threads:
        thread.join(60)
    assert (names, all(looks), len(looks) > 1) == (["after"], True, True)
