from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from jenkins_cd import policy
from jenkins_cd.config.types import DeployRepository, Environment, Freeze, PlatformFile, Registry
from jenkins_cd.errors import Refused
from jenkins_cd.model import Deployment

NOW = datetime(2026, 12, 24, 12, tzinfo=timezone.utc)


def environment(after: str, **rules: Any) -> Environment:
    return Environment(model="flux", after=after, health_url="http://app.local", **rules)


FROZEN = Freeze(start="2026-12-20T00:00:00Z", end="2027-01-02T00:00:00+01:00", why="holidays")
PLATFORM = PlatformFile(
    registry=Registry(images="registry.local/apps", charts="oci://registry.local/charts"),
    deploy_repository=DeployRepository(url="https://git.local/deploy.git"),
    environments={
        "dev": environment("ci"),
        "test": environment("dev"),
        "staging": environment("test", promotion="manual", approvers=("qa", "lead")),
        "open": environment("ci", promotion="manual"),
        "prod": environment("staging", promotion="manual", approvers=("ops",), freeze=(FROZEN,)),
    },
)


def deployed(environment: str, version: str = "1.0.0", outcome: Any = "verified") -> Deployment:
    return Deployment(
        id="1",
        app="storefront",
        project="shop",
        version=version,
        environment=environment,
        model="flux",
        kind="deployment",
        outcome=outcome,
        reason="",
        started=NOW,
        seconds=1.0,
        requested_by="jane",
    )


def ask(environment: str, *history: Deployment, approver: str | None = None, now: datetime = NOW) -> None:
    policy.check(PLATFORM, environment, "1.0.0", history, approver=approver, now=now)


def test_the_first_environment_asks_for_nothing() -> None:
    ask("dev")


def test_a_release_goes_on_once_it_is_verified_in_the_environment_before() -> None:
    ask("test", deployed("dev"))


@pytest.mark.parametrize(
    "history",
    [(), (deployed("dev", outcome="failed"),), (deployed("dev", version="0.9.0"),), (deployed("staging"),)],
    ids=["never deployed", "failed there", "another version", "verified elsewhere"],
)
def test_a_release_that_is_not_proven_is_refused(history: tuple[Deployment, ...]) -> None:
    with pytest.raises(Refused, match=r"1\.0\.0 may not go to test: it is not verified in dev"):
        ask("test", *history)


def test_a_version_that_was_verified_here_once_may_come_back() -> None:
    ask("test", deployed("test"))


def test_an_environment_of_people_refuses_a_deployment_that_nobody_promotes() -> None:
    with pytest.raises(Refused, match="jenkins-cd promote --to staging"):
        ask("staging", deployed("test"))


def test_only_the_approvers_may_promote() -> None:
    ask("staging", deployed("test"), approver="qa")
    with pytest.raises(Refused, match=r"mallory is not one of its approvers \(qa, lead\)"):
        ask("staging", deployed("test"), approver="mallory")


def test_anybody_may_promote_where_no_approvers_are_named() -> None:
    ask("open", approver="jane")


@pytest.mark.parametrize(
    ("now", "frozen"),
    [
        ("2026-12-19T23:59:59+00:00", False),
        ("2026-12-20T00:00:00+00:00", True),
        ("2027-01-01T22:59:59+00:00", True),
        ("2027-01-01T23:00:00+00:00", False),
    ],
)
def test_a_freeze_holds_from_its_start_until_its_end_in_any_zone(now: str, frozen: bool) -> None:
    moment = datetime.fromisoformat(now)
    if not frozen:
        ask("prod", deployed("staging"), approver="ops", now=moment)
        return
    with pytest.raises(Refused, match=r"prod is frozen until .*: holidays"):
        ask("prod", deployed("staging"), approver="ops", now=moment)


def test_everything_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(Refused) as raised:
        ask("prod", approver="jane")
    assert "not verified in staging" in raised.value.message
    assert "not one of its approvers (ops)" in raised.value.message
    assert "holidays" in raised.value.message
    assert raised.value.exit_code == 4
