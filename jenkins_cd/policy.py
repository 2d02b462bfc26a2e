"""Whether a release may go to an environment: the platform file's rules. What cannot be shown is refused."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from jenkins_cd.config.rules import moment_of
from jenkins_cd.config.types import Environment, Freeze, PlatformFile
from jenkins_cd.errors import Refused
from jenkins_cd.model import Deployment


def check(
    platform: PlatformFile,
    environment: str,
    version: str,
    history: Iterable[Deployment],
    *,
    approver: str | None,
    now: datetime,
) -> None:
    """Raise Refused, with everything that is missing, unless `version` may go to `environment`.

    `history` holds the app's deployments in all environments; `approver` None means that nobody promotes it.
    """
    rules = platform.environments[environment]
    missing = [
        *_proof(rules, environment, version, history),
        *_approval(rules, environment, approver, approvers(platform, environment)),
        *_freeze(rules, environment, now),
    ]
    _refuse(missing, environment, version)


def check_before_asking(
    platform: PlatformFile, environment: str, version: str, history: Iterable[Deployment], *, now: datetime
) -> None:
    """Raise Refused, with everything that is missing but an approver, unless `version` may go to `environment`."""
    rules = platform.environments[environment]
    _refuse([*_proof(rules, environment, version, history), *_freeze(rules, environment, now)], environment, version)


def approvers(platform: PlatformFile, environment: str) -> tuple[str, ...]:
    """Return who may approve, the members of groups among them; empty where anybody may."""
    named = platform.environments[environment].approvers
    people = (member for name in named for member in platform.groups.get(name, ()))
    return tuple(dict.fromkeys((*named, *people)))


def proof(rules: Environment, environment: str, version: str, history: Iterable[Deployment]) -> Deployment | None:
    """Return the newest deployment that shows `version` to be good for `environment`: in the one before, or there."""
    places = (rules.after, environment)
    proven = [one for one in history if one.version == version and one.outcome == "verified"]
    return next((one for place in places for one in proven if one.environment == place), None)


def _refuse(missing: Iterable[str], environment: str, version: str) -> None:
    if reasons := "; ".join(missing):
        raise Refused(
            f"{version} may not go to {environment}: {reasons}",
            f"jenkins-cd explain environments.{environment} shows the rules",
        )


def _proof(rules: Environment, environment: str, version: str, history: Iterable[Deployment]) -> list[str]:
    """A release that was verified here once was proven then; else it must be verified in the environment before."""
    if rules.after == "ci" or proof(rules, environment, version, history):
        return []
    return [f"it is not verified in {rules.after}"]


def _approval(rules: Environment, environment: str, approver: str | None, known: tuple[str, ...]) -> list[str]:
    if rules.promotion == "automatic":
        return []
    if approver is None:
        return [f"people bring releases to {environment}: jenkins-cd promote --to {environment}"]
    if known and approver not in known:
        return [f"{approver or 'nobody'} is not one of its approvers ({', '.join(known)})"]
    return []


def _freeze(rules: Environment, environment: str, now: datetime) -> list[str]:
    return [
        f"{environment} is frozen until {freeze.end}: {freeze.why}" for freeze in rules.freeze if _holds(freeze, now)
    ]


def _holds(freeze: Freeze, now: datetime) -> bool:
    """Tell whether it is the time of a freeze; one whose times cannot be read holds."""
    start, end = moment_of(freeze.start), moment_of(freeze.end)
    return start is None or end is None or start <= now < end
