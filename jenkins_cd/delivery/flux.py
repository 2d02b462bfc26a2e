"""The model `flux` in its plain form: commit what is wanted, and look at the app's health endpoint until it is so.

Somebody else (Flux, or whatever follows the deploy repository) does the work in between. Nothing here needs an account
in the cluster.
"""

from __future__ import annotations

import functools

from jenkins_cd.delivery import Followed, Target, declaration, health, pull
from jenkins_cd.model import Plan, Release

RESUMABLE = True


def plan(target: Target, release: Release, verified: str | None) -> Plan:
    """Return what would change; nothing is written.

    Raises BadInput where the result does not render or a file of the deploy repository lacks what must be set,
    ExternalFailure where the deploy repository or the registry cannot be reached.
    """
    return pull.plan(target, release, verified)


def rehearse(target: Target, release: Release) -> None:
    """Do nothing: whoever follows the deploy repository has no dry run for us."""


def apply(target: Target, release: Release, plan: Plan, message: str) -> str:
    """Make the deploy repository declare the release and return the commit that does, which may be there already.

    What is pushed has rendered: as planned, or again where the app's files have changed since the plan.
    """
    return pull.commit(target, release, plan, message)


def follow(target: Target, release: Release, commit: str) -> Followed:
    """Look at the health endpoint until it reports the release, stable for the settling time, or time runs out."""
    wanted = health.Wanted(
        url=target.url,
        health=release.health,
        version=release.version,
        timeout=target.timeout,
        settle=target.settle,
    )
    title = f"{target.name} verify"
    other = declaration.other_wishes(target, release, commit)
    why = functools.partial(declaration.superseded, target)
    return health.wait(wanted, lambda seen: target.progress.note(title, seen), other, why)


def diagnose(target: Target, release: Release, followed: Followed) -> str:
    """Return what was seen last and where to look, for people."""
    lines = health.last_look(followed.observation)
    place, branch = declaration.place_of(target, release), declaration.branch_of(target)
    if not followed.superseded_by:
        lines.append(f"declared in {place}/Chart.yaml on {branch} of {target.platform.declared_in.url}")
        lines.append(f"look at the controller that follows it, and at the logs of {release.app} in {target.name}")
    return "\n".join(lines)


def withdraw(target: Target, release: Release) -> str:  # noqa: ARG001
    """Do nothing: what is declared stays declared."""
    return ""
