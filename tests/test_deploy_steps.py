"""A deployment step by step: each step knows only what the one before left in the results folder."""

from __future__ import annotations

import errno
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from jenkins_cd import deploy_steps, environment_tests, results
from jenkins_cd.config.types import Freeze, JenkinsCredentials
from jenkins_cd.delivery import flux
from jenkins_cd.errors import BadInput, Refused
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import Deployment
from tests.deployments import STEPS, Shop
from tests.gitops.remotes import count


def interrupted(*_: object, **__: object) -> Any:
    raise KeyboardInterrupt


def unwritable(*_: object, **__: object) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


def told(deployment: Deployment) -> dict[str, Any]:
    """Return what a record says that must not depend on when and how it was made."""
    kept = ("version", "environment", "kind", "outcome", "requested_by", "approver", "previous", "build_url", "diff")
    phases = [(phase.name, phase.status) for phase in deployment.phases]
    tests = deployment.tests.summary if deployment.tests else None
    return {**{name: getattr(deployment, name) for name in kept}, "phases": phases, "tests": tests}


def records(shop: Shop) -> list[tuple[str, str, str]]:
    """Return version, kind and outcome of what was recorded for dev, the oldest first."""
    return [(one.version, one.kind, one.outcome) for one in reversed(shop.ledger.deployments("storefront", "dev"))]


def freeze(shop: Shop) -> None:
    now = datetime.now(timezone.utc)
    start, end = (now + timedelta(hours=hours) for hours in (-1, 1))
    shop.change("dev", freeze=(Freeze(start=start.isoformat(), end=end.isoformat(), why="holidays"),))


def test_each_step_does_its_part_and_no_more(shop: Shop) -> None:
    before = shop.refs()
    planned = shop.step("plan", "1.4.0")
    assert "+version: 1.4.0" in planned.plan.files
    assert shop.refs() == before
    shop.step("apply", "1.4.0")
    assert shop.cluster.declared() == "1.4.0"
    assert not records(shop)
    assert not shop.step("verify", "1.4.0").attempted
    assert not records(shop)
    assert not shop.step("test", "1.4.0").attempted
    assert not records(shop)
    assert shop.step("record", "1.4.0").verified
    assert records(shop) == [("1.4.0", "deployment", "verified")]


