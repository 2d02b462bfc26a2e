"""What a Kubernetes API server promises of what stands at a path, and of what else it answers.

https://kubernetes.io/docs/reference/using-api/api-concepts/.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypedDict

from msgspec import Meta

from jenkins_cd.tools.kubernetes_objects import Claim, Event, Kinded, Pod, Secret, Service, Workload

Moment = Annotated[datetime, Meta(tz=True)]


class Version(TypedDict):
    """What `/version` tells."""

    major: str
    minor: str


class _Resource(TypedDict):
    name: str
    kind: str
    namespaced: bool


class Resources(TypedDict):
    """The kinds of an API's version."""

    resources: list[_Resource]


class Groups(TypedDict):
    """The API groups that there are, at `/apis`."""

    groups: list[dict[str, Any]]


class _Token(TypedDict):
    token: str
    expirationTimestamp: Moment


class Token(TypedDict):
    """The answer to a TokenRequest."""

    status: _Token


class _Allowed(TypedDict):
    allowed: bool


class Review(TypedDict):
    """The answer to a SelfSubjectAccessReview."""

    status: _Allowed


class AnyReview(TypedDict):
    """The answer to a review of another kind. Nothing is stored of one, so it has no name."""

    status: dict[str, Any]


class _Bookmark(TypedDict):
    resourceVersion: str


class Bookmark(TypedDict):
    """What a watch tells now and then: how far it has come."""

    metadata: _Bookmark


class Change(TypedDict):
    """A line of a watch."""

    type: str
    object: dict[str, Any]


class Status(TypedDict, total=False):
    """What became of a request: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/."""

    code: int | None
    message: str | None
    reason: str | None


_Page = TypedDict("_Page", {"continue": str | None, "resourceVersion": str | None}, total=False)


class _Listing(TypedDict):
    items: list[dict[str, Any]] | None


class Listing(_Listing, total=False):
    """A page of a collection; `of_object` says of what."""

    apiVersion: str
    kind: str
    metadata: _Page | None


_BY_RESOURCE: Mapping[str, Any] = {
    "daemonsets": Workload,
    "deployments": Workload,
    "events": Event,
    "jobs": Workload,
    "persistentvolumeclaims": Claim,
    "pods": Pod,
    "replicasets": Workload,
    "secrets": Secret,
    "selfsubjectaccessreviews": Review,
    "services": Service,
    "statefulsets": Workload,
}


def of_object(path: str) -> Any:
    """Return the shape of what stands at a path, or is sent back for what is posted there."""
    if path == "/version":
        return Version
    parts = path.strip("/").split("/")
    if parts == ["apis"]:
        return Groups
    rest = parts[2:] if parts[0] == "api" else parts[3:]  # /api/v1/… or /apis/GROUP/VERSION/…
    if not rest:
        return Resources
    if rest[-1] == "token" and "serviceaccounts" in rest:
        return Token
    if rest[0] == "namespaces" and len(rest) > 2:
        rest = rest[2:]
    return _BY_RESOURCE.get(rest[0], AnyReview if rest[0].endswith("reviews") else Kinded)
