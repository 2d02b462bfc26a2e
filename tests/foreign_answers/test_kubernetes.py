from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd.cluster import (
    access,
    evidence,
    live_images,
    log_streams,
    permission,
    pod_logs,
    pods,
    rollout,
    workloads,
)
from jenkins_cd.cluster.scene import Scene
from jenkins_cd.config.types import HelmTarget
from jenkins_cd.delivery import helm_site, rollback_record
from jenkins_cd.drift import compare, live, owners, release
from jenkins_cd.errors import JenkinsCdError
from jenkins_cd.tools import kubernetes, kubernetes_kinds
from jenkins_cd.tools.helm_release import Place
from jenkins_cd.tools.kubernetes import Cluster
from jenkins_cd.tools.kubernetes_failures import Right
from tests.foreign_answers.foreign import Foreign, Reply, mutations, right, strangest, wrong
from tests.foreign_answers.samples import AT, EVENT, METADATA, POD, listing, workload

Call = Callable[[Cluster], Any]
CORE, APPS = "/api/v1/namespaces/shop", "/apis/apps/v1/namespaces/shop"
RIGHT = Right(user="ci", verb="get", resource="pods", group="", namespace="shop")
LABELS = {"jenkins-cd/revision": "3", "version": "3", "status": "deployed"}
SHOP = pod_logs.Place(target=HelmTarget(), namespace="shop", release="web")
SECRET = {"metadata": {**METADATA, "labels": LABELS}, "data": {"release": "e30="}}


def judged(kind: str, *objects: Any) -> None:
    """Look at a namespace as a deployment does that follows its rollout, and as its evidence does."""
    scene = Scene.of([POD, {"kind": "Event", **EVENT}, *objects])
    scene.remember_the_well()
    wanted = [one for one in (workload(kind), POD) if workloads.followed(one)]
    course = rollout.Course(wanted, {}, lambda _text: None)
    course.look(scene, time.monotonic())
    course.late(scene)
    list(evidence._states(wanted, evidence._shown(wanted, scene), scene))
    list(evidence._events([*evidence._family(wanted, scene), *scene.all("Pod")], scene))
    for pod in scene.all("Pod"):
        pods.phrase(pod, scene)
        list(log_streams.sources(pod))
        list(evidence._container_states(pod))
    live_images.differences([(one, workloads.assess(one, scene)) for one in wanted], {})


def listed(kind: str, path: str) -> Call:
    """Return what lists a kind and looks at what is there."""

    def call(cluster: Cluster) -> None:
        judged(kind, *({**one, "kind": kind} for one in kubernetes.list_(cluster, path).items))

    return call


def drifted(cluster: Cluster) -> None:
    found = kubernetes.get(cluster, f"{APPS}/deployments/web") or {}
    compare.changes(compare.differences(workload("Deployment"), found, False), found)
    known = owners.owners(found)
    for owner in known:
        list(owners.leaves(owner))
    owners.changed_by(known, ("spec", "replicas"))
    live._claims(found, "web", "shop")


def watched(cluster: Cluster) -> None:
    for number, event in enumerate(kubernetes.watch(cluster, f"{CORE}/pods", "1", 0.02)):
        judged("Pod", {**event["object"], "kind": "Pod"})
        if number > 3:  # the same is told for ever
            return


def place(cluster: Cluster) -> Place:
    return Place(name="web", namespace="shop", kubeconfig=Path(cluster.server), checks_fields=False)


def recorded(cluster: Cluster) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cluster, "of", staticmethod(lambda _file: cluster))
        return rollback_record.labels(place(cluster), 3)


