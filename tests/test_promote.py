"""What an approver is asked, how an approval is kept, and what a deployment makes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from jenkins_cd import promote
from jenkins_cd.config.types import Freeze, Jenkins, JenkinsCredentials
from jenkins_cd.errors import BadInput, Refused
from jenkins_cd.model import Approval
from tests.delivery.progress import Notes
from tests.deployments import STEPS, Shop


def ask(shop: Shop, version: str = "1.4.0", environment: str = "prod", **more: Any) -> promote.Promotion:
    shop.cluster.environment = environment
    return promote.ask(shop.platform, shop.request(version, environment, **more), shop.folder / "out", Notes())


def approve(shop: Shop, approver: str | None, version: str = "1.4.0", **more: Any) -> Approval:
    asked = shop.request(version, "prod", approver=approver, **more)
    return promote.approve(shop.platform, asked, shop.folder / "out", Notes())


def given(shop: Shop, age: timedelta, **other: Any) -> None:
    """Put an approval by ops of that age into the ledger."""
    at = datetime.now(timezone.utc) - age
    wanted = {"app": "storefront", "project": "shop", "version": "1.4.0", "environment": "prod", "approver": "ops"}
    shop.ledger.approve(Approval(id=f"{at:%Y%m%dT%H%M%S.%fZ}-1", reason="", at=at, **{**wanted, **other}))


def freeze(shop: Shop) -> None:
    now = datetime.now(timezone.utc)
    start, end = (now + timedelta(hours=hours) for hours in (-1, 1))
    shop.change("prod", freeze=(Freeze(start=start.isoformat(), end=end.isoformat(), why="holidays"),))


@pytest.fixture
def proven(shop: Shop) -> Shop:
    """The shop, with 1.4.0 verified in dev."""
    shop.deploy("1.4.0")
    return shop


# --- the question ----------------------------------------------------------------------------------------------------


def test_the_question_says_what_would_change_and_what_shows_that_it_is_good(proven: Shop) -> None:
    before = proven.refs()
    promotion = ask(proven, approval_reason="sprint 12")
    assert promotion.question.splitlines()[0].startswith("Promote storefront 1.4.0 (commit ")
    assert promotion.question.endswith("to prod?\n" + "\n".join(promotion.question.splitlines()[1:]))
    assert "Runs there now: no verified version" in promotion.question
    assert "Proven in dev: verified " in promotion.question
    assert "1 test (https://jenkins.local/job/7)" in promotion.question
    assert "Reason given: sprint 12" in promotion.question
    assert "+version: 1.4.0" in promotion.plan.files
    assert promotion.commit == proven.releases["1.4.0"].commit
    assert promotion.running is None
    assert not promotion.already
    assert proven.refs() == before


def test_the_question_names_what_runs_there(proven: Shop) -> None:
    proven.deploy("1.3.0")
    proven.deploy("1.3.0", "prod", approver="ops")
    promotion = ask(proven)
    assert promotion.running
    assert promotion.running.version == "1.3.0"
    assert "Runs there now: 1.3.0, verified " in promotion.question
    assert "-version: 1.3.0" in promotion.plan.files


def test_who_may_approve_are_the_people_named_and_the_members_of_groups(proven: Shop) -> None:
    assert ask(proven).approvers == ("ops", "release-managers", "mia")


def test_nobody_is_asked_about_what_is_not_proven(shop: Shop) -> None:
    before = shop.refs()
    with pytest.raises(Refused, match=r"1\.4\.0 may not go to prod: it is not verified in dev"):
        ask(shop)
    assert shop.refs() == before


def test_nobody_is_asked_in_a_freeze(proven: Shop) -> None:
    freeze(proven)
    with pytest.raises(Refused, match=r"prod is frozen until .*: holidays"):
        ask(proven)


def test_what_is_there_already_needs_no_answer_not_even_in_a_freeze(proven: Shop) -> None:
    proven.deploy("1.4.0", "prod", approver="ops")
    freeze(proven)
    assert ask(proven).already


def test_the_first_environment_is_proven_by_nothing(shop: Shop) -> None:
    shop.change("dev", promotion="manual")
    assert "Nothing proves it yet: this is the first environment." in ask(shop, environment="dev").question


# --- the approval ----------------------------------------------------------------------------------------------------


def test_a_deployment_uses_the_approval_and_names_the_approver(proven: Shop) -> None:
    approve(proven, "ops", approval_reason="sprint 12")
    (deployment,) = proven.deploy("1.4.0", "prod").deployments
    assert deployment.outcome == "verified"
    assert (deployment.approver, deployment.approval_reason) == ("ops", "sprint 12")
    assert next(phase.detail for phase in deployment.phases if phase.name == "policy") == "approved by ops"


def test_the_steps_of_a_deployment_use_it_too(proven: Shop) -> None:
    approve(proven, "ops")
    proven.cluster.environment = "prod"
    (deployment,) = proven.steps("1.4.0", "prod").deployments
    assert (deployment.outcome, deployment.approver) == ("verified", "ops")


def test_an_approval_given_between_two_steps_is_too_late_for_the_plan(proven: Shop) -> None:
    with pytest.raises(Refused, match="jenkins-cd promote --to prod"):
        proven.step("plan", "1.4.0", "prod")
    approve(proven, "ops")
    assert proven.steps("1.4.0", "prod").verified


def test_an_approval_counts_once(proven: Shop) -> None:
    proven.deploy("1.3.0")
    approve(proven, "ops")
    assert proven.deploy("1.4.0", "prod").verified
    proven.deploy("1.3.0", "prod", approver="ops")
    with pytest.raises(Refused, match="people bring releases to prod"):
        proven.deploy("1.4.0", "prod")
    approve(proven, "ops")
    assert proven.deploy("1.4.0", "prod").verified


def test_a_deployment_that_failed_has_used_it_too(proven: Shop) -> None:
    approve(proven, "ops")
    proven.cluster.broken = {"1.4.0"}
    assert not proven.deploy("1.4.0", "prod").verified
    proven.cluster.broken = set()
    with pytest.raises(Refused, match="people bring releases to prod"):
        proven.deploy("1.4.0", "prod")


def test_an_approval_by_somebody_whose_clock_is_ahead_counts_once_as_well(proven: Shop) -> None:
    proven.deploy("1.3.0")
    given(proven, timedelta(minutes=-2))
    proven.deploy("1.4.0", "prod")
    proven.deploy("1.3.0", "prod", approver="ops")
    with pytest.raises(Refused, match="people bring releases to prod"):
        proven.deploy("1.4.0", "prod")


def test_a_deployment_that_was_killed_has_not_used_it(proven: Shop) -> None:
    approve(proven, "ops")
    proven.steps("1.4.0", "prod", names=STEPS[:2])
    assert proven.deploy("1.4.0", "prod").verified


@pytest.mark.parametrize(("age", "counts"), [(timedelta(minutes=59), True), (timedelta(minutes=61), False)])
def test_an_approval_expires(proven: Shop, age: timedelta, counts: bool) -> None:
    proven.change("prod", approval_valid="1h")
    given(proven, age)
    if counts:
        assert proven.deploy("1.4.0", "prod").verified
        return
    with pytest.raises(Refused, match="people bring releases to prod"):
        proven.deploy("1.4.0", "prod")


@pytest.mark.parametrize("other", [{"version": "1.3.0"}, {"environment": "dev"}])
def test_an_approval_is_for_one_version_and_one_environment(proven: Shop, other: dict[str, str]) -> None:
    proven.deploy("1.3.0")
    given(proven, timedelta(), **other)
    with pytest.raises(Refused, match="people bring releases to prod"):
        proven.deploy("1.4.0", "prod")


def test_a_member_of_a_group_may_approve(proven: Shop) -> None:
    approve(proven, "mia")
    (deployment,) = proven.deploy("1.4.0", "prod").deployments
    assert deployment.approver == "mia"


def test_a_stranger_may_not(proven: Shop) -> None:
    before = proven.refs()
    with pytest.raises(Refused, match=r"mallory is not one of its approvers \(ops, release-managers, mia\)"):
        approve(proven, "mallory")
    assert proven.refs() == before


def test_an_approval_of_somebody_who_may_no_longer_approve_does_not_count(proven: Shop) -> None:
    approve(proven, "mia")
    proven.platform = replace(proven.platform, groups={"release-managers": ("noah",)})
    with pytest.raises(Refused, match="mia is not one of its approvers"):
        proven.deploy("1.4.0", "prod")


def test_a_stranger_in_the_ledger_does_not_count(proven: Shop) -> None:
    given(proven, timedelta(), approver="mallory")
    with pytest.raises(Refused, match="mallory is not one of its approvers"):
        proven.deploy("1.4.0", "prod")


@pytest.mark.parametrize("approver", [None, "", "a b", "-x", "ops\nmia", "$(id)", "x" * 101])
def test_an_approver_must_have_a_name(proven: Shop, approver: str | None) -> None:
    before = proven.refs()
    with pytest.raises(BadInput, match="names no user"):
        approve(proven, approver)
    assert proven.refs() == before


def test_what_is_not_proven_or_frozen_cannot_be_approved(proven: Shop) -> None:
    with pytest.raises(Refused, match="not verified in dev"):
        approve(proven, "ops", "1.5.0")
    freeze(proven)
    with pytest.raises(Refused, match="frozen"):
        approve(proven, "ops")
    assert proven.ledger.approvals("storefront", "prod") == []


def test_a_freeze_that_begins_after_the_approval_holds(proven: Shop) -> None:
    approve(proven, "ops")
    freeze(proven)
    with pytest.raises(Refused, match="frozen"):
        proven.deploy("1.4.0", "prod")


def test_an_environment_without_people_needs_no_approval_and_takes_none(proven: Shop) -> None:
    given(proven, timedelta(), environment="dev", version="1.3.0")
    (deployment,) = proven.deploy("1.3.0").deployments
    assert deployment.approver == ""


# --- in one go, and for Jenkins --------------------------------------------------------------------------------------


def test_who_promotes_approves(proven: Shop) -> None:
    proven.cluster.environment = "prod"
    asked = proven.request("1.4.0", "prod", requested_by="ops")
    (deployment,) = promote.promote(proven.platform, asked, proven.folder / "out", Notes()).deployments
    assert (deployment.outcome, deployment.approver) == ("verified", "ops")


def test_who_promotes_and_is_no_approver_is_refused(proven: Shop) -> None:
    with pytest.raises(Refused, match="jane is not one of its approvers"):
        promote.promote(proven.platform, proven.request("1.4.0", "prod"), proven.folder / "out", Notes())


def test_the_plan_for_jenkins_asks_then_keeps_the_answer_then_hands_over_to_the_deploy_job(shop: Shop) -> None:
    jenkins = Jenkins(credentials=JenkinsCredentials(registry="reg", git_ssh="key"), deploy_job="ops/deploy")
    platform = replace(shop.platform, jenkins=jenkins)
    plan = promote.steps(platform, shop.request("1.4.0", "prod", approval_reason="it is; time"), None)
    question, approval = plan.steps
    names = ("--app", "storefront", "--version", "1.4.0")
    assert question.arguments == ("promote", *names, "--to", "prod", "--reason", "it is; time", "--dry-run")
    assert approval.arguments == ("approve", *names, "--environment", "prod", "--reason", "it is; time")
    assert (question.wave, approval.wave, approval.needs) == (0, 1, ("Question",))
    assert [one.id for one in question.credentials] == ["reg", "key"]
    assert [one.id for one in approval.credentials] == ["key"]
    assert plan.delivery
    assert (plan.delivery.job, plan.delivery.environments) == ("ops/deploy", ("prod",))
    with pytest.raises(BadInput, match="no environment"):
        promote.steps(platform, shop.request("1.4.0", "nowhere"), None)
