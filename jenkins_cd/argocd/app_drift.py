"""Whether what lives of an Application is what was synced, and who changed it: asked of Argo CD alone.

A commit that Git has and nobody has synced yet is no drift: what it changes is told apart by what Argo CD
renders of the commit that was synced last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from jenkins_cd.argocd import managed, site, states
from jenkins_cd.argocd.managed import Key, Managed
from jenkins_cd.argocd.states import Object
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.drift import AppDrift, Change, Known, State, compare, owners, paths
from jenkins_cd.drift.compare import Difference
from jenkins_cd.errors import Interrupted, JenkinsCdError
from jenkins_cd.model import Progress
from jenkins_cd.tools import argocd_applications
from jenkins_cd.tools.argocd import Ref, Server
from jenkins_cd.tools.argocd_failures import Absent

STRAYS = 20  # objects that nobody declares of which it is asked who made them


@dataclass(frozen=True)
class Found:
    """What differs: by hand, and because Git has a newer commit."""

    changes: list[Change] = field(default_factory=list)
    newer: list[str] = field(default_factory=list)  # objects, as Kind/name

    def add(self, title: str, changes: Sequence[Change], newer: bool) -> None:
        """Take in what differs of one object."""
        self.changes.extend(changes)
        if newer and title not in self.newer:
            self.newer.append(title)


def look(platform: PlatformFile, environment: str, apps: Sequence[Known], progress: Progress) -> Iterator[AppDrift]:
    """Compare apps of an environment, each with one look. What cannot be known of one is a result.

    Raises BadInput where the platform file names no server, or there is no credential.
    """
    server, rules, told = site.server_of(platform), platform.environments[environment], set[str]()
    for known in apps:
        ref = site.ref_of(environment, rules, known.project, known.names["app"])
        namespace = rules.argocd.namespace.format(**known.names, environment=environment)
        try:
            found = _app(server, ref, known, namespace, told)
        except Interrupted:
            raise
        except JenkinsCdError as error:
            found = _told(known, ref, namespace, "unknown", error.sentence)
        progress.note(f"drift of {known.app}", found.reason)
        yield found


def compared(items: Sequence[Managed], before: Mapping[Key, Object] | None) -> Found:
    """Return what differs of objects; `before` is what was synced, where Git has a newer commit by now. Pure."""
    found = Found()
    scaled = compare.scaled(one.declared for one in items if one.declared)
    for item in items:
        was = before.get(item.key) if before is not None else None
        if item.live is None or item.declared is None:
            kind = compare.missing if item.live is None else compare.stray
            shown = item.live or item.declared
            ours = before is None or (was is not None) == (item.live is None)
            found.add(item.title, [kind(shown)] if ours and shown else [], newer=not ours)
            continue
        differs = _differences(item, item.title in scaled)
        newer = [one for one in differs if before is not None and _of_git(one, item, was)]
        by_hand = [one for one in differs if one not in newer]
        found.add(item.title, compare.changes(by_hand, item.live), newer=bool(newer))
    return found


def _app(server: Server, ref: Ref, known: Known, namespace: str, told: set[str]) -> AppDrift:
    try:
        app = argocd_applications.read(server, ref, "normal")
    except Absent:
        gone = Change(object=f"Application/{ref.name}", kind="missing")
        return _told(known, ref, namespace, "drifted", "Argo CD has no such Application", changes=(gone,))
    operation, errors = states.operation(app), states.conditions(app, *states.UNREADY)
    if operation and operation.running:
        return _told(known, ref, namespace, "unknown", f"{operation.by} syncs it just now; look again later")
    if errors:
        return _told(known, ref, namespace, "unknown", f"Argo CD cannot compare it: {errors[0]}")
    if not (last := _last(app)):
        return _told(known, ref, namespace, "absent", "it was never synced")
    items, now = managed.read(server, ref), states.compared_revisions(app)
    was = _revisions(last)
    found = compared(items, _before(server, ref, was) if was != now else None)
    strays = list(_strays(server, ref, told))
    changes, live = [*found.changes, *strays], [one for one in items if one.live]
    return _told(
        known,
        ref,
        str((app["spec"].get("destination") or {}).get("namespace") or namespace),
        "drifted" if changes else "same",
        "; ".join(part for part in (compare.sentence(changes, len(live), {}), _newer(found, was, now)) if part),
        revision=int(last["id"]) if "id" in last else 0,
        chart=", ".join(one[:12] for one in was),
        deployed=states.moment(last.get("deployedAt")),
        objects=len(live),
        changes=tuple(changes),
    )


def _differences(item: Managed, scaled: bool) -> list[Difference]:
    """Return how an object is not what a sync would make of it, and what people set besides what is declared."""
    wanted, live = item.predicted or {}, item.compared or {}
    by_people = [one for one in compare.differences(item.declared or {}, live, scaled) if one.kind == "added"]
    return compare.distinct(by_people, compare.both_ways(wanted, live, partial(compare.differences, scaled=scaled)))


def _of_git(one: Difference, item: Managed, was: Object | None) -> bool:
    """Tell whether a field is as it was synced, so that only a newer commit wants it otherwise."""
    by = owners.changed_by(owners.owners(item.live or {}), one.path)
    if was is None or item.kind == "Secret":  # two renderings of a Secret are masked, and tell nothing
        return by is None
    synced = paths.find(was, one.path)
    if one.kind == "added":
        return synced is not None and compare.alike(synced, one.live, one.path)
    return compare.alike(synced, one.live, one.path) if synced is not None else one.live is None or by is None


def _before(server: Server, ref: Ref, revisions: tuple[str, ...]) -> Mapping[Key, Object]:
    """Return what was synced; nothing of several sources, of which Argo CD renders only what they are now."""
    return managed.synced(server, ref, revisions[0]) if len(revisions) == 1 else {}


def _last(app: Object) -> Object | None:
    """Return the last sync of all that there is, as the Application's history has it."""
    history = states.status(app).get("history")
    if history:
        return dict(history[-1])
    state = states.status(app).get("operationState") or {}
    result = state.get("syncResult") or {}
    return {**result, "deployedAt": state.get("finishedAt")} if state.get("phase") == "Succeeded" else None


