"""Every delivery model judges a failing pod alike, whether the API server tells of it or Argo CD does."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from jenkins_cd.argocd import tree
from jenkins_cd.cluster import pods
from jenkins_cd.cluster.pod_failure import CREATE, NEVER, PULL, PULL_GRACE, PodFailure, is_final, pull_cause
from jenkins_cd.cluster.scene import Scene
from tests.delivery import states
from tests.delivery.states import Object

IMAGE = "registry.local/shop/web:1.4.0"
CREATED = "2026-01-02T03:04:05Z"
PULLING = f'rpc error: code = Unknown desc = failed to pull and unpack image "{IMAGE}": '
PULLING += f'failed to resolve reference "{IMAGE}": '
FOR_GOOD = [
    f"{IMAGE}: not found",
    "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope",
    "denied: requested access to the resource is denied",
    "requested access to the resource is denied",
    "unauthorized: incorrect username or password",
    "unauthorized: access to the requested resource is not authorized",
    "failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized",
    "unexpected status from HEAD request to https://registry.local/v2/shop/web/manifests/1.4.0: 403 Forbidden",
    "reading manifest 1.4.0 in registry.local/shop/web: manifest unknown",
    "no basic auth credentials",
    "no match for platform in manifest: not found",
    "registry.local/shop/geofence:1.4.0: not found",
]
FOR_NOW = [
    'failed to do request: Head "https://registry.local/v2/shop/web/manifests/1": dial tcp 10.0.0.1:443: i/o timeout',
    "failed to do request: dial tcp: lookup registry.local on 10.96.0.10:53: no such host",
    "dial tcp 10.0.0.1:443: host not found",
    "dial tcp 10.0.0.1:443: connect: permission denied",
    'Get "https://registry.local/v2/": EOF',
    'Get "https://registry.local/v2/": net/http: TLS handshake timeout',
    "read tcp 10.0.0.2:41: read: connection reset by peer",
    "toomanyrequests: You have reached your pull rate limit",
    "unexpected status from HEAD request to https://registry.local/v2/access-denied/manifests/1: 503 Unavailable",
    "registry.local/shop/unauthorized:1.4.0: unexpected status 500",
]


def pod_with(waiting: Object, *, init: bool = False) -> Object:
    """Return a pod of which one container waits, as the API server has it."""
    found = states.pod("web-1", "", waiting, phase="Pending")
    if init:
        found["status"]["initContainerStatuses"] = found["status"].pop("containerStatuses")
    return found


def told_by_argo_cd(pod: Object, *, job: bool = False) -> Object:
    """Return a resource tree with that pod, as the application controller words its state."""
    first = pod["status"].get("initContainerStatuses")
    (container,) = first or pod["status"]["containerStatuses"]
    waiting, restarts = container["state"]["waiting"], container["restartCount"]
    info = [{"name": "Status Reason", "value": f"{'Init:' if first else ''}{waiting['reason']}"}]
    info += [{"name": "Restart Count", "value": str(restarts)}] if restarts else []
    node = {
        "kind": "Pod",
        "name": pod["metadata"]["name"],
        "uid": pod["metadata"]["uid"],
        "createdAt": CREATED,
        "health": {"status": "Degraded", "message": waiting["message"]},
        "images": [container["image"]],
        "info": info,
        "parentRefs": [{"uid": "job"}] if job else [],
    }
    above = {"kind": "Job", "name": "migrate", "uid": "job", "createdAt": CREATED, "health": {"status": "Progressing"}}
    return {"nodes": [node, *([above] if job else [])]}


def judged(pod: Object, *, job: bool = False) -> tuple[PodFailure | None, PodFailure | None]:
    """Return what a pod comes to for the model `helm`, and for `argocd`."""
    nodes = tree.read(told_by_argo_cd(pod, job=job))
    found = tree.failures(nodes, datetime(2026, 1, 2, tzinfo=timezone.utc))
    return pods.failure(pod, Scene.of([pod]), crashes=not job), next(iter(found.values()), None)


def alike(pod: Object, *, job: bool = False) -> PodFailure | None:
    """Return what a pod comes to, for the one model as for the other."""
    helm, argocd = judged(pod, job=job)
    assert (helm and (helm.cause, helm.grace)) == (argocd and (argocd.cause, argocd.grace))
    return helm


def waits(reason: str, message: str = "", **more: Any) -> Object:
    return states.waiting(reason, message, image=IMAGE, **more)


@pytest.mark.parametrize("init", [False, True])
@pytest.mark.parametrize("reason", sorted(PULL))
@pytest.mark.parametrize(
    ("cause", "final"), [*((cause, True) for cause in FOR_GOOD), *((cause, False) for cause in FOR_NOW)]
)
def test_what_a_registry_says_counts_the_same_in_every_model(reason: str, cause: str, final: bool, init: bool) -> None:
    layers = f'Back-off pulling image "{IMAGE}": ErrImagePull: {PULLING}' if reason == "ImagePullBackOff" else PULLING
    pod = pod_with(waits(reason, f"{layers}{cause}"), init=init)
    found = alike(pod)
    assert found is not None
    assert (found.cause, found.final) == ("ImagePull", final)
    why = f"{IMAGE} cannot be pulled: {pull_cause(cause)}"
    assert all(failure is not None and why in failure.text for failure in judged(pod))


@pytest.mark.parametrize("reason", sorted(PULL))
def test_a_pull_of_which_nothing_is_told_has_the_same_time_in_every_model(reason: str) -> None:
    found = alike(pod_with(waits(reason, f'Back-off pulling image "{IMAGE}"')))
    assert found is not None
    assert found.grace == PULL_GRACE


@pytest.mark.parametrize("restarts", [0, 1, 2, 9])
@pytest.mark.parametrize("job", [False, True])
@pytest.mark.parametrize("reason", sorted(NEVER | CREATE - {"RunContainerError"}))
def test_what_can_never_be_pulled_is_final_and_what_cannot_be_created_is_tried_again(
    reason: str, job: bool, restarts: int
) -> None:
    found = alike(pod_with(waits(reason, 'secret "keys" not found', restartCount=restarts)), job=job)
    assert found is not None
    assert (found.cause, found.final) == (reason, reason in NEVER)


@pytest.mark.parametrize(
    ("reason", "restarts", "job", "cause", "final"),
    [
        ("CrashLoopBackOff", 1, False, None, False),
        ("CrashLoopBackOff", 2, False, "CrashLoop", True),
        ("CrashLoopBackOff", 9, False, "CrashLoop", True),
        ("CrashLoopBackOff", 9, True, None, False),
        ("RunContainerError", 0, False, "RunContainerError", False),
        ("RunContainerError", 1, False, "RunContainerError", False),
        ("RunContainerError", 2, False, "CrashLoop", True),
        ("RunContainerError", 9, True, "RunContainerError", False),
        ("ContainerCreating", 0, False, None, False),
        ("PodInitializing", 0, False, None, False),
    ],
)
def test_how_often_a_container_may_crash_is_the_same_in_every_model(
    reason: str, restarts: int, job: bool, cause: str | None, final: bool
) -> None:
    message = "back-off 20s restarting failed container=app pod=web-1_shop(1)"
    found = alike(pod_with(waits(reason, message, restartCount=restarts)), job=job)
    assert (found and found.cause) == cause
    assert bool(found and found.final) == final


def test_a_crash_of_which_no_restart_is_told_is_final_in_no_model() -> None:
    helm, argocd = judged(pod_with(waits("CrashLoopBackOff")))
    assert helm is None
    assert argocd is not None
    assert not argocd.final


def test_the_name_of_an_image_says_nothing_of_what_the_registry_said() -> None:
    assert not is_final('failed to do request: Head "https://registry.local/v2/not found/denied": 503')
    assert not is_final("registry.local/forbidden:1: unexpected status 503")
    assert is_final("registry.local/shop/geofence@sha256:abc: not found")


def test_what_the_registry_said_is_left_whole() -> None:
    assert pull_cause("denied: requested access to the resource is denied").startswith("denied: ")
    assert pull_cause(f"{PULLING}{IMAGE}: not found") == "not found"
    assert pull_cause(f"{IMAGE}: unexpected status 503") == f"{IMAGE}: unexpected status 503"
