"""Helm at work on a release: an upgrade, or the way back, until Helm has ended, well or not."""

from __future__ import annotations

import contextlib
import importlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jenkins_cd import requester
from jenkins_cd.cluster import permission
from jenkins_cd.delivery import manifests, pending, release_owner, rollback_record
from jenkins_cd.delivery.helm_site import Site
from jenkins_cd.delivery.release_owner import PREFIX, Owner
from jenkins_cd.errors import ExternalFailure, JenkinsCdError
from jenkins_cd.lines import split_lines
from jenkins_cd.masking import mask
from jenkins_cd.model import Plan
from jenkins_cd.tools import helm_release, process
from jenkins_cd.tools.helm_release import GRACE, Busy, Change, HookFailed, Installed, Rendered, Work
from jenkins_cd.tools.kubernetes_failures import Forbidden

AGAIN = 1.0  # seconds before Helm is started anew, longer each time
TRIES = 5  # where a server fails
LONGEST = 256  # characters of a description
GLANCE = 3.0  # seconds in which a failed hook is looked for, or a right that a server refused
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

    A release that is pending is waited for, or freed. What failed because the API server was away, or had only just
    come back and knew of no rights, is tried again. A revision that has begun and failed is no error here: Helm has
    written down why, and `follow` reads it.
    Raises Refused before anything is applied where the release carries what is not allowed; Busy, BadInput and
    ExternalFailure where nothing has begun, ExternalFailure where it is not known how it ended, and HookFailed where
    a hook has ended the way back: that Helm does not write down.
    """
    deadline, tries, again = time.monotonic() + site.target.timeout, 0, False
    failure: JenkinsCdError | None
    while True:
        try:
            failure = _tried(site, order, again)
        except (ExternalFailure, Forbidden) as error:
            failure = _weighed(site, error)
            if isinstance(failure, Forbidden):
                raise
        if failure is None:
            return
        tries += not isinstance(failure, Busy)
        if time.monotonic() > deadline or tries == TRIES:
            raise failure
        site.target.tell("apply", f"trying again: {split_lines(failure.message)[0]}")
        process.pause(AGAIN * max(tries, 1))
        again = True


def _tried(site: Site, order: Order, again: bool) -> ExternalFailure | None:
    """Do it once; returns a failure that is worth another try. Only the first one uses what the plan has rendered."""
    now = site.as_seen() or pending.clear(site.place, site.target.timeout, lambda text: site.target.tell("apply", text))
    wanted = site.rendered(order.chart) if again else site.rendered_for(order.chart, now)
    if now and now.status == "deployed" and _has(now, site, wanted):
        site.target.tell("apply", f"revision {now.revision} of {site.place.name} has it already")
        return None
    return _work(site, order, now, wanted)


def _has(now: Installed, site: Site, wanted: Rendered) -> bool:
    return now.version == site.release.version and manifests.same(now, wanted)


def _work(site: Site, order: Order, now: Installed | None, wanted: Rendered) -> ExternalFailure | None:
    """Let Helm do it; returns a failure that is worth another try."""
    owner = release_owner.ourselves(order.trailers.get("Build") or requester.build_url())
    hooks = manifests.objects(*wanted.hooks)
    before = _present(site, hooks) if hooks else frozenset()
    good = _to_go_back_to(site, order, now, wanted) if now else 0
    through = rollback_record.begin(site.place, now.revision + 1, release_owner.labels(owner)) if now and good else None
    with _started(site, order, now, good, owner) as work:
        importlib.import_module("jenkins_cd.cluster.rollout")  # `follow` needs it, and Helm takes its time
        ill = _ended(site, work, hooks, before)
        failure = None if work.succeeded else _weighed(site, work.failure())
    if now and good and failure:
        until = time.monotonic() + GLANCE  # Helm alone may have seen it fail
        ill = ill or _ill(site, hooks, before, lambda: time.monotonic() < until)
        _let_go(site, now, good, hooks, ill or (failure.message if isinstance(failure, HookFailed) else ""))
    outcome = _begun(site, now, owner, failure) if failure else None
    if through:
        through()
    return outcome


def _ended(site: Site, work: Work, hooks: list[dict[str, object]], before: frozenset[str]) -> str:
    """Wait until Helm has ended; it is ended where a hook will not end well. Returns why that is so, or ""."""
    ill = _ill(site, hooks, before, lambda: work.running)
    if ill:
        site.target.tell("apply", ill)
        work.stop()
    end = time.monotonic() + site.target.timeout + GRACE
    while work.running:
        if time.monotonic() > end:
            work.stop()
        process.pause(0.005)
    return ill


def _let_go(site: Site, now: Installed, good: int, hooks: list[dict[str, object]], ill: str) -> None:
    """Free the release where a hook has ended the way back, and raise HookFailed then."""
    after = site.status() if ill else None
    if after is None or after.revision <= now.revision or after.status != "pending-rollback":
        return
    applied = any(_is_last(hook) and manifests.name(hook).partition("/")[2] in ill for hook in hooks)
    pending.let_go(
        site.place, after, site.target.timeout, lambda text: site.target.tell("apply", text), good if applied else 0
    )
    what = f"{site.release.version} was put back, but failed" if applied else f"{site.release.version} was not put back"
    raise HookFailed(f"{what}: {ill}", "mend the hook, or what it needs, and deploy again")


def _is_last(hook: Mapping[str, Any]) -> bool:
    """Tell whether a hook of a rollback runs once everything is applied."""
    when = str(((hook.get("metadata") or {}).get("annotations") or {}).get("helm.sh/hook"))
    return "post-rollback" in when and "pre-rollback" not in when


def _weighed(site: Site, failure: JenkinsCdError) -> JenkinsCdError:
    """Return what a failure comes to: a right that we have was refused by a server that had only just started."""
    if isinstance(failure, Forbidden) and permission.held(site.access.cluster, failure.right, GLANCE):
        return ExternalFailure(failure.message, "the API server has only just started and knew no roles yet: try again")
    return failure


def _begun(site: Site, now: Installed | None, owner: Owner, failure: JenkinsCdError) -> ExternalFailure | None:
    """Return a failure worth another try, or None where Helm has written down how it failed; raises any other."""
    after = site.status()
    known = release_owner.of(after.labels) if after else None
    written = after is not None and after.revision > (now.revision if now else 0)
    if after and written and after.pending:
        if known and known.operation == owner.operation:
            pending.recover(site.place, after, site.target.timeout, lambda text: site.target.tell("apply", text))
        written = False
    if isinstance(failure, ExternalFailure):
        return failure
    if not after or not written:
        raise failure
    site.target.tell("apply", after.description)
    return None


def _started(
    site: Site, order: Order, now: Installed | None, good: int, owner: Owner
) -> contextlib.AbstractContextManager[Work]:
    """Start the rollback to the revision `good`, where there is one, else the upgrade."""
    change = Change(
        description=order.description,
        labels=_labels(site, order, owner),
        timeout=site.target.timeout,
        create_namespace=site.lacks_namespace(),
        force_conflicts=now is None or now.server_side,
    )
    if good:
        site.target.tell("apply", f"putting back revision {good} of {site.place.name}, which was verified")
        return helm_release.rollback(site.place, good, change)
    verb = f"upgrading revision {now.revision}" if now else "installing it for the first time"
    site.target.tell("apply", f"{site.place.name} in {site.place.namespace}: {verb}")
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
    return {
        **{f"{PREFIX}{name}": release_owner.label(text) for name, text in named.items()},
        **release_owner.labels(owner),
    }


def _present(site: Site, hooks: list[dict[str, object]]) -> frozenset[str]:
    from jenkins_cd.cluster import rollout

    return rollout.present(site.access.cluster, site.place.namespace, hooks)


def _ill(site: Site, hooks: list[dict[str, object]], before: frozenset[str], running: Callable[[], bool]) -> str:
    """Watch the hooks that Helm waits for as long as it is running; returns why one will not end well, or ""."""
    if not hooks:
        return ""
    from jenkins_cd.cluster import rollout

    verdict = rollout.hooks(
        site.access.cluster,
        site.place.namespace,
        hooks,
        before,
        time.monotonic() + site.target.timeout,
        lambda text: site.target.tell("apply", text),
        running,
    )
    return verdict.reason if verdict else ""