def _revisions(last: Object) -> tuple[str, ...]:
    return tuple(str(one) for one in last.get("revisions") or (last.get("revision"),) if one)


def _strays(server: Server, ref: Ref, told: set[str]) -> Iterator[Change]:
    """Yield what lives in the namespace and belongs to no Application; of a namespace of several apps only once."""
    nodes = argocd_applications.tree(server, ref).get("orphanedNodes") or ()
    for number, node in enumerate(one for one in nodes if not one.get("parentRefs")):
        if str(node.get("uid")) in told:
            continue
        told.add(str(node.get("uid")))
        live = managed.live_object(server, ref, node) if number < STRAYS else None
        made = states.moment(node.get("createdAt"))
        title = f"{node.get('kind')}/{node.get('name')}"
        yield compare.stray(live) if live else Change(object=title, kind="extra", at=made)


def _newer(found: Found, was: tuple[str, ...], now: tuple[str, ...]) -> str:
    """Return that Git is ahead of what was synced, and of which objects it wants something else."""
    if was == now or not found.newer:
        return ""
    commit = ", ".join(one[:12] for one in now)
    return f"Git is ahead: {commit} is not synced yet and changes {', '.join(found.newer)}"


def _told(known: Known, ref: Ref, namespace: str, state: State, reason: str, **more: object) -> AppDrift:
    about = {"app": known.app, "project": known.project, "namespace": namespace, "release": ref.name}
    version = known.last.version if known.last else None
    return AppDrift(**about, model="argocd", state=state, reason=reason, version=version, **more)  # type: ignore[arg-type]
