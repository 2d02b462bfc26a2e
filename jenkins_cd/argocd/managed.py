"""What Git declares of an Application, and what lives in the cluster of it, as Argo CD compares them.

`managed-resources` gives four states of each object as JSON text (`v1alpha1ResourceDiff` of the API's swagger.json):
what is declared, what lives, that without what `ignoreDifferences` names, and what a sync would make of it. The values
of Secrets are plus signs, more of them where a value differs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from jenkins_cd.argocd.states import Object
from jenkins_cd.tools import argocd_applications
from jenkins_cd.tools.argocd import Ref, Server
from jenkins_cd.tools.argocd_failures import Absent, Rejected

Key = tuple[str, str, str]  # group, kind, name


@dataclass(frozen=True, kw_only=True)
class Managed:
    """One object; a state that there is none of is None."""

    group: str
    kind: str
    name: str
    namespace: str = ""
    declared: Object | None = None
    live: Object | None = None
    compared: Object | None = None  # the live one without what is ignored
    predicted: Object | None = None  # what a sync would make of that
    hook: bool = False

    @property
    def key(self) -> Key:
        """Return what it is known by within a namespace."""
        return self.group, self.kind, self.name

    @property
    def title(self) -> str:
        """Return what people call it."""
        return f"{self.kind}/{self.name}"


def read(server: Server, ref: Ref) -> tuple[Managed, ...]:
    """Return every object of an Application. Raises as argocd_applications does."""
    return tuple(of(one) for one in argocd_applications.managed(server, ref))


def of(item: Object) -> Managed:
    """Return an object from what the server says of it."""
    live, declared = _loaded(item.get("liveState")), _loaded(item.get("targetState"))
    return Managed(
        group=str(item.get("group") or ""),
        kind=str(item.get("kind") or ""),
        name=str(item.get("name") or ""),
        namespace=str(item.get("namespace") or ""),
        declared=declared,
        live=live,
        compared=(_loaded(item.get("normalizedLiveState")) or live) if live else None,
        predicted=(_loaded(item.get("predictedLiveState")) or declared) if declared else None,
        hook=bool(item.get("hook")),
    )


def key_of(manifest: Object) -> Key:
    """Return the key of an object as it is declared."""
    group, slash, _ = str(manifest.get("apiVersion") or "").rpartition("/")
    return group if slash else "", str(manifest.get("kind")), str((manifest.get("metadata") or {}).get("name"))


def synced(server: Server, ref: Ref, revision: str) -> dict[Key, Object]:
    """Return what Argo CD renders of a commit, by key."""
    return by_key(json.loads(one) for one in argocd_applications.manifests(server, ref, revision))


def by_key(manifests: Iterable[Object]) -> dict[Key, Object]:
    """Return objects by key; the last of several in different namespaces counts."""
    return {key_of(one): one for one in manifests}


def live_object(server: Server, ref: Ref, node: Object) -> Object | None:
    """Return the live object that a node of the resource tree stands for, None where it has just gone."""
    try:
        return argocd_applications.live(server, ref, node)
    except (Absent, Rejected):  # it is told as an invalid argument that it does not belong to the Application any more
        return None


def _loaded(text: object) -> Object | None:
    found = json.loads(str(text)) if text else None
    return found if isinstance(found, dict) else None
