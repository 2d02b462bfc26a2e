"""The objects that belong to an Application, down to its pods, as Argo CD's resource tree tells of them.

The tree is `v1alpha1ApplicationTree` of the API's swagger.json. What it says of a pod is in `info`, as the application
controller words it; health is https://argo-cd.readthedocs.io/en/stable/operator-manual/health/. Nothing is asked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from jenkins_cd.argocd import states
from jenkins_cd.argocd.states import Object
from jenkins_cd.report.text import one_line
from jenkins_cd.tools.answers import whole_number

_EPOCH = datetime.min.replace(tzinfo=timezone.utc)
_PLAIN = frozenset({"", "Running", "Pending", "Succeeded", "Completed"})  # reasons that say no more than the health


@dataclass(frozen=True, kw_only=True)
class Node:
    """One object of the tree."""

    kind: str
    name: str
    namespace: str = ""
    group: str = ""
    uid: str  # made up where the object is not there
    parents: tuple[str, ...] = ()  # their uids
    health: str = ""  # "": Argo CD does not assess its kind
    message: str = ""
    status_reason: str = ""  # of a pod, as kubectl's column STATUS has it
    ready: str = ""  # of a pod: containers, as 1/2
    images: tuple[str, ...] = ()
    created: datetime | None = None
    restarts: int = 0
    revision: int = 0  # of a ReplicaSet or ControllerRevision
    controlled: str = ""  # of a pod: the controller revision that it was made of

    @property
    def called(self) -> str:
        """Return what people call it."""
        return f"{self.kind}/{self.name}"

    @property
    def age(self) -> tuple[int, datetime]:
        """Return what sorts what was made of one object: the newest last."""
        return self.revision, self.created or _EPOCH

    @property
    def said(self) -> str:
        """Return in a few words why it is not well, or that it was restarted."""
        parts = [] if self.status_reason in _PLAIN else [self.status_reason]
        if self.health != "Healthy" and (why := cause(self.message)):
            parts.append(why)
        if self.kind == "Pod" and not parts and self.health in ("Progressing", "Degraded") and self.ready:
            parts.append(f"{self.ready} containers are ready")
        text = ": ".join(dict.fromkeys(parts)) if self.health != "Healthy" else ""
        again = (
            "" if not self.restarts else "restarted once" if self.restarts == 1 else f"restarted {self.restarts} times"
        )
        return ", ".join(part for part in (text, again) if part)


def read(tree: Object) -> tuple[Node, ...]:
    """Return what belongs to the Application; what only is in the same namespace (orphaned) does not."""
    return tuple(_node(one) for one in tree.get("nodes") or () if one.get("kind") and one.get("name"))


def cause(message: str) -> str:
    """Return what a message tells, without the layers that the kubelet and the container runtime put around it."""
    text = one_line(message)
    if text.startswith("back-off ") and "restarting failed container" in text:
        return ""  # CrashLoopBackOff says it
    if "pull" in text and '": ' in text:
        text = text.rpartition('": ')[2]
    return re.sub(r"^(ErrImagePull: )?(rpc error: code = \w+ desc = )?", "", text)


def newest(nodes: Iterable[Node]) -> list[Node]:
    """Return the pods that are of the present state of what made them: of its newest ReplicaSet or revision."""
    every = tuple(nodes)
    by_uid = {one.uid: one for one in every}
    made: dict[str, list[Node]] = {}
    for one in every:
        for parent in one.parents:
            made.setdefault(parent, []).append(one)
    return [one for one in every if one.kind == "Pod" and _is_newest(one, by_uid, made)]


def owner(node: Node, nodes: Iterable[Node]) -> Node:
    """Return the highest object that it was made of, maybe itself."""
    by_uid, seen = {one.uid: one for one in nodes}, {node.uid}
    while above := next((by_uid[uid] for uid in node.parents if uid in by_uid and uid not in seen), None):
        node = above
        seen.add(node.uid)
    return node


def _node(one: Object) -> Node:
    info = {str(each.get("name")): str(each.get("value") or "") for each in one.get("info") or ()}
    health: Mapping[str, object] = one.get("health") or {}
    labels: Mapping[str, object] = (one.get("networkingInfo") or {}).get("labels") or {}
    restarts = info.get("Restart Count", "")
    return Node(
        kind=str(one["kind"]),
        name=str(one["name"]),
        namespace=str(one.get("namespace") or ""),
        group=str(one.get("group") or ""),
        uid=str(one.get("uid") or key(one)),
        parents=tuple(str(each.get("uid") or key(each)) for each in one.get("parentRefs") or ()),
        health=str(health.get("status") or ""),
        message=str(health.get("message") or ""),
        status_reason=info.get("Status Reason", ""),
        ready=info.get("Containers", ""),
        images=tuple(str(image) for image in one.get("images") or ()),
        created=states.moment(one.get("createdAt")),
        restarts=whole_number(restarts),
        revision=_revision(info.get("Revision", "")),
        controlled=str(labels.get("controller-revision-hash") or ""),
    )


def _revision(text: str) -> int:
    return whole_number(text.rpartition(":")[2])  # Rev:3


def key(one: Object) -> str:
    """Return what tells an object from all others of a cluster: group, kind, namespace and name."""
    return "/".join(str(one.get(part) or "") for part in ("group", "kind", "namespace", "name"))


def _is_newest(pod: Node, by_uid: Mapping[str, Node], made: Mapping[str, Sequence[Node]]) -> bool:
    above = next((by_uid[uid] for uid in pod.parents if uid in by_uid), None)
    if above is None:
        return True
    if above.kind == "ReplicaSet":
        brothers = [one for uid in above.parents for one in made.get(uid, ()) if one.kind == "ReplicaSet"]
        return not brothers or above.uid == max(brothers, key=lambda one: one.age).uid
    revisions = [one for one in made.get(above.uid, ()) if one.kind == "ControllerRevision"]
    if not revisions or not pod.controlled:
        return True
    latest = max(revisions, key=lambda one: one.age).name
    return pod.controlled in (latest, latest.removeprefix(f"{above.name}-"))  # a DaemonSet's pods have the hash alone
