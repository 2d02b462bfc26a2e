"""Whether a release may go to an environment: the platform file's rules. What cannot be shown is refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jenkins_cd import people
from jenkins_cd.config.rules import moment_of
from jenkins_cd.config.types import Environment, Freeze, PlatformFile
from jenkins_cd.errors import Refused
from jenkins_cd.model import Deployment

SKEW = timedelta(minutes=2)  # between this machine's clock and a server's, where a freeze could not be judged


@dataclass(frozen=True, kw_only=True)
class Hands:
    """Who had a hand in what is to be approved."""

    asked: Sequence[str] = ()
    wrote: Sequence[str] = ()  # the release's commit; empty: nobody knows


def check(
    platform: PlatformFile,
    environment: str,
    version: str,
    history: Iterable[Deployment],
    *,
    approver: str | None,
    now: datetime,
    server: datetime | None = None,
    hands: Hands = Hands(),
) -> None:
    """Raise Refused, with everything that is missing, unless `version` may go to `environment`.

    `history` holds the app's deployments in all environments; `approver` None means that nobody promotes it; `server`
    is the time that a server tells, where one does.
    """
    rules = platform.environments[environment]
    missing = [
        *_proof(rules, environment, version, history),
        *_approval(platform, environment, approver, hands),
        *_freeze(rules, environment, now, server),
    ]
    _refuse(missing, environment, version)


def check_begun(
    platform: PlatformFile,
    environment: str,
    version: str,
    history: Iterable[Deployment],
    *,
    approver: str | None,
    hands: Hands,
) -> None:
    """Raise Refused unless a deployment that was begun may be brought to its end: as `check`, a freeze stops none."""
    rules = platform.environments[environment]
    missing = [*_proof(rules, environment, version, history), *_approval(platform, environment, approver, hands)]
    _refuse(missing, environment, version)


def check_before_asking(
    platform: PlatformFile,
    environment: str,
    version: str,
    history: Iterable[Deployment],
    *,
    now: datetime,
    server: datetime | None = None,
) -> None:
    """Raise Refused, with everything that is missing but an approver, unless `version` may go to `environment`."""
    rules = platform.environments[environment]
    missing = [*_proof(rules, environment, version, history), *_freeze(rules, environment, now, server)]
    _refuse(missing, environment, version)


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


def four_eyes(platform: PlatformFile, environment: str) -> bool:
    """Tell whether who asks, or wrote the commit, cannot approve there: as the environment says, else the platform."""
    return (platform.environments[environment].approvals or platform.approvals).four_eyes


def _approval(platform: PlatformFile, environment: str, approver: str | None, hands: Hands) -> list[str]:
    rules, known = platform.environments[environment], approvers(platform, environment)
    if rules.promotion == "automatic":
        return []
    if approver is None:
        return [f"people bring releases to {environment}: jenkins-cd promote --to {environment}"]
    if known and approver not in known:
        return [f"{approver or 'nobody'} is not one of its approvers ({', '.join(known)})"]
    return _second_pair(approver, hands) if four_eyes(platform, environment) else []


def _second_pair(approver: str, hands: Hands) -> list[str]:
    """Four eyes: neither who asked nor who wrote the commit approves; who that was must be known."""
    missing = []
    if asker := people.first_like(approver, filter(None, hands.asked)):
        missing.append(f"{approver} approves what {asker} asked for, and approvals.four_eyes wants somebody else")
    if author := people.first_like(approver, hands.wrote):
        missing.append(f"{approver} approves what {author} wrote, and approvals.four_eyes wants somebody else")
    if not hands.wrote:
        missing.append("who wrote its commit is not recorded, and approvals.four_eyes asks for it: release it anew")
    return missing


def _freeze(rules: Environment, environment: str, now: datetime, server: datetime | None) -> list[str]:
    """Tell what freezes hold, by this machine's clock or the server's; where these are minutes apart none is known."""
    if rules.freeze and server and abs(server - now) > SKEW:
        told = f"it is {_shown(now)} by this machine's clock and {_shown(server)} by a server's"
        return [f"{told}: set the clock, else nobody knows whether {environment} is frozen"]
    times = [now, server or now]
    return [
        f"{environment} is frozen until {freeze.end}: {freeze.why}"
        for freeze in rules.freeze
        if any(_holds(freeze, time) for time in times)
    ]


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _holds(freeze: Freeze, now: datetime) -> bool:
    """Tell whether it is the time of a freeze; one whose times cannot be read holds."""
    start, end = moment_of(freeze.start), moment_of(freeze.end)
    return start is None or end is None or start <= now < end
