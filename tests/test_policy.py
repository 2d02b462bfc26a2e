from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from jenkins_cd import policy
from jenkins_cd.config.types import Approvals, DeployRepository, Environment, Freeze, PlatformFile, Registry
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


def ask(
    environment: str,
    *history: Deployment,
    approver: str | None = None,
    now: datetime = NOW,
    server: datetime | None = None,
) -> None:
    policy.check(PLATFORM, environment, "1.0.0", history, approver=approver, now=now, server=server)


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


# --- the clock -------------------------------------------------------------------------------------------------------

BEFORE = datetime(2026, 12, 1, tzinfo=timezone.utc)  # when prod is not frozen


@pytest.mark.parametrize("apart", [timedelta(minutes=3), timedelta(minutes=-3), timedelta(days=30)])
def test_where_a_freeze_counts_a_clock_that_is_minutes_from_a_servers_is_refused_with_both_times(
    apart: timedelta,
) -> None:
    with pytest.raises(Refused) as raised:
        ask("prod", deployed("staging"), approver="ops", now=BEFORE, server=BEFORE + apart)
    assert "2026-12-01 00:00:00 UTC by this machine's clock" in raised.value.message
    assert f"{BEFORE + apart:%Y-%m-%d %H:%M:%S} UTC by a server's" in raised.value.message
    assert raised.value.exit_code == 4


def test_a_clock_that_is_seconds_from_a_servers_will_do() -> None:
    ask("prod", deployed("staging"), approver="ops", now=BEFORE, server=BEFORE + timedelta(seconds=90))


@pytest.mark.parametrize("ahead", ["now", "server"])
def test_a_freeze_holds_as_soon_as_it_does_by_one_of_the_two_clocks(ahead: str) -> None:
    start = datetime(2026, 12, 20, tzinfo=timezone.utc)
    times = {"now": start - timedelta(seconds=30), "server": start - timedelta(seconds=30), ahead: start}
    with pytest.raises(Refused, match="holidays"):
        ask("prod", deployed("staging"), approver="ops", **times)


def test_where_no_freeze_is_planned_the_clocks_do_not_matter() -> None:
    ask("test", deployed("dev"), server=NOW + timedelta(days=3))


def test_nobody_is_asked_while_the_clocks_differ() -> None:
    with pytest.raises(Refused, match="by a server's"):
        policy.check_before_asking(
            PLATFORM, "prod", "1.0.0", [deployed("staging")], now=BEFORE, server=BEFORE - timedelta(hours=1)
        )


# --- four eyes -------------------------------------------------------------------------------------------------------

WROTE = ("Jane Doe <jane@shop.example>", "Forge <noreply@forge.example>")


def four_eyes(platform: bool, environment: bool | None, approver: str, *asked: str, wrote: Any = WROTE) -> None:
    own = None if environment is None else Approvals(four_eyes=environment)
    rules = {**PLATFORM.environments, "open": replace(PLATFORM.environments["open"], approvals=own)}
    changed = replace(PLATFORM, environments=rules, approvals=Approvals(four_eyes=platform))
    hands = policy.Hands(asked=asked, wrote=wrote)
    policy.check(changed, "open", "1.0.0", (), approver=approver, now=NOW, hands=hands)


@pytest.mark.parametrize("approver", ["joe", "JOE", "joe@shop.example"])
def test_with_four_eyes_who_asked_does_not_approve(approver: str) -> None:
    with pytest.raises(Refused, match=f"{approver} approves what joe asked for"):
        four_eyes(True, None, approver, "", "joe")
    four_eyes(False, None, approver, "joe")


@pytest.mark.parametrize("approver", ["jane", "jane.doe", "Jane@Shop.example"])
def test_with_four_eyes_who_wrote_the_commit_does_not_approve(approver: str) -> None:
    with pytest.raises(Refused, match=r"approves what Jane Doe <jane@shop\.example> wrote"):
        four_eyes(True, None, approver, "joe")


def test_with_four_eyes_somebody_else_approves() -> None:
    four_eyes(True, None, "mia", "joe", "delivery/promote #12")


def test_with_four_eyes_it_must_be_known_who_wrote_the_commit() -> None:
    with pytest.raises(Refused, match="who wrote its commit is not recorded"):
        four_eyes(True, None, "mia", "joe", wrote=())


def test_an_environment_may_say_otherwise_than_the_platform() -> None:
    four_eyes(True, False, "joe", "joe")
    with pytest.raises(Refused, match="four_eyes"):
        four_eyes(False, True, "joe", "joe")
