"""What has to change on a server so that it is as the platform file says, and making it so. Nothing is deleted."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from jenkins_cd import in_turn
from jenkins_cd.argocd_setup import ownership, put, registered
from jenkins_cd.argocd_setup.change import Action, Change
from jenkins_cd.argocd_setup.ownership import Object
from jenkins_cd.argocd_setup.setup import Entry, Setup
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.tools import argocd_settings
from jenkins_cd.tools.argocd import Server

Key = tuple[str, str, str]  # kind, namespace, name


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All objects, in the order in which they are needed. `others` are there, and not in the platform file."""

    url: str
    changes: tuple[Change, ...]
    others: tuple[str, ...] = ()
    applied: bool = False
    schema: Literal["jenkins_cd/argocd/plan/v1"] = "jenkins_cd/argocd/plan/v1"

    @property
    def counts(self) -> dict[Action, int]:
        """Return how many objects become what."""
        actions: tuple[Action, ...] = ("create", "update", "refused", "unchanged")
        number = Counter(one.action for one in self.changes)
        return {action: number[action] for action in actions if number[action]}

    @property
    def differs(self) -> bool:
        """Tell whether anything is not as it is to be."""
        return any(one.action != "unchanged" for one in self.changes)


@dataclass(frozen=True)
class Work:
    """A plan, what to send for each of its changes, and what to send once all else is done."""

    plan: Plan
    send: Mapping[str, Callable[[], object]]
    at_last: Mapping[str, Callable[[], object]]


@dataclass(frozen=True)
class _There:
    """What the server has, by kind, namespace and name."""

    objects: Mapping[Key, Object]

    def of(self, entry: Entry) -> Object | None:
        return self.objects.get((entry.kind, entry.namespace, entry.name))


def plan(server: Server, platform: PlatformFile, setup: Setup, *, adopt: bool = False) -> Work:
    """Return what has to change. Only reads; `adopt` lets objects be changed that we have not made."""
    there = _read(server, setup)
    send: dict[str, Callable[[], object]] = {}
    changes = [
        *registered.changed_clusters(server, platform, setup, send),
        *registered.credential(server, platform, setup),
    ]
    for entry in setup.entries:
        if entry.kind != "Secret":
            elsewhere = entry.namespace != platform.argocd.namespace
            name = f"{entry.namespace}/{entry.name}" if elsewhere else entry.name  # as Argo CD's own program has it
            change, work = _change(server, entry, name, there.of(entry), adopt)
            changes.append(change)
            if work:
                send[change.title] = work
    found = Plan(url=server.url, changes=tuple(changes), others=tuple(_others(setup, there)))
    return Work(found, send, _at_last(server, setup, found, there))


def apply(work: Work, tell: Callable[[str], None]) -> Plan:
    """Carry out a plan and return what was done; `tell` hears of each change once it is made.

    Raises Refused before the first change where one is refused. A failure half way names what was done before.
    """
    require_allowed(work.plan)
    changed = (one for one in work.plan.changes if one.title in work.send)
    steps = [(f"{one.title} {one.action}d", work.send[one.title]) for one in changed]
    steps += [(f"{title} allows no more than it should", send) for title, send in work.at_last.items()]
    in_turn.carry_out(steps, tell)
    return replace(work.plan, applied=True)


def require_allowed(found: Plan) -> None:
    """Raise Refused, naming each, where a change is refused."""
    in_turn.require_allowed(
        ((one.title, one.note) for one in found.changes if one.action == "refused"),
        "this has to be done first",
        "jenkins-cd render argocd prints the Secrets; --adopt takes over what others have made",
    )


def _read(server: Server, setup: Setup) -> _There:
    kinds = {one.kind for one in setup.entries}
    found: dict[Key, Object] = {}
    for kind, listed in (
        ("AppProject", argocd_settings.projects(server)),
        ("Application", argocd_settings.every_application(server)),
        ("ApplicationSet", argocd_settings.application_sets(server) if "ApplicationSet" in kinds else []),
    ):
        for one in listed:
            metadata = one["metadata"]
            found[kind, str(metadata.get("namespace", "")), str(metadata["name"])] = one
    return _There(found)


def _change(
    server: Server, entry: Entry, name: str, there: Object | None, adopt: bool
) -> tuple[Change, Callable[[], object] | None]:
    made = Change(kind=entry.kind, name=name, action="create", diff=ownership.diff(entry.object, there))
    if there is None:
        return made, lambda: put.put(server, entry, None)
    if not made.diff:
        return replace(made, action="unchanged"), None
    if entry.kind == "Application" and (other := put.project_of(there)) != put.project_of(entry.object):
        return replace(made, action="refused", note=f"it is there, in the AppProject {other}", diff=""), None
    if not (adopt or ownership.ours(there)):
        return replace(made, action="refused", note="it is there, and was not made by jenkins-cd", diff=""), None
    note = "" if ownership.ours(there) else "taken over"
    made = replace(made, action="update", note=note, fields=ownership.fields(entry.object, there))
    return made, lambda: put.put(server, entry, there)


def _at_last(server: Server, setup: Setup, found: Plan, there: _There) -> dict[str, Callable[[], object]]:
    """Return the AppProjects that must allow less: first the Applications change, then what they had is taken away."""
    updated = {one.title for one in found.changes if one.action == "update" and one.kind == "AppProject"}
    less: dict[str, Callable[[], object]] = {}
    for entry in setup.entries:
        present = there.of(entry) if entry.title in updated else None
        if present and ownership.diff(entry.object, ownership.widened(entry.object, present)):
            less[entry.title] = functools.partial(put.project, server, entry, wide=False)
    return less


def _others(setup: Setup, there: _There) -> Iterator[str]:
    """Yield what is there and not in the file: in our AppProjects, and where all was rendered of what we have made."""
    wanted = {(one.kind, one.namespace, one.name) for one in setup.entries}
    owners = {one.name for one in setup.entries if one.kind == "AppProject"}
    sets = {one.name for one in setup.entries if one.kind == "ApplicationSet"}
    for (kind, namespace, name), one in sorted(there.objects.items()):
        if (kind, namespace, name) in wanted:
            continue
        if not setup.whole or (kind == "Application" and sets):
            continue
        if ownership.ours(one) or (kind == "Application" and put.project_of(one) in owners):
            yield f"{kind}/{name} in {namespace}"
