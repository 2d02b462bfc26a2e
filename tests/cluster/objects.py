"""Objects to deploy on the lab: its probe app, told by its environment how to behave."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from jenkins_cd.cluster import rollout
from jenkins_cd.cluster.rollout import Verdict
from jenkins_cd.tools import process
from jenkins_cd.tools.kubernetes import Cluster
from tests.lab.lab import Lab

Object = dict[str, Any]
LIMIT = 90.0  # seconds that nothing here should take
_VERSIONS = {"Job": "batch/v1", "Pod": "v1"}


def pod_spec(image: str, **environment: str) -> Object:
    container = {
        "name": "app",
        "image": image,
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 1},
    }
    return {"terminationGracePeriodSeconds": 1, "containers": [container]}


def workload(kind: str, name: str, image: str, spec: Object | None = None, **environment: str) -> Object:
    """Return a Deployment, StatefulSet or DaemonSet."""
    labels = {"app": name, "app.kubernetes.io/instance": name}
    template = {"metadata": {"labels": labels}, "spec": pod_spec(image, **environment)}
    extra = {"serviceName": name} if kind == "StatefulSet" else {}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template, **extra, **(spec or {})},
    }


def deployment(image: str, spec: Object | None = None, name: str = "shop", **environment: str) -> Object:
    return workload("Deployment", name, image, spec, **environment)


def job(image: str, *, hook: str = "", retries: int = 0, name: str = "migrate", **environment: str) -> Object:
    """Return a Job of one container, as a hook of Helm where that is given."""
    spec = pod_spec(image, **environment)
    del spec["containers"][0]["readinessProbe"]
    spec["restartPolicy"] = "Never"
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "annotations": {"helm.sh/hook": hook} if hook else {}},
        "spec": {"backoffLimit": retries, "template": {"spec": spec}},
    }


def once(image: str, *arguments: str) -> Object:
    """Return a Job that runs the probe app once, with arguments."""
    made = job(image, name="once")
    made["spec"]["template"]["spec"]["containers"][0]["args"] = list(arguments)
    return made


def apply(lab: Lab, namespace: str, *objects: Object) -> None:
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    lab.kubectl("--namespace", namespace, "apply", "--filename", "-", stdin=listed)


def follow(
    cluster: Cluster,
    namespace: str,
    objects: Sequence[Object],
    told: list[str] | None = None,
    limit: float = LIMIT,
) -> Verdict:
    """Follow a rollout; what is told is added to `told`."""
    lines: list[str] = [] if told is None else told
    return rollout.follow(cluster, namespace, objects, time.monotonic() + limit, lines.append)


def eventually(true: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < deadline, "it never came to that"
        process.pause(0.05)
