"""What the steps of a deployment leave in files decides nothing: anybody in the workspace can write them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd import deploy_steps, resume
from jenkins_cd.errors import BadInput, JenkinsCdError, Refused
from jenkins_cd.gitops.repository import Repository
from jenkins_cd.model import Approval, Begun, Deployment
from tests.delivery.progress import Notes
from tests.deployments import STEPS, Shop
from tests.gitops.samples import deployment

Spoil = Callable[[dict[str, Any]], None]


def file(shop: Shop, environment: str = "dev") -> Path:
    return shop.folder / "out" / "deploy" / f"{environment}-shop-storefront.json"


def rewritten(shop: Shop, spoil: Spoil, environment: str = "dev", *, onto: str = "") -> None:
    """Change what the steps have left as a process does that an earlier test has left behind."""
    said = json.loads(file(shop, environment).read_text(encoding="utf-8"))
    spoil(said)
    file(shop, onto or environment).write_text(json.dumps(said), encoding="utf-8")


def attempted(shop: Shop, *steps: str, environment: str = "dev") -> JenkinsCdError | None:
    try:
        shop.steps("1.4.0", environment, names=steps)
    except JenkinsCdError as error:
        return error
    return None


def claims_an_approver(said: dict[str, Any]) -> None:
    said["request"].update(environment="prod", approver="ops", approval="20990101T000000Z-1", approval_reason="x")
    said.update(already=False, phases=[])


@pytest.mark.parametrize("step", ["apply", "verify", "test", "record"])
def test_an_approver_in_a_file_approves_nothing(shop: Shop, step: str) -> None:
    shop.deploy("1.4.0")
    shop.steps("1.4.0", names=("plan",))
    rewritten(shop, claims_an_approver, onto="prod")
    error = attempted(shop, step, environment="prod")
    assert isinstance(error, Refused if step == "apply" else BadInput)
    assert shop.cluster.declared("prod") is None
    assert shop.ledger.latest("storefront", "prod") is None


@pytest.mark.parametrize("step", ["verify", "record"])
def test_a_deployment_that_was_begun_without_an_approval_in_the_ledger_is_not_gone_on_with(
    shop: Shop, step: str
) -> None:
    shop.deploy("1.4.0")
    shop.steps("1.4.0", names=("plan", "apply", "verify"))
    begun = forged_begun(shop)

    def claim(said: dict[str, Any]) -> None:
        claims_an_approver(said)
        said.update(
            id=begun.id,
            commit="1" * 40,
            followed={"reached": True, "superseded_by": "", "observation": None, "reason": ""},
            tested=True,
            outcome={"tests": {}},
        )

    shop.deploy("1.3.0")
    shop.steps("1.4.0", names=("plan",))
    rewritten(shop, claim, onto="prod")
    assert isinstance(attempted(shop, step, environment="prod"), Refused)
    assert shop.ledger.latest("storefront", "prod") is None


def forged_begun(shop: Shop, **more: Any) -> Begun:
    """Put a deployment to prod into the ledger as begun, which nobody has approved."""
    asked: dict[str, Any] = {"id": "20990101T000000Z-1", "app": "storefront", "project": "shop", "version": "1.4.0"}
    asked |= {"environment": "prod", "approver": "ops", "approval": "20980101T000000Z-1", "requested_by": "jane"}
    done = shop.ledger.begun_as("storefront", "dev", _newest(shop, "begun/dev/"))
    assert done
    asked |= {"started": done.started, "plan": done.plan, "build_url": done.build_url}
    return shop.ledger.begin(Begun(**{**asked, **more}))


def _newest(shop: Shop, prefix: str) -> str:
    repository = Repository.open(str(shop.remote))
    return max(repository.list(repository.tip("ledger") or "", prefix)).rpartition("/")[2].removesuffix(".json")


@pytest.mark.parametrize("approval", ["", "20980101T000000Z-1", "../../x", "of another version"])
def test_a_run_that_takes_it_up_looks_the_approval_up_again(shop: Shop, approval: str) -> None:
    shop.deploy("1.4.0")
    if approval == "of another version":
        given = Approval(
            id="20970101T000000Z-2", app="storefront", project="shop", version="1.3.0", environment="prod",
            approver="ops", reason="", at=shop.ledger.deployments("storefront")[0].started,
        )  # fmt: skip
        approval = shop.ledger.approve(given).id
    forged_begun(shop, approval=approval)
    shop.cluster.environment = "prod"
    with pytest.raises(Refused, match="people bring releases to prod"):
        resume.resume(shop.platform, "storefront", "prod", shop.folder / "out", Notes())
    assert shop.cluster.declared("prod") is None


@pytest.mark.parametrize("step", ["apply", "verify", "record"])
def test_that_it_is_deployed_already_is_looked_at_again(shop: Shop, step: str) -> None:
    shop.steps("1.4.0", names=("plan",))
    rewritten(shop, lambda said: said.update(already=True))
    error = attempted(shop, step)
    assert isinstance(error, BadInput)
    assert "--step plan first" in error.hint


def test_a_verdict_in_a_file_is_none(shop: Shop) -> None:
    shop.steps("1.4.0", names=("plan",))
    made_up = json.loads(json.dumps(deployment(1).__dict__, default=str))
    rewritten(shop, lambda said: said.update(ended=[made_up]))
    error = attempted(shop, "record")
    assert isinstance(error, BadInput)
    assert shop.ledger.latest("storefront", "dev") is None


def test_the_verdict_of_an_earlier_build_is_not_this_ones(shop: Shop) -> None:
    shop.steps("1.4.0")
    old = json.loads(file(shop).read_text(encoding="utf-8"))
    shop.cluster.broken = {"1.4.0"}
    again = shop.request("1.4.0", build_url="https://jenkins.local/job/8")
    deploy_steps.run("plan", shop.platform, again, shop.folder / "out", Notes())
    rewritten(shop, lambda said: said.update(ended=old["ended"], id=old["id"]))
    with pytest.raises(BadInput):
        deploy_steps.run("record", shop.platform, again, shop.folder / "out", Notes())


def test_what_is_said_to_have_come_up_is_looked_at_again_before_it_counts(shop: Shop) -> None:
    shop.deploy("1.3.0")
    shop.cluster.broken = {"1.4.0"}
    shop.steps("1.4.0", names=("plan", "apply"))
    up = {"reached": True, "superseded_by": "", "observation": None, "reason": "it is up"}
    rewritten(shop, lambda said: said.update(followed=up))
    failed, back = shop.steps("1.4.0", names=("test", "record")).deployments
    assert (failed.outcome, back.version, back.outcome) == ("failed", "1.3.0", "verified")


def test_what_is_put_back_is_what_the_ledger_says_was_verified(shop: Shop) -> None:
    shop.deploy("1.3.0")
    shop.deploy("1.4.0")
    shop.steps("1.5.0", names=("plan", "apply", "verify"))
    older = shop.ledger.deployments("storefront", "dev")[-1]

    def claim(said: dict[str, Any]) -> None:
        said["verified"] = json.loads(json.dumps(older.__dict__, default=str))
        said["plan"]["verified"] = "1.3.0"

    rewritten(shop, claim)
    _, back = shop.steps("1.5.0", names=("test", "record")).deployments
    assert back.version == shop.cluster.declared() == "1.4.0"


@pytest.mark.parametrize("step", ["apply", "verify", "test", "record"])
def test_what_is_planned_and_since_when_is_not_taken_from_a_file(shop: Shop, step: str) -> None:
    shop.steps("1.4.0", names=STEPS[: STEPS.index(step)])
    rewritten(shop, lambda said: said["plan"].update(files="", manifests="", base="0" * 40, environment="prod"))
    rewritten(shop, lambda said: said.update(started="2199-01-01T00:00:00Z"))
    done = shop.steps("1.4.0", names=STEPS[STEPS.index(step) :])
    assert done.verified
    recorded = shop.ledger.latest("storefront", "dev")
    assert recorded
    assert recorded.id < "2199"
    assert step == "apply" or recorded.started.year < 2199
    later: Deployment = shop.deploy("1.3.0").deployments[0]
    assert shop.ledger.latest("storefront", "dev") == shop.ledger.deployment("storefront", "dev", later.id)


@pytest.mark.parametrize("step", ["verify", "record"])
def test_an_attempt_that_was_judged_is_not_judged_anew(shop: Shop, step: str) -> None:
    shop.deploy("1.3.0")
    shop.cluster.broken = {"1.4.0"}
    shop.steps("1.4.0", names=("plan", "apply"))
    left = json.loads(file(shop).read_text(encoding="utf-8"))
    failed, back = shop.step("verify", "1.4.0").deployments
    shop.deploy("1.5.0")
    shop.cluster.broken = set()
    before, known = shop.refs(), shop.ledger.deployments("storefront")
    up = {"reached": True, "superseded_by": "", "observation": None, "reason": "it is up"}
    outcome = {"tests": {"cases": []}, "failure": ""}
    rewritten(shop, lambda said: said.update(left, followed=up, outcome=outcome, tested=True, ended=[]))
    done = shop.step(step, "1.4.0")
    assert not done.verified
    assert done.deployments[0].outcome == failed.outcome == "failed"
    assert (shop.refs(), shop.ledger.deployments("storefront")) == (before, known)
    assert back.kind == "rollback"


def test_an_earlier_verdict_is_not_that_of_what_was_begun_since(shop: Shop) -> None:
    shop.steps("1.4.0")
    verified = json.loads(file(shop).read_text(encoding="utf-8"))["ended"]
    assert verified
    (shop.folder / "out" / "deploy").joinpath("dev-shop-storefront.json").unlink()
    repository = Repository.open(str(shop.remote))
    place = "dev/shop/storefront/Chart.yaml"
    shop.cluster.broken = {"1.4.0"}
    repository.commit("main", "by hand", lambda view: {place: (view.read(place) or b"").replace(b"1.4.0", b"1.3.0")})
    shop.steps("1.4.0", names=("plan", "apply"))
    rewritten(shop, lambda said: said.update(ended=verified))
    assert not shop.step("verify", "1.4.0").verified
    assert shop.ledger.begun("storefront", "dev") is None
    assert shop.ledger.deployments("storefront", "dev")[-2].outcome == "failed"


def test_what_is_recorded_as_the_diff_is_the_plans_of_apply(shop: Shop) -> None:
    shop.steps("1.4.0", names=STEPS[:4])
    rewritten(shop, lambda said: said["plan"].update(files="nothing to see here"))
    assert "+version: 1.4.0" in shop.step("record", "1.4.0").deployments[0].diff


@pytest.mark.parametrize("name", ["other.json", "dev-museum-storefront.json"])
def test_the_tests_pass_over_what_others_have_left(shop: Shop, name: str) -> None:
    shop.steps("1.4.0", names=STEPS[:3])
    strange = file(shop).with_name(name)
    makers: tuple[Callable[[Path], object], ...] = (
        lambda place: place.symlink_to("/nowhere"),
        lambda place: os.mkfifo(place),
        lambda place: place.write_text("[[[", encoding="utf-8"),
    )
    for make in makers:
        make(strange)
        assert shop.step("test", "1.4.0").failure == ""
        strange.unlink()
