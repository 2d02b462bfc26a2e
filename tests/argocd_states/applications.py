"""Applications as a server tells of them, as a test wants them."""

from __future__ import annotations

import copy
from typing import Any

URL = "https://git.local/shop/deploy.git"
PLACE = "dev/shop/storefront"
SOURCE = {"repoURL": URL, "path": PLACE, "targetRevision": "main"}
AT = "2026-01-02T03:04:{:02d}Z"


def application(revision: str, **more: Any) -> dict[str, Any]:
    """Return one that is Synced and Healthy at a revision, compared at second 10."""
    app: dict[str, Any] = {
        "metadata": {"name": "shop-storefront-dev", "resourceVersion": "100"},
        "spec": {"project": "shop", "source": copy.deepcopy(SOURCE)},
        "status": {
            "sync": {"status": "Synced", "revision": revision, "comparedTo": {"source": copy.deepcopy(SOURCE)}},
            "health": {"status": "Healthy"},
            "reconciledAt": AT.format(10),
        },
    }
    return merged(app, more)


def ended(phase: str, revision: str = "", *, token: str = "", at: int = 5, **more: Any) -> dict[str, Any]:
    """Return the state of an operation that is over, finished at a second."""
    operation: dict[str, Any] = {"sync": {"revision": revision}, "initiatedBy": {"username": "ci"}}
    if token:
        operation["info"] = [{"name": "jenkins-cd", "value": token}]
    state = {"operation": operation, "phase": phase, "startedAt": AT.format(1), "finishedAt": AT.format(at)}
    return {**state, "syncResult": {"revision": revision}, **more}


def running(revision: str = "", *, token: str = "", by: str = "ci", **state: Any) -> dict[str, Any]:
    """Return what an application has besides while an operation is under way; without a state it is only asked for."""
    operation: dict[str, Any] = {"sync": {"revision": revision}, "initiatedBy": {"username": by}}
    if token:
        operation["info"] = [{"name": "jenkins-cd", "value": token}]
    found: dict[str, Any] = {"operation": operation}
    if state:
        begun = {"operation": operation, "phase": "Running", "startedAt": AT.format(1)}
        found["status"] = {"operationState": {**begun, **state}}
    return found


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return one with the other's keys over it, at every depth."""
    result = dict(one)
    for key, value in other.items():
        inner = result.get(key)
        result[key] = merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return result
