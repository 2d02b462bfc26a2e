"""Helm at work on a release: an upgrade, or the way back, until Helm has ended, well or not."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jenkins_cd import requester
from jenkins_cd.cluster import rollout
from jenkins_cd.delivery import manifests, pending
from jenkins_cd.delivery.helm_site import Site
from jenkins_cd.delivery.pending import PREFIX, Owner
from jenkins_cd.errors import ExternalFailure, JenkinsCdError
from jenkins_cd.masking import mask
from jenkins_cd.model import Plan
from jenkins_cd.tools import helm_release, process
from jenkins_cd.tools.helm_release import GRACE, Busy, Change, Installed, Rendered, Work

AGAIN = 1.0  # seconds before Helm is started anew, longer each time
TRIES = 5  # where a server fails
LONGEST = 256  # characters of a description
_TRAILER = re.compile(r"^([A-Z][A-Za-z-]+): (.+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is wanted of Helm: the chart, and who wants it."""

    chart: Path
    plan: Plan
    commit: str
    message: str  # the commit's, with trailers that say who asked

    @property
    def trailers(self) -> dict[str, str]:
        """Return the trailers of the message."""
        return dict(_TRAILER.findall(self.message))

    @property
    def description(self) -> str:
        """Return what the release's history says of it."""
        parts = [self.message.partition("\n")[0]]
        parts += [f"{name.lower().replace('-', ' ')} {value}" for name, value in self.trailers.items()]
        return mask(", ".join([*parts, f"commit {self.commit[:12]}"]))[:LONGEST]


def bring(site: Site, order: Order) -> None:
    """Make the cluster have what the chart renders; nothing is done where it has it, or Helm says why it could not.

    A release that is pending is waited for, or freed. What failed because the API server was away is tried again. A
    revision that has begun and failed is no error here: Helm has written down why, and `follow` reads it.
    Raises Refused before anything is applied where the release carries what is not allowed; Busy, BadInput and
    ExternalFailure where nothing has begun, and ExternalFailure where it is not known how it ended.
    """
    deadline, tries = time.monotonic() + site.timeout, 0
    while True:
        try:
            failure = _tried(site, order)
        except ExternalFailure as error:
            failure = error
        if failure is None:
            return
        tries += not isinstance(failure, Busy)
        if time.monotonic() > deadline or tries == TRIES:
            raise failure
        site.tell("apply", f"trying again: {failure.message.splitlines()[0]}")
        process.pause(AGAIN * max(tries, 1))


def _tried(site: Site, order: Order) -> ExternalFailure | None:
    """Do it once; returns a failure that is worth another try."""
    now = pending.clear(site.place, site.timeout, lambda text: site.tell("apply", text))
    wanted = site.rendered(order.chart)
    if now and now.status == "deployed" and _has(now, site, wanted):
        site.tell("apply", f"revision {now.revision} of {site.place.name} has it already")
        return None
    return _work(site, order, now, wanted)


def _has(now: Installed, site: Site, wanted: Rendered) -> bool:
    return now.version == site.release.version and manifests.same(now, wanted)


def _work(site: Site, order: Order, now: Installed | None, wanted: Rendered) -> ExternalFailure | None:
    """Let Helm do it; returns a failure that is worth another try."""
    owner = pending.ourselves(order.trailers.get("Build") or requester.build_url())
    hooks = manifests.objects(*wanted.hooks)
    before = rollout.present(site.access.cluster, site.place.namespace, hooks) if hooks else frozenset()
    good = _to_go_back_to(site, order, now, wanted) if now else 0
    with _started(site, order, now, good, owner) as work:
        if hooks:
            _attend(site, work, hooks, before)
        end = time.monotonic() + site.timeout + GRACE
        while work.running:
            if time.monotonic() > end:
                work.stop()
            process.pause(0.02)
        if work.succeeded:
            return None
        failure = work.failure()
    return _begun(site, now, owner, failure, going_back=bool(good))


def _begun(
    site: Site, now: Installed | None, owner: Owner, failure: JenkinsCdError, *, going_back: bool
) -> ExternalFailure | None:
    """Return a failure worth another try, or None where Helm has written down how it failed; raises any other."""
    after = site.status()
    known = pending.owner(after.labels) if after else None
    written = after is not None and after.revision > (now.revision if now else 0)
    if after and written and after.pending:
        # A rollback has not our labels.
        ours = going_back if after.status == "pending-rollback" else known and known.operation == owner.operation
        if ours:
            pending.recover(site.place, after, site.timeout, lambda text: site.tell("apply", text))
        written = False
    if isinstance(failure, ExternalFailure):
        return failure
    if not after or not written:
        raise failure
    site.tell("apply", after.description)
    return None


def _started(
    site: Site, order: Order, now: Installed | None, good: int, owner: Owner
) -> contextlib.AbstractContextManager[Work]:
    """Start the rollback to the revision `good`, where there is one, else the upgrade."""
    change = Change(
        description=order.description,
        labels=_labels(site, order, owner),
        timeout=site.timeout,
        create_namespace=site.lacks_namespace(),
        force_conflicts=now is None or now.server_side,
    )
    if good:
        site.tell("apply", f"putting back revision {good} of {site.place.name}, which was verified")
        return helm_release.rollback(site.place, good, change)
    verb = f"upgrading revision {now.revision}" if now else "installing it for the first time"
    site.tell("apply", f"{site.place.name} in {site.place.namespace}: {verb}")
    return helm_release.upgrade_install(site.place, order.chart, change)


def _to_go_back_to(site: Site, order: Order, now: Installed, wanted: Rendered) -> int:
    """Return the revision that is what is wanted, where that is the version that was verified last; else 0."""
    version = site.release.version
    if order.plan.verified != version or now.version == version:
        return 0
    chart = f"{now.chart}-{version}"
    kept = [one for one in helm_release.history(site.place) if one.chart == chart]
    good = next((one.revision for one in kept if one.status in ("superseded", "deployed")), 0)
    found = helm_release.status(site.place, good) if good else None
    return good if found and manifests.same(found, wanted) else 0


def _labels(site: Site, order: Order, owner: Owner) -> Mapping[str, str]:
    named = {
        "version": site.release.version,
        "commit": order.commit,
        "requester": order.trailers.get("Requested-by") or requester.name(),
    }
    return {**{f"{PREFIX}{name}": pending.label(text) for name, text in named.items()}, **pending.labels(owner)}


def _attend(site: Site, work: Work, hooks: list[dict[str, object]], before: frozenset[str]) -> None:
    """Watch the hooks that Helm waits for, and end Helm once one of them will not end well."""
    verdict = rollout.hooks(
        site.access.cluster,
        site.place.namespace,
        hooks,
        before,
        time.monotonic() + site.timeout,
        lambda text: site.tell("apply", text),
        lambda: work.running,
    )
    if verdict:
        site.tell("apply", verdict.reason)
        work.stop()