def test_the_tests_need_neither_the_deploy_repository_nor_the_source_and_see_no_credentials(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.steps("1.4.0", names=STEPS[:3])
    monkeypatch.setenv("JENKINS_CD_GIT_PASSWORD", "canary-of-a-step")
    places = [shop.remote, shop.folder / "app.git"]
    for place in places:
        place.rename(place.with_suffix(".away"))
    assert shop.step("test", "1.4.0").failure == ""
    for place in places:
        place.with_suffix(".away").rename(place)
    assert shop.step("record", "1.4.0").verified


def test_a_source_that_cannot_be_had_is_a_verdict_of_verify(shop: Shop) -> None:
    shop.deploy("1.3.0")
    (shop.folder / "app.git").rename(shop.folder / "gone.git")
    failed, back = shop.steps("1.4.0", names=STEPS[:3]).deployments
    assert failed.reason.startswith("the tests cannot be had: cannot fetch ")
    assert (back.version, back.outcome) == ("1.3.0", "verified")


def test_what_the_tests_write_into_the_workspace_does_not_choose_what_is_put_back(shop: Shop) -> None:
    shop.deploy("1.3.0")
    shop.deploy("1.4.0")
    shop.steps("1.5.0", names=STEPS[:-1])
    [left] = (shop.folder / "out" / "deploy").glob("*.json")
    told = json.loads(left.read_text())
    assert told["plan"]["verified"] == "1.4.0"
    told["plan"]["verified"] = "1.3.0"
    left.write_text(json.dumps(told))
    shop.step("record", "1.5.0")
    assert shop.cluster.declared() == "1.4.0"


@pytest.mark.parametrize("app", ["storefront", "shop/storefront"])
def test_the_tests_find_what_was_left_for_the_app_under_the_name_that_was_asked_for(shop: Shop, app: str) -> None:
    for step in STEPS[:3]:
        shop.step(step, "1.4.0", app=app)
    assert shop.step("test", "1.4.0", app=app).failure == ""
    with pytest.raises(BadInput, match="have not run here"):
        shop.step("test", "1.3.0", app=app)


def test_the_record_is_the_one_that_a_deployment_in_one_go_makes(shop: Shop) -> None:
    shop.deploy("1.3.0")
    (at_once,) = shop.deploy("1.4.0").deployments
    shop.deploy("1.3.0")
    shop.steps("1.4.0")
    in_steps = shop.ledger.latest("storefront", "dev")
    assert in_steps
    recorded = next(one for one in shop.ledger.deployments("storefront", "dev") if one.id == at_once.id)
    assert told(in_steps) == told(recorded)


def test_the_duration_is_that_of_all_steps(shop: Shop) -> None:
    done = shop.steps("1.4.0")
    (deployment,) = done.deployments
    ended = max(phase.started + timedelta(seconds=phase.seconds) for phase in deployment.phases)
    assert deployment.started <= min(phase.started for phase in deployment.phases)
    assert deployment.seconds == pytest.approx((ended - deployment.started).total_seconds(), abs=1.0)


def test_what_is_deployed_and_verified_already_passes_every_step_and_changes_nothing(shop: Shop) -> None:
    shop.deploy("1.4.0")
    before = shop.refs()
    for step in STEPS:
        done = shop.step(step, "1.4.0")
        assert done.already
        assert done.verified
        assert not done.attempted
    assert shop.refs() == before


@pytest.mark.parametrize(
    ("before", "step", "missing"),
    [
        ((), "apply", "--step plan first"),
        ((), "verify", "--step plan, then the others up to verify first"),
        ((), "test", "--step plan, then the others up to test first"),
        (("plan",), "verify", "--step apply first"),
        (("plan",), "test", "--step verify first"),
        (("plan", "apply"), "test", "--step verify first"),
        (("plan", "apply", "verify"), "record", "--step test first"),
    ],
)
def test_a_step_without_the_one_before_is_refused_with_the_one_to_run(
    shop: Shop, before: tuple[str, ...], step: str, missing: str
) -> None:
    for earlier in before:
        shop.step(earlier, "1.4.0")
    state = shop.refs()
    with pytest.raises(BadInput, match=r"have not run here for storefront 1\.4\.0 to dev") as raised:
        shop.step(step, "1.4.0")
    assert missing in raised.value.hint
    assert shop.refs() == state


def test_the_steps_of_another_version_do_not_count(shop: Shop) -> None:
    shop.step("plan", "1.3.0")
    with pytest.raises(BadInput, match=r"have not run here for storefront 1\.4\.0"):
        shop.step("apply", "1.4.0")
    assert shop.cluster.declared() is None


def test_another_version_in_between_supersedes_this_one_and_is_left_alone(shop: Shop) -> None:
    shop.steps("1.3.0", names=("plan", "apply"))
    shop.deploy("1.4.0")
    (deployment,) = shop.step("verify", "1.3.0").deployments
    assert deployment.outcome == "superseded"
    assert "declares 1.4.0 by now" in deployment.reason
    assert shop.cluster.declared() == "1.4.0"
    assert not shop.step("test", "1.3.0").verified


def test_a_version_verified_after_the_plan_is_the_one_that_is_put_back(shop: Shop) -> None:
    shop.deploy("1.3.0")
    shop.step("plan", "1.5.0")
    shop.deploy("1.4.0")
    done = shop.steps("1.5.0", names=STEPS[1:])
    assert [(one.version, one.kind) for one in done.deployments] == [("1.5.0", "deployment"), ("1.4.0", "rollback")]
    assert shop.cluster.declared() == "1.4.0"


def test_a_version_that_does_not_come_up_is_rolled_back_by_verify_and_stays_failed(shop: Shop) -> None:
    shop.deploy("1.3.0")
    shop.cluster.broken = {"1.4.0"}
    done = shop.steps("1.4.0", names=("plan", "apply", "verify"))
    failed, back = done.deployments
    assert (failed.outcome, back.kind, back.version, back.outcome) == ("failed", "rollback", "1.3.0", "verified")
    assert "it does not start" in failed.evidence
    assert shop.cluster.declared() == "1.3.0"
    recorded = records(shop)
    assert recorded[1:] == [("1.4.0", "deployment", "failed"), ("1.3.0", "rollback", "verified")]

    again = shop.step("test", "1.4.0")
    assert not again.verified
    assert [one.id for one in again.deployments] == [failed.id, back.id]
    assert records(shop) == recorded


def test_failing_tests_are_recorded_and_rolled_back_by_the_last_step(shop: Shop) -> None:
    shop.deploy("1.4.0")
    assert not shop.steps("1.5.0", names=("plan", "apply", "verify")).attempted
    tested = shop.step("test", "1.5.0")
    assert (tested.attempted, tested.failure) == (False, "smoke: exit code 3")
    failed, back = shop.step("record", "1.5.0").deployments
    assert failed.reason == "smoke: exit code 3"
    assert back.version == shop.cluster.declared() == "1.4.0"


@pytest.mark.parametrize("where", ["in the tests", "after them", "in a second run of them"])
def test_a_step_of_tests_that_is_lost_half_way_is_a_verdict_and_the_version_before_is_put_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """As where the agent's disk is full, or its memory: the pipeline then goes on with the record."""
    shop.deploy("1.4.0")
    shop.steps("1.3.0", names=STEPS[: STEPS.index("test") + (where == "in a second run of them")])
    with monkeypatch.context() as patch:
        if where == "after them":
            patch.setattr(deploy_steps, "_test", unwritable)
        else:
            patch.setattr(environment_tests, "run", interrupted)
        with pytest.raises((KeyboardInterrupt, OSError)):
            shop.step("test", "1.3.0")
    failed, back = shop.step("record", "1.3.0").deployments
    assert (failed.outcome, failed.reason) == ("failed", "the step that runs the tests did not get to its end")
    assert back.version == shop.cluster.declared() == "1.4.0"


def test_where_nothing_may_be_put_back_the_failed_version_stays(shop: Shop) -> None:
    shop.deploy("1.4.0")
    shop.change("dev", on_failure="keep")
    (failed,) = shop.steps("1.5.0").deployments
    assert failed.outcome == "failed"
    assert shop.cluster.declared() == "1.5.0"


@pytest.mark.parametrize("stopped_after", [1, 2, 3])
def test_killed_between_two_steps_a_new_run_of_all_steps_completes_it(shop: Shop, stopped_after: int) -> None:
    shop.steps("1.4.0", names=STEPS[:stopped_after])
    done = shop.steps("1.4.0")
    assert done.verified
    assert not done.already
    assert records(shop) == [("1.4.0", "deployment", "verified")]
    assert count(shop.remote) == 2


def test_killed_between_two_steps_a_deployment_in_one_go_completes_it(shop: Shop) -> None:
    shop.steps("1.4.0", names=("plan", "apply"))
    assert shop.deploy("1.4.0").verified
    assert count(shop.remote) == 2


@pytest.mark.parametrize("step", ["apply", "verify"])
def test_a_step_that_has_run_may_run_again(shop: Shop, step: str) -> None:
    shop.steps("1.4.0", names=STEPS[: STEPS.index(step) + 1])
    shop.steps("1.4.0", names=STEPS[STEPS.index(step) :])
    assert records(shop) == [("1.4.0", "deployment", "verified")]
    assert count(shop.remote) == 2


@pytest.mark.parametrize(
    ("step", "room", "function"),
    [
        ("apply", flux, "apply"),
        ("verify", flux, "follow"),
        ("test", environment_tests, "run"),
        ("test", results, "save"),
        ("record", Ledger, "record"),
        ("record", results, "save"),
    ],
    ids=["before the commit", "while it waits", "in the tests", "after them", "before the record", "after the record"],
)
def test_killed_in_the_middle_of_a_step_the_step_completes_when_it_is_run_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, step: str, room: Any, function: str
) -> None:
    shop.steps("1.4.0", names=STEPS[: STEPS.index(step)])
    with monkeypatch.context() as patch:
        patch.setattr(room, function, interrupted)
        with pytest.raises(KeyboardInterrupt):
            shop.step(step, "1.4.0")
    assert shop.steps("1.4.0", names=STEPS[STEPS.index(step) :]).verified
    assert records(shop) == [("1.4.0", "deployment", "verified")]
    assert count(shop.remote) == 2