DOCUMENTS: dict[str, tuple[Call, Any]] = {
    "get": (drifted, {**workload("Deployment"), "metadata": METADATA}),
    "version": (helm_site._checks_fields.__wrapped__, {"major": "1", "minor": "33+"}),
    "pods": (listed("Pod", f"{CORE}/pods"), listing(POD)),
    "events": (listed("Event", f"{CORE}/events"), listing(EVENT)),
    "claims": (
        listed("PersistentVolumeClaim", f"{CORE}/persistentvolumeclaims"),
        listing(workload("PersistentVolumeClaim")),
    ),
    "services": (listed("Service", f"{CORE}/services"), listing(workload("Service"))),
    **{
        f"{kind}s": (listed(kind, f"{APPS}/{kind.lower()}s"), listing(workload(kind)))
        for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job")
    },
    "kinds": (
        lambda cluster: kubernetes_kinds._served.__wrapped__(cluster, "x.io/v1").get("Thing"),
        {"resources": [{"name": "things", "kind": "Thing", "namespaced": True}]},
    ),
    "token": (
        lambda cluster: access._token(cluster, "ci", 600),
        {"kind": "TokenRequest", "status": {"token": "a-token-of-ci", "expirationTimestamp": AT}},
    ),
    "secret": (lambda cluster: access._secret(cluster, 600), {**listing(SECRET), **SECRET}),
    "review": (lambda cluster: permission._allowed(cluster, RIGHT), {"status": {"allowed": True}}),
    "records": (recorded, listing(SECRET)),
    "releases": (lambda cluster: release.stored(cluster, "shop", "web"), listing(SECRET)),
    "strays": (
        lambda cluster: live.Namespace(cluster, "shop").strays("web", (), frozenset()),
        listing({"metadata": METADATA}),
    ),
    "log sources": (lambda cluster: pod_logs.find(cluster, SHOP), listing(POD)),
    "apply": (lambda cluster: kubernetes.apply(cluster, f"{CORE}/pods/web-1", POD), POD),
    "delete": (lambda cluster: kubernetes.delete(cluster, f"{CORE}/pods/web-1"), {"kind": "Status", "code": 200}),
}
TEXTS: dict[str, Call] = {
    "watch": watched,
    "logs": lambda cluster: kubernetes.logs(cluster, "shop", "web-1"),
    "follow": lambda cluster: list(kubernetes.follow_logs(cluster, "shop", "web-1")),
}
PASSES = {"an error in spite of 200": ("delete",)}  # what may be told is anything


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_an_api_server_never_answers_is_one_failure_that_names_it(server: Foreign, name: str) -> None:
    call, document = DOCUMENTS[name]
    cluster = Cluster(server=server.url, namespace="shop", patience=0)
    for what, reply in wrong(document).items():
        server.reply = reply
        if reply.status >= 400 or name in PASSES.get(what, ()):
            assert strangest(lambda: call(cluster)) is None, what
            continue
        with pytest.raises(JenkinsCdError) as caught:
            raise AssertionError(f"{what}: {call(cluster)}")
        assert "127.0.0.1" in caught.value.message, what
        assert caught.value.exit_code == 3, what


@pytest.mark.parametrize("name", DOCUMENTS)
def test_one_thing_wrong_in_an_answer_is_a_failure_or_no_matter(answered: Callable[[Reply], None], name: str) -> None:
    call, document = DOCUMENTS[name]
    cluster = Cluster(server="http://cluster.invalid", namespace="shop", patience=0)
    for what, changed in mutations(document):
        answered(right(changed))
        assert strangest(lambda: call(cluster)) is None, what


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_no_document_is_read_with_the_same_care(server: Foreign, name: str) -> None:
    cluster = Cluster(server=server.url, patience=0)
    for what, reply in wrong({"type": "ADDED", "object": POD}).items():
        server.reply = reply
        assert strangest(lambda: TEXTS[name](cluster)) is None, what


@pytest.mark.parametrize("kind", ["ADDED", "BOOKMARK", "ERROR", "SOMETHING"])
def test_one_thing_wrong_in_a_watch_is_a_failure_or_no_matter(answered: Callable[[Reply], None], kind: str) -> None:
    inner = {"code": 410, "message": "no", "reason": "Expired"} if kind == "ERROR" else POD
    cluster = Cluster(server="http://cluster.invalid", patience=0)
    for what, changed in _some(mutations({"type": kind, "object": inner})):
        answered(right(json.dumps(changed).encode() + b"\n"))
        assert strangest(lambda: watched(cluster)) is None, what


def test_a_list_that_goes_on_with_itself_ends(answered: Callable[[Reply], None]) -> None:
    answered(right({**listing(POD), "metadata": {"continue": "more"}}))
    with pytest.raises(JenkinsCdError, match="goes on with itself"):
        kubernetes.list_(Cluster(server="http://cluster.invalid"), f"{CORE}/pods")


def _some(changes: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield one in seven: a watch takes its time."""
    return (one for number, one in enumerate(changes) if number % 7 == 0)
