"""What belongs to an Application as it is recorded, drawn and told. Nothing is asked here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from jenkins_cd.argocd import states
from jenkins_cd.argocd.ailments import failures as failures
from jenkins_cd.argocd.nodes import Node as Node
from jenkins_cd.argocd.nodes import key
from jenkins_cd.argocd.nodes import read as read
from jenkins_cd.argocd.states import Object
from jenkins_cd.model import Resource as Resource
from jenkins_cd.report import outline
from jenkins_cd.report.text import clean, shown

LINES = 30  # of a tree in text
COLUMNS = 100
MOST = 120  # resources that are kept of a tree
LONGEST = 400  # characters that are kept of a message
_UNINTERESTING = frozenset({"ControllerRevision", "Endpoints", "EndpointSlice", "PodMetrics"})  # where they are well


def resources(nodes: Sequence[Node], app: Object | None = None) -> tuple[Resource, ...]:
    """Return what is recorded and drawn: not what is well and of no interest, and no more than MOST, the sick first.

    With the Application it comes first itself, and what is not as declared is told.
    """
    parents = {uid for one in nodes for uid in one.parents}
    latest = {uid: max(one.age for one in nodes if uid in one.parents and one.revision) for uid in _revised(nodes)}
    told = [one for one in nodes if not _is_noise(one, parents, latest)]
    sync = _sync_of(app) if app else {}
    uids = {one.uid for one in told}
    found = [_resource(one, next((uid for uid in one.parents if uid in uids), ""), sync) for one in told]
    root = (_application(app),) if app else ()
    return (*root, *outline.worst(found, MOST))


def text(nodes: Sequence[Node], root: str, app: Object | None = None) -> str:
    """Return the tree for people, no more than LINES, the sick first; `root` is the Application's name."""
    return "\n".join(outline.lines(resources(nodes, app), root, LINES, COLUMNS))


def _revised(nodes: Iterable[Node]) -> set[str]:
    return {uid for one in nodes if one.revision for uid in one.parents}


def _is_noise(node: Node, parents: set[str], latest: Mapping[str, tuple[int, datetime]]) -> bool:
    if node.health not in ("", "Healthy") or node.uid in parents:
        return False
    earlier = node.kind == "ReplicaSet" and any(node.age < latest[uid] for uid in node.parents if uid in latest)
    return earlier or node.kind in _UNINTERESTING


def _sync_of(app: Object) -> dict[str, str]:
    return {key(one): str(one.get("status") or "") for one in states.resources(app)}


def _resource(node: Node, parent: str, sync: Mapping[str, str]) -> Resource:
    place = "/".join((node.group, node.kind, node.namespace, node.name))
    return Resource(
        uid=node.uid,
        kind=node.kind,
        name=node.name,
        namespace=node.namespace,
        group=node.group,
        parent=parent,
        health=node.health,
        sync=sync.get(place, ""),
        message=shown(clean(node.said), LONGEST),
    )


def _application(app: Object) -> Resource:
    metadata = app.get("metadata") or {}
    return Resource(
        uid="application",
        kind="Application",
        name=str(metadata.get("name") or ""),
        namespace=str(metadata.get("namespace") or ""),
        group="argoproj.io",
        health=states.health(app),
        sync=states.sync_status(app),
        message="",
    )
