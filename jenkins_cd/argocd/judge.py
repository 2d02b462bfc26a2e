"""What is to be done about an Application, and what became of it: a decision for each look at it.

Nothing is asked or waited for here. What was decided before is in `Memory`; times in it are of the monotonic clock.
A good end needs all of: no sync under way; the comparison is of our commit (or of one that leaves our files as they
are), with the present spec, and later than the end of the sync; Synced; Healthy. The app's own answer comes on top.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from jenkins_cd.argocd import states
from jenkins_cd.argocd.revisions import Wish
from jenkins_cd.argocd.states import Object, Operation

Step = Literal["wait", "refresh", "hard-refresh", "sync", "terminate", "good", "failed", "superseded"]
DEGRADED = 10.0  # seconds that it may be Degraded: a rollout can be so for a moment
UNREADY = 20.0  # seconds that a comparison may fail, with one look past the caches in between
REFUSED = 3.0  # seconds that Argo CD may refuse what the Application says, by the AppProject that it has seen
DIFFERENT = 8.0  # seconds that it may differ from what was just synced before the manifest cache is doubted
PENDING = 3.0  # seconds after which a sync that nobody has begun with was overlooked: a refresh makes Argo CD look
SOON = 0.5  # seconds in which Argo CD looks by itself at what a sync has made
CERTAIN = 1.0  # seconds after which a comparison is later than the sync for certain: both are whole seconds
BY_ITSELF = 3.0  # seconds in which an application with automated sync begins by itself
UNKNOWING = re.compile(r"project \S+ which does not exist")  # a controller that has just started knows none yet
ENDED = re.compile(r"Operation terminat")  # by somebody: an earlier build of ours, which has failed, or a person
# By the project as the controller knows it, which looks at no application before it has read all of them. What it says
# of clusters is another matter: a Secret may be on its way.
_REFUSES = re.compile(
    r"application (repo|destination) .* (is not permitted|do not match any of the allowed destinations) in project"
    r"|spec\.source\S* (and|is) "
)
TROUBLE = ("connection refused", "Unavailable", "DeadlineExceeded", "deadline exceeded", "i/o timeout", "EOF")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What is wanted of a sync."""

    prune: bool = True
    resources: tuple[str, ...] = ()  # group:Kind:name; all where empty


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What to do now, and why in one sentence."""

    step: Step
    why: str
    revision: str = ""  # the newer one that supersedes ours, or the one to sync to
    doubt: str = ""  # why the caches are passed by
    quiet: bool = False  # whoever tells what happens to the Application says it already
    lasting: bool = False  # it rests on what has not changed for long: is anybody still at work who would change it?


@dataclass
class Memory:
    """What was done, and since when something lasts."""

    since: dict[str, float] = field(default_factory=dict)
    doubted: set[str] = field(default_factory=set)  # why it was rendered anew, past the caches
    stale: set[datetime | None] = field(default_factory=set)  # when syncs began that went before that
    watched: set[datetime | None] = field(default_factory=set)  # when syncs to our commit began that we saw at work
    compared: set[datetime | None] = field(default_factory=set)  # when syncs began that a refresh was asked for after
    tried: set[str] = field(default_factory=set)  # revisions that a sync was asked for to

    def lasting(self, what: str, now: float, *, holds: bool) -> float:
        """Return for how many seconds something holds without a break."""
        if not holds:
            self.since.pop(what, None)
            return 0.0
        return now - self.since.setdefault(what, now)

    def forget(self, *what: str) -> None:
        """Let what was not looked at now begin anew when it is seen again."""
        for one in what:
            self.since.pop(one, None)


def judge(app: Object, wish: Wish, rules: Rules, memory: Memory, now: float) -> Decision:
    """Decide on what an application is like. Raises ExternalFailure where the deploy repository cannot be asked."""
    if states.deleting(app):
        return Decision(step="failed", why="the Application is being deleted")
    if not wish.sources(app):
        return Decision(step="failed", why=_follows(app, wish))
    operation = states.operation(app)
    if operation and wish.of(app, operation.revisions) == "newer":
        return _superseded(app, wish, operation.revisions)
    if operation and operation.running:
        memory.forget("unready", "refused", "out of sync", "degraded", "unseen", "unsure")
        return _under_way(app, wish, operation, memory, now)
    memory.forget("pending")
    compared = states.compared_revisions(app)
    standing = wish.of(app, compared)
    if standing == "newer":
        return _superseded(app, wish, compared)
    ours = operation if operation and is_ours(app, wish, operation) else None
    watched = ours and (ours.token == wish.token or (ours.started in memory.watched and not ENDED.match(ours.message)))
    if ours and ours.failed and watched and not UNKNOWING.search(ours.message):
        return Decision(step="failed", why=failure(ours))
    errors = states.conditions(app, *states.UNREADY)
    lasted = memory.lasting("unready", now, holds=bool(errors))
    refused = next((one for one in states.conditions(app, "InvalidSpecError") if _REFUSES.match(one)), "")
    if memory.lasting("refused", now, holds=bool(refused)) >= REFUSED:
        return Decision(step="failed", why=f"Argo CD refuses the Application: {refused}", lasting=True)
    if errors:
        return _unready(refused or errors[0], lasted, memory)
    if standing != "same":
        memory.forget("out of sync", "degraded")
        return Decision(step="refresh", why="asking Argo CD to look at our commit")
    return _compared(app, wish, rules, memory, ours, now)


def failure(operation: Operation) -> str:
    """Return why a sync failed."""
    why = "; ".join(operation.failures) or operation.message or "no reason is given"
    times = f" after {operation.attempt + 1} attempts" if operation.attempt else ""
    return f"the sync failed{times}: {why}"


def confirmed(app: Object) -> bool:
    """Tell whether the last comparison was certainly after the last sync: both are whole seconds."""
    operation, compared = states.operation(app), states.reconciled(app)
    if operation is None or operation.finished is None:
        return compared is not None
    return compared is not None and compared > operation.finished


def is_ours(app: Object, wish: Wish, operation: Operation) -> bool:
    """Tell whether a sync is about our commit. One that failed early names no revision."""
    return operation.commit == wish.commit or wish.of(app, operation.revisions) == "same"


def _under_way(app: Object, wish: Wish, operation: Operation, memory: Memory, now: float) -> Decision:
    if memory.lasting("pending", now, holds=operation.pending) >= PENDING:
        memory.forget("pending")
        return Decision(step="refresh", why="nobody has begun with the sync yet: letting Argo CD look at it again")
    if operation.pending:
        return Decision(step="wait", why="waiting for the application controller to begin with the sync", quiet=True)
    if is_ours(app, wish, operation):
        memory.watched.add(operation.started)
        return Decision(step="wait", why=operation.message or "the sync is under way", quiet=True)
    what = ", ".join(one[:12] for one in operation.revisions) or "an earlier commit"
    if operation.backing_off:
        return Decision(
            step="terminate", why=f"the sync of {what} by {operation.by} has failed and would only be tried again"
        )
    return Decision(step="wait", why=f"{operation.by} syncs {what}: waiting for that to end")


def _superseded(app: Object, wish: Wish, revisions: Sequence[str]) -> Decision:
    newer = next(revisions[one] for one in wish.sources(app) if wish.standing(revisions[one]) == "newer")
    version = wish.version(newer)
    return Decision(step="superseded", why=f"superseded: {version} was declared meanwhile", revision=newer)


def _compared(app: Object, wish: Wish, rules: Rules, memory: Memory, ours: Operation | None, now: float) -> Decision:
    """Decide where the last comparison was of our commit."""
    if not states.compared_to_spec(app):
        return Decision(step="refresh", why="the Application was changed: waiting for Argo CD to compare it again")
    unseen = bool(ours and ours.finished and (states.reconciled(app) or ours.finished) < ours.finished)
    lasted = memory.lasting("unseen", now, holds=unseen)
    if unseen:
        why = "the sync has ended: waiting for Argo CD to look at the result"
        return Decision(step="refresh" if lasted >= SOON else "wait", why=why, quiet=True)
    if ours and ours.failed:
        return Decision(
            step="sync", why="the last sync to it failed before we came: once more", revision=_at(app, wish)
        )
    if states.sync_status(app) == "Unknown":
        return Decision(step="refresh", why="Argo CD does not know how it compares: asking it again")
    differing = states.out_of_sync(app, prune=rules.prune, only=rules.resources)
    lenient = bool(rules.resources) or not rules.prune
    synced = states.sync_status(app) == "Synced" or (lenient and not differing)
    memory.lasting("out of sync", now, holds=not synced)
    if not synced:
        memory.forget("degraded")
        return _out_of_sync(app, wish, ours, differing, memory, now)
    return _synced(app, rules, ours, memory, now)


def _unready(error: str, lasted: float, memory: Memory) -> Decision:
    passing = any(word in error for word in TROUBLE)
    if "unready" not in memory.doubted and lasted >= (UNREADY / 4 if passing else 0):
        return Decision(step="hard-refresh", why=error, doubt="unready")
    if lasted >= UNREADY and not passing:
        return Decision(step="failed", why=f"Argo CD cannot render or compare it: {error}", lasting=True)
    return Decision(step="wait", why=error)


def _out_of_sync(
    app: Object, wish: Wish, ours: Operation | None, differing: Sequence[str], memory: Memory, now: float
) -> Decision:
    what = ", ".join(differing[:5]) + (f" and {len(differing) - 5} more" if len(differing) > 5 else "")
    waited, revision = memory.lasting("out of sync", now, holds=True), _at(app, wish)
    fresh = ours and ours.succeeded and ours.started not in memory.stale
    if ours and fresh and revision in (*ours.revisions, *memory.tried):
        if not confirmed(app):
            why = f"the sync has ended: waiting for Argo CD to see {what or 'the result'}"
            return Decision(step="refresh" if waited >= SOON else "wait", why=why, quiet=waited < SOON)
        why = f"still out of sync after the sync: {what or 'not said what'}"
        if waited >= DIFFERENT and "different" not in memory.doubted:
            return Decision(step="hard-refresh", why=why, doubt="different")
        return Decision(step="wait", why=why)
    errors = states.conditions(app, "SyncError")
    if states.automated(app) and not errors and waited < BY_ITSELF:
        return Decision(step="wait", why="waiting for Argo CD to begin by itself")
    return Decision(step="sync", why=f"out of sync: {what or 'not said what'}", revision=revision)


def _at(app: Object, wish: Wish) -> str:
    """Return the revision of the deploy repository that the cluster was compared to."""
    compared = states.compared_revisions(app)
    return next((compared[one] for one in wish.sources(app) if one < len(compared)), wish.commit)


def _synced(app: Object, rules: Rules, ours: Operation | None, memory: Memory, now: float) -> Decision:
    state = states.health(app)
    sick = states.unhealthy(app)
    if rules.resources:  # what is not ours to sync is not ours to judge either
        state = _worst(app, rules.resources)
    lasted = memory.lasting("degraded", now, holds=state == "Degraded")
    if state == "Healthy":
        return Decision(step="good", why="Synced and Healthy")
    why = "; ".join(sick[:3]) or f"the Application is {state}"
    if lasted >= DEGRADED:
        return Decision(step="failed", why=f"it is Degraded for {lasted:.0f} s: {why}", lasting=True)
    unsure = memory.lasting("unsure", now, holds=not confirmed(app))
    if unsure >= CERTAIN and ours and ours.started not in memory.compared:
        memory.compared.add(ours.started)  # once: while it comes up nothing is lost by it
        return Decision(step="refresh", why=why, quiet=True)
    return Decision(step="wait", why=why, quiet=bool(sick))


def _worst(app: Object, only: Sequence[str]) -> str:
    """Return the health of the chosen resources; one that has none counts as healthy."""
    order = ("Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown")
    found = [
        str((one.get("health") or {}).get("status") or "Healthy")
        for one in states.resources(app)
        if states.chosen(one, only)
    ]
    return max(found, key=lambda one: order.index(one) if one in order else len(order), default="Healthy")


def _follows(app: Object, wish: Wish) -> str:
    """Return why an application will never have our commit."""
    found = [f"{one.get('repoURL')} {one.get('path') or one.get('chart') or ''}".strip() for one in states.sources(app)]
    return f"the Application follows {', '.join(found)}, and not {wish.place} of {wish.repository.url}"
