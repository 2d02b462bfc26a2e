"""What is done about an Application, as it was decided; each act returns the verdict where there is one."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from jenkins_cd.argocd import states, verdicts
from jenkins_cd.argocd.judge import Decision, is_ours
from jenkins_cd.argocd.underway import FAULTS, Underway
from jenkins_cd.delivery import Followed
from jenkins_cd.lines import split_lines
from jenkins_cd.tools import argocd_applications
from jenkins_cd.tools.argocd_applications import SyncOrder
from jenkins_cd.tools.argocd_failures import Blocked, Busy, Denied, Expired, Rejected

if TYPE_CHECKING:
    from jenkins_cd.argocd.tree import Ailment
    from jenkins_cd.model import Resource

BETWEEN = 1.0  # seconds between two refreshes: the controller's times are whole seconds
FRESH = 2.0  # seconds for which a comparison that we asked for is of the newest commit
PODS = 2.0  # seconds between two looks at the pods
REJECTED = 5.0  # seconds after which what the server does not take is not taken


def act(at: Underway, decision: Decision) -> Followed | None:
    """Do what was decided; there is nothing to do about what is good."""
    if decision.step == "failed":
        return _fail(at, decision)
    if decision.step == "superseded":
        return verdicts.superseded(at, decision.revision)
    if decision.step in ("refresh", "hard-refresh"):
        _look_again(at, decision)
    elif decision.step == "sync":
        return sync(at, decision)
    elif decision.step == "terminate":
        _end(at, decision)
    elif decision.step == "wait":
        if not decision.quiet:
            at.tell(decision.why)
        return _ill(at)
    return None


def render_anew(at: Underway, doubt: str) -> None:
    """Let Argo CD render it past its caches: what was synced before may have been something else."""
    at.memory.doubted.add(doubt)
    operation = states.operation(at.app)
    if at.refresh("hard") and operation:
        at.memory.stale.add(operation.started)


def sync(at: Underway, decision: Decision) -> Followed | None:
    """Ask for a sync, unless somebody has declared another version since Argo CD looked: that one is not overwritten.

    Raises ExternalFailure where nobody knows whether it was taken: the next look tells.
    """
    if not (at.compared and time.monotonic() - at.refreshed < FRESH) and (newer := at.wish.newer()):
        return verdicts.superseded(at, newer)
    at.tell(f"syncing to {decision.revision[:12]}: {decision.why}")
    try:
        at.looks.take(argocd_applications.sync(at.site.server, at.site.ref, _order(at, decision)))
    except Busy:
        at.looks.read()  # it began a moment ago: that shows whose it is
    except Blocked as error:
        return verdicts.blocked(at, error)
    except Denied as error:
        return verdicts.denied(at, error)
    except Rejected as error:
        return _rejected(at, error)
    else:
        at.memory.tried.add(decision.revision)
        at.memory.forget("rejected")
    return None


def give_up(at: Underway) -> None:
    """End the sync of our version where it still runs: it would stand in the way of the next one."""
    try:
        at.looks.read()
        operation = states.operation(at.app)
        if operation and operation.running and is_ours(at.app, at.wish, operation):
            at.tell("ending our sync, which would only stand in the way")
            argocd_applications.terminate(at.site.server, at.site.ref)
    except FAULTS as error:
        at.tell(f"it is not known whether our sync still runs: {split_lines(error.message)[0]}")


def resources(at: Underway) -> tuple[Resource, ...]:
    """Return what is there of the Application, for the record; nothing where that cannot be read."""
    from jenkins_cd.argocd import tree

    try:
        return tree.resources(tree.read(argocd_applications.tree(at.site.server, at.site.ref)), at.app)
    except FAULTS:
        return ()


def _fail(at: Underway, decision: Decision) -> Followed | None:
    """Return that it failed; where that rests on what has not changed, only if Argo CD says so once more."""
    if decision.lasting:
        if not at.refresh():
            return None
        decision = at.decision()
    return verdicts.failed(at, decision.why) if decision.step == "failed" else None


def _look_again(at: Underway, decision: Decision) -> None:
    if time.monotonic() - at.refreshed < BETWEEN:
        return
    if not decision.quiet:
        at.tell(decision.why)
    if decision.step == "hard-refresh":
        render_anew(at, decision.doubt)
    else:
        at.refresh()


def _order(at: Underway, decision: Decision) -> SyncOrder:
    """Return a sync to that revision. One that is automated must not name any, and syncs to the newest."""
    rules, wish, app = at.site.rules, at.wish, at.app
    order = SyncOrder(
        prune=rules.prune,
        options=rules.sync_options,
        resources=at.site.resources,
        retries=rules.retries,
        infos={states.INFO: wish.token},
    )
    if states.automated(app):
        return order
    if not states.several_sources(app):
        return replace(order, revision=decision.revision)
    positions = tuple(index + 1 for index in wish.sources(app))
    return replace(order, revisions=(decision.revision,) * len(positions), positions=positions)


def _rejected(at: Underway, error: Rejected) -> Followed | None:
    """Look once more before it counts: the Application may have been changed a moment ago."""
    lasted = at.memory.lasting("rejected", time.monotonic(), holds=True)
    if lasted >= REJECTED:
        return verdicts.failed(at, error.message, error.hint)
    at.tell(error.message)
    at.refresh()
    return None


def _end(at: Underway, decision: Decision) -> None:
    """End somebody's sync, once an attempt: the next sync may be another's, and a next attempt may have been faster."""
    operation = states.operation(at.app)
    name = f"ending {operation.started} {operation.attempt}" if operation else "ending"
    if name not in at.memory.since:
        at.tell(f"ending it: {decision.why}")
        argocd_applications.terminate(at.site.server, at.site.ref)
        at.memory.lasting(name, time.monotonic(), holds=True)


def _ill(at: Underway) -> Followed | None:
    """Look at the pods where it takes long; returns the verdict where one will not heal."""
    operation, now = states.operation(at.app), time.monotonic()
    if operation is None or operation.started is None or now - at.pods < PODS:
        return None
    if not is_ours(at.app, at.wish, operation):
        return None  # what is ill is what was there before
    at.pods = now
    from jenkins_cd.argocd import tree

    try:
        nodes = tree.read(argocd_applications.tree(at.site.server, at.site.ref))
    except (Denied, Expired):
        raise
    except FAULTS:
        return None  # the verdict does not rest on it
    worst = _worst(at, tree.ailments(nodes, operation.started), now)
    return verdicts.failed(at, worst.reason) if worst and at.refresh() else None


def _worst(at: Underway, found: list[Ailment], now: float) -> Ailment | None:
    """Return what has been ill for too long, seen twice at least: a newer revision may have been on its way."""
    memory, names = at.memory, {f"ill {one.node.uid}": one for one in found}
    memory.forget(*(one for one in [*memory.since] if one.startswith("ill ") and one not in names))
    lasted = {name: memory.lasting(name, now, holds=True) for name in names}
    return next((one for name, one in names.items() if lasted[name] >= max(one.patience, PODS)), None)