def test_a_rollback_that_was_killed_is_completed_when_the_step_is_run_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.deploy("1.4.0")
    shop.steps("1.5.0", names=STEPS[:-1])
    follow = flux.follow
    with monkeypatch.context() as patch:
        patch.setattr(flux, "follow", interrupted)
        with pytest.raises(KeyboardInterrupt):
            shop.step("record", "1.5.0")
    assert flux.follow is follow
    assert not shop.step("record", "1.5.0").verified
    assert shop.cluster.declared() == "1.4.0"
    latest = shop.ledger.latest("storefront", "dev")
    assert latest
    assert (latest.version, latest.kind, latest.outcome) == ("1.4.0", "rollback", "verified")


def test_a_way_back_that_is_refused_is_recorded_as_failed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> str:
        raise Refused("the quota is used up")

    shop.deploy("1.4.0")
    shop.steps("1.5.0", names=STEPS[:-1])
    monkeypatch.setattr(flux, "apply", refused)
    _, back = shop.step("record", "1.5.0").deployments
    assert (back.version, back.outcome, back.reason) == ("1.4.0", "failed", "the quota is used up")
    assert records(shop)[-1] == ("1.4.0", "rollback", "failed")


def test_what_policy_refuses_is_refused_by_the_plan_and_nothing_is_changed(shop: Shop) -> None:
    before = shop.refs()
    with pytest.raises(Refused, match=r"1\.4\.0 may not go to prod: it is not verified in dev"):
        shop.step("plan", "1.4.0", "prod")
    with pytest.raises(BadInput):
        shop.step("apply", "1.4.0", "prod")
    assert shop.refs() == before


