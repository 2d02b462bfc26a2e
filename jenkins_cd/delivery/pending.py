"""A release that is pending: whose it is, since when, and how to go on when its owner is gone.

Helm marks a release as pending while it works on it, and refuses every other work on it. Where it is killed, that stays
so. Whoever works on a release leaves his name in its labels: only these are there while Helm is at work, as the
description is written at the end. For a rollback, which has the labels of another revision, it stands beside it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone

from jenkins_cd import requester
from jenkins_cd.delivery import release_owner, rollback_record
from jenkins_cd.errors import ExternalFailure, JenkinsCdError
from jenkins_cd.lines import split_lines
from jenkins_cd.tools import helm_release, process
from jenkins_cd.tools.helm_release import Busy, Change, HookFailed, Installed, Place

LOOK = 2.0  # seconds between two looks at a release that somebody has
_AIM = re.compile(r"Rollback to (\d+)")  # what Helm itself says of a rollback under way


def status(place: Place) -> Installed | None:
    """Return what `helm_release.status` does; a rollback has the labels of who works on it, none if nobody is known."""
    installed = helm_release.status(place)
    if installed and installed.status == "pending-rollback":
        return replace(installed, labels=rollback_record.labels(place, installed.revision))
    return installed


def gone(installed: Installed, patience: float, now: datetime | None = None) -> bool:
    """Tell whether nobody works on a pending release, as `status` returns it, any more.

    An owner on this machine is looked for. Any other one counts as gone when the release has been pending for twice
    `patience` (seconds that a deployment may take).
    """
    owner = release_owner.of(installed.labels)
    return release_owner.dead(owner) if owner and release_owner.here(owner) else _age(installed, now) > 2 * patience


def clear(place: Place, patience: float, tell: Callable[[str], None]) -> Installed | None:
    """Return the release as it stands when nobody works on it: at once, or when its owner is through, or gone.

    Where he is gone the last deployed revision is put back; a first installation that was never through is uninstalled.
    Waits up to `patience` seconds; raises Busy then, with who has it.
    """
    deadline, told = time.monotonic() + patience, 0
    while (installed := status(place)) and installed.pending:
        if gone(installed, patience):
            recover(place, installed, patience, tell)
            continue
        if time.monotonic() > deadline:
            raise Busy(
                f"the release {place.name} in {place.namespace} is {held(installed)}",
                f"wait for it; helm -n {place.namespace} rollback {place.name} takes it away from whoever has it",
            )
        if told != installed.revision:
            tell(f"waiting: the release {place.name} is {held(installed)}")
            told = installed.revision
        process.pause(LOOK)
    return installed


def held(installed: Installed) -> str:
    """Return, for people, what a pending release is held by: `pending-upgrade since … by …`."""
    known = release_owner.of(installed.labels) or "nobody we know"
    return f"{installed.status} since {installed.deployed:%Y-%m-%d %H:%M:%S} UTC, held by {known}"


def recover(place: Place, installed: Installed, timeout: float, tell: Callable[[str], None]) -> None:
    """Free a release whose owner is gone: a rollback is finished, else the last deployed revision is put back.

    Raises ExternalFailure where that fails.
    """
    good = _deployed(place)
    stuck = f"the release {place.name} is {held(installed)}, who is gone"
    if not good:
        tell(f"{stuck}: uninstalling this first installation, which was never through")
        helm_release.uninstall(place, timeout)
        return
    aim = _AIM.fullmatch(installed.description) if installed.status == "pending-rollback" else None
    aimed = int(aim[1]) if aim else 0
    revision = aimed if aimed in good else good[0]
    why = "as he wanted" if aimed in good else "the last that was deployed"
    tell(f"{stuck}: putting back revision {revision}, {why}")
    failure = _put_back(place, installed, revision, timeout)
    if isinstance(failure, HookFailed):
        tell(f"{split_lines(failure.message)[0]}: putting it back without hooks")
        failure = _put_back(place, replace(installed, revision=installed.revision + 1), revision, timeout, hooks=False)
    _freed(stuck, revision, failure)


def let_go(place: Place, installed: Installed, timeout: float, tell: Callable[[str], None], revision: int = 0) -> None:
    """Free a release after a rollback of ours that a hook has ended, and run no hooks for that.

    `revision` is put back, or where Helm has applied nothing yet (0), the last that was deployed: nothing changes then.
    Raises ExternalFailure where that fails.
    """
    wanted = revision or next(iter(_deployed(place)), 0)
    stuck = f"the release {place.name} is {installed.status} as a hook has failed"
    tell(f"{stuck}: freeing it as revision {wanted}, without hooks")
    _freed(stuck, wanted, _put_back(place, installed, wanted, timeout, hooks=False))


def _deployed(place: Place) -> list[int]:
    """Return the revisions that were deployed, the newest first."""
    return [one.revision for one in helm_release.history(place) if one.status in ("deployed", "superseded")]


def _put_back(
    place: Place, before: Installed, revision: int, timeout: float, *, hooks: bool = True
) -> JenkinsCdError | None:
    ours = release_owner.labels(release_owner.ourselves(requester.build_url()))
    change = Change(timeout=timeout, force_conflicts=before.server_side, hooks=hooks, labels=ours)
    through = rollback_record.begin(place, before.revision + 1, ours)
    with helm_release.rollback(place, revision, change) as work:
        while work.running:
            process.pause(0.05)
        if not work.succeeded:
            return work.failure()
    through()
    return None


def _freed(stuck: str, revision: int, failure: JenkinsCdError | None) -> None:
    if failure and not isinstance(failure, Busy):  # else somebody else was faster to free it
        raise ExternalFailure(f"{stuck}, and revision {revision} cannot be put back: {failure.message}", failure.hint)


def _age(installed: Installed, now: datetime | None) -> float:
    return ((now or datetime.now(timezone.utc)) - installed.deployed).total_seconds()
