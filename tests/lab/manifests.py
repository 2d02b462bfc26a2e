"""Objects for the lab's cluster, as JSON that kubectl takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

PORT = 8080


def container(image: str, env: Mapping[str, str]) -> dict[str, Any]:
    """Return a container of the probe app that is ready once /health says so."""
    return {
        "name": "probe",
        "image": image,
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "ports": [{"containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": PORT}, "periodSeconds": 1},
    }


def pod(name: str, image: str, *, restart: str = "Never", memory: str = "", **env: str) -> str:
    """Return a pod of the probe app, which behaves as `env` says; `memory` is its limit, as in 32Mi."""
    one = container(image, env)
    if memory:
        one["resources"] = {"limits": {"memory": memory}}
    spec = {"restartPolicy": restart, "terminationGracePeriodSeconds": 1, "containers": [one]}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": _named(name), "spec": spec})


def deployment(name: str, image: str, *, replicas: int = 1, **env: str) -> str:
    """Return a Deployment of the probe app."""
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container(image, env)]}},
    }
    return json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _named(name), "spec": spec})


def service(name: str) -> str:
    """Return a Service with a node port, which the machine reaches on 127.0.0.1."""
    spec = {"type": "NodePort", "selector": {"app": name}, "ports": [{"port": 80, "targetPort": PORT}]}
    return json.dumps({"apiVersion": "v1", "kind": "Service", "metadata": _named(name), "spec": spec})


def _named(name: str) -> dict[str, Any]:
    return {"name": name, "labels": {"app": name}}