def test_policy_is_asked_again_when_it_gets_serious(shop: Shop) -> None:
    shop.step("plan", "1.4.0")
    before = shop.refs()
    freeze(shop)
    with pytest.raises(Refused, match=r"dev is frozen until .*: holidays"):
        shop.step("apply", "1.4.0")
    assert shop.refs() == before


def test_names_that_do_not_exist_are_refused_as_by_a_deployment_in_one_go(shop: Shop) -> None:
    with pytest.raises(BadInput, match="did you mean dev"):
        shop.step("plan", "1.4.0", "devs")
    with pytest.raises(BadInput, match="never published"):
        shop.step("plan", "1.4.1")


def test_the_plan_for_jenkins_lists_the_steps_with_what_each_needs(shop: Shop) -> None:
    jenkins = type(shop.platform.jenkins)(credentials=JenkinsCredentials(registry="reg", git="forge"))
    platform = type(shop.platform)(
        registry=shop.platform.registry,
        deploy_repository=shop.platform.deploy_repository,
        environments=shop.platform.environments,
        jenkins=jenkins,
    )
    plan = deploy_steps.planned(platform, shop.request("1.4.0"), "tests/dev/junit.xml", None)
    assert plan.title == "storefront 1.4.0 → dev"
    assert plan.lock == "jenkins-cd deploys storefront to dev"
    assert [step.stage for step in plan.steps] == ["Plan", "Deploy", "Verify", "Tests", "Record"]
    assert [step.needs for step in plan.steps] == [(), ("Plan",), ("Deploy",), ("Verify",), ("Tests",)]
    assert [step.wave for step in plan.steps] == [0, 1, 2, 3, 4]
    assert [step.junit for step in plan.steps] == ["", *["tests/dev/junit.xml"] * 2, "", "tests/dev/junit.xml"]
    assert [step.always for step in plan.steps] == [False, False, False, False, True]
    given = [{one.id for one in step.credentials} for step in plan.steps]
    assert given == [*[{"reg", "forge"}] * 3, set(), {"reg", "forge"}]
    assert plan.steps[0].arguments == (
        "deploy", "--app", "storefront", "--version", "1.4.0", "--environment", "dev", "--step", "plan",
    )  # fmt: skip
    with pytest.raises(BadInput, match="no environment"):
        deploy_steps.planned(platform, shop.request("1.4.0", "nowhere"), "", None)
