"""Objects as an API server of version 1.33 sends them, with what a verdict looks at."""

from __future__ import annotations

from typing import Any

from jenkins_cd.cluster.scene import Scene

Object = dict[str, Any]
OLD = "registry.local/shop@sha256:" + "a" * 64
NEW = "registry.local/shop@sha256:" + "b" * 64


def meta(name: str, owner: str = "", **more: Any) -> Object:
    owners = [{"uid": f"uid-{owner}", "controller": True}] if owner else []
    return {"name": name, "uid": f"uid-{name}", "generation": 2, "ownerReferences": owners, **more}


def conditions(**given: str | tuple[str, str, str]) -> list[Object]:
    """Return conditions: a status, or status, reason and message."""
    every = {type_: one if isinstance(one, tuple) else (one, "", "") for type_, one in given.items()}
    return [{"type": t, "status": s, "reason": r, "message": m} for t, (s, r, m) in every.items()]


def template(image: str = NEW) -> Object:
    return {"spec": {"containers": [{"name": "app", "image": image, "resources": {"limits": {"memory": "50Mi"}}}]}}


def wanted(kind: str, name: str = "shop", **spec: Any) -> Object:
    """Return an object as the release's manifest has it."""
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "spec": {"template": template(), **spec}}


def deployment(*, observed: int = 2, size: int = 2, spec: Object | None = None, **status: Any) -> Object:
    shown = {"observedGeneration": observed, **status}
    metadata = meta("shop", annotations={"deployment.kubernetes.io/revision": "7"})
    return {
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"replicas": size, "template": template(), **(spec or {})},
        "status": shown,
    }


def up(replicas: int = 2) -> Object:
    return dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), replicas)


def replica_set(name: str = "shop-new", revision: str = "7", **status: Any) -> Object:
    metadata = meta(name, "shop", annotations={"deployment.kubernetes.io/revision": revision})
    return {"kind": "ReplicaSet", "metadata": metadata, "spec": {}, "status": status}


def workload(kind: str, spec: Object | None = None, **status: Any) -> Object:
    metadata = meta("shop", annotations={"deprecated.daemonset.template.generation": "4"})
    shown = {"observedGeneration": 2, **status}
    return {"kind": kind, "metadata": metadata, "spec": {"template": template(), **(spec or {})}, "status": shown}


def container(state: Object | None = None, **more: Any) -> Object:
    image = str(more.pop("image", NEW))
    shown = state or {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    one = {"name": "app", "image": image, "imageID": image, "ready": False, "restartCount": 0, "state": shown}
    return {**one, **more}


def waiting(reason: str, message: str = "", **more: Any) -> Object:
    return container({"waiting": {"reason": reason, "message": message}}, **more)


def ended(code: int, reason: str = "Error", message: str = "") -> Object:
    return {"terminated": {"exitCode": code, "reason": reason, "message": message, "containerID": "containerd://1"}}


def crashed(restarts: int, code: int = 3, reason: str = "Error") -> Object:
    return waiting("CrashLoopBackOff", "back-off", restartCount=restarts, lastState=ended(code, reason))


def pod(name: str = "shop-new-1", owner: str = "shop-new", *states: Object, ready: bool = False, **more: Any) -> Object:
    """Return a pod; `labels`, `going`, `phase` and `conditions` may be given."""
    labels, going = more.pop("labels", {}), more.pop("going", False)
    metadata = meta(name, owner, labels=labels)
    if going:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    containers = list(states) or [container(ready=ready)]
    image = containers[0]["image"]
    status = {
        "phase": more.pop("phase", "Running"),
        "conditions": conditions(Ready=str(ready), **more.pop("conditions", {})),
        "containerStatuses": containers,
        **more,
    }
    return {"kind": "Pod", "metadata": metadata, "spec": template(image)["spec"], "status": status}


def unplaced(message: str) -> Object:
    return pod(phase="Pending", conditions={"PodScheduled": ("False", "Unschedulable", message)})


def event(
    about: Object, reason: str, message: str = "", count: int = 1, second: int = 0, type_: str = "Warning"
) -> Object:
    name = f"{about['metadata']['name']}.{reason}.{second}.{abs(hash(message))}"
    return {
        "kind": "Event",
        "metadata": {"name": name, "uid": name, "resourceVersion": str(100 + second)},
        "involvedObject": {
            "kind": about["kind"],
            "name": about["metadata"]["name"],
            "uid": about["metadata"]["uid"],
        },
        "type": type_,
        "reason": reason,
        "message": message,
        "count": count,
        "lastTimestamp": f"2026-01-01T00:00:{second:02d}Z",
    }


def coming(*pods_and_events: Object, **status: Any) -> Scene:
    """Return a Deployment of which nothing is up yet, with these pods."""
    shown = {"replicas": 2, "updatedReplicas": 1, "unavailableReplicas": 1, **status}
    return Scene.of([deployment(**shown), replica_set(), *pods_and_events])
