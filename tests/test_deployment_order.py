"""What is newest is told by the ledger, not by the clocks of agents; what was begun and not judged is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from jenkins_cd import cli, phases, promote, status
from jenkins_cd.config.types import Approvals, Freeze
from jenkins_cd.delivery import flux
from jenkins_cd.errors import Interrupted, Refused
from jenkins_cd.gitops import ledger as ledgers
from jenkins_cd.model import Approval
from jenkins_cd.tools import server_time
from tests.delivery.progress import Notes
from tests.deployments import STEPS, Shop
from tests.gitops.samples import deployment


class Clock:
    """What agents take for the time: `off` from what it is."""

    off = timedelta()

    @classmethod
    def now(cls, zone: Any = None) -> datetime:
        return datetime.now(zone) + cls.off

    def __getattr__(self, name: str) -> Any:
        return getattr(datetime, name)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Clock]]:
    for room in (phases, ledgers, promote):
        monkeypatch.setattr(room, "datetime", Clock())
    server_time.forget()
    yield Clock
    Clock.off = timedelta()
    server_time.forget()


def runs(shop: Shop) -> tuple[str | None, str]:
    """Return version and verdict that the board shows for dev."""
    (place,) = status.board(shop.platform, "storefront", "dev").places
    return place.version, place.outcome


@pytest.mark.parametrize("off", [timedelta(hours=-1), timedelta(days=-400), timedelta(hours=1)])
def test_the_deployment_that_came_last_is_the_newest_whatever_the_clock_says(
    shop: Shop, clock: type[Clock], off: timedelta
) -> None:
    shop.deploy("1.3.0")
    clock.off = off
    shop.deploy("1.4.0")
    assert runs(shop) == ("1.4.0", "verified")
    assert shop.deploy("1.4.0").already
    clock.off = timedelta()
    shop.deploy("1.3.0")
    assert runs(shop) == ("1.3.0", "verified")
    assert [one.version for one in shop.ledger.deployments("storefront")] == ["1.3.0", "1.4.0", "1.3.0"]


def test_the_way_back_leads_to_what_was_verified_last_and_is_the_newest_itself(shop: Shop, clock: type[Clock]) -> None:
    shop.deploy("1.3.0")
    clock.off = timedelta(hours=-2)
    shop.deploy("1.4.0")
    clock.off = timedelta(hours=-4)
    _, back = shop.steps("1.5.0").deployments
    assert (back.version, back.outcome) == ("1.4.0", "verified")
    latest = shop.ledger.latest("storefront", "dev")
    assert latest
    assert latest.id == back.id


def test_records_of_a_time_that_never_comes_do_not_stay_the_newest(shop: Shop) -> None:
    for id_ in ("21990101T000000.000000Z-1", "99991231T235959.999999Z-1", "zz-not-a-time"):
        shop.ledger.record(deployment(1, id=id_, version="1.3.0"))
    shop.deploy("1.4.0")
    assert runs(shop) == ("1.4.0", "verified")


# --- approvals and freezes -------------------------------------------------------------------------------------------


def approve(shop: Shop, approver: str = "ops", **more: Any) -> Approval:
    asked = shop.request("1.4.0", "prod", approver=approver, **more)
    return promote.approve(shop.platform, asked, shop.folder / "out", Notes())


@pytest.mark.parametrize("off", [timedelta(hours=-1), timedelta(hours=1)])
def test_an_approval_counts_once_whatever_the_clock_of_who_uses_it_says(
    shop: Shop, clock: type[Clock], off: timedelta
) -> None:
    shop.deploy("1.3.0")
    shop.deploy("1.4.0")
    approve(shop)
    clock.off = off
    assert shop.deploy("1.4.0", "prod").verified
    shop.deploy("1.3.0", "prod", approver="ops")
    with pytest.raises(Refused, match="people bring releases to prod"):
        shop.deploy("1.4.0", "prod")
    approve(shop)
    assert shop.deploy("1.4.0", "prod").verified


def test_an_approval_does_not_live_longer_because_a_clock_is_behind(shop: Shop, clock: type[Clock]) -> None:
    shop.deploy("1.4.0")
    shop.change("prod", approval_valid="30m")
    approve(shop)
    clock.off = timedelta(hours=1)
    shop.deploy("1.3.0")  # so the ledger knows that it is an hour later
    clock.off = timedelta()
    with pytest.raises(Refused, match="people bring releases to prod"):
        shop.deploy("1.4.0", "prod")


def test_where_a_freeze_is_planned_a_server_is_asked_what_time_it_is(shop: Shop, clock: type[Clock]) -> None:
    later = datetime.now(timezone.utc) + timedelta(days=9)
    freeze = Freeze(start=later.isoformat(), end=(later + timedelta(days=1)).isoformat(), why="fair")
    shop.change("dev", freeze=(freeze,))
    assert shop.deploy("1.3.0").verified
    before, clock.off = shop.refs(), timedelta(hours=-1)
    server_time.forget()
    with pytest.raises(Refused, match=r"by this machine's clock and .* by a server's: set the clock"):
        shop.deploy("1.4.0")
    assert shop.refs() == before


def test_who_promotes_is_recorded_as_approver_before_anything_is_changed(shop: Shop) -> None:
    shop.deploy("1.4.0")
    (done,) = shop.deploy("1.4.0", "prod", approver="ops").deployments
    (given,) = shop.ledger.approvals("storefront", "prod")
    assert (done.approval, given.approver, given.requested_by) == (given.id, "ops", "jane")


def test_a_promotion_that_is_refused_leaves_no_approval(shop: Shop) -> None:
    before = shop.refs()
    with pytest.raises(Refused):
        shop.deploy("1.4.0", "prod", approver="ops")
    assert shop.refs() == before


@pytest.mark.parametrize("environment", [None, Approvals(four_eyes=True)])
def test_four_eyes_are_asked_for_when_it_is_approved_promoted_and_applied(
    shop: Shop, environment: Approvals | None
) -> None:
    shop.deploy("1.4.0")
    given = approve(shop, requested_by="ops")  # nobody asked for four eyes yet
    shop.change("prod", approvals=environment or Approvals(four_eyes=True))
    with pytest.raises(Refused, match="ops approves what OPS asked for"):
        approve(shop, requested_by="OPS")
    with pytest.raises(Refused, match="who wrote its commit is not recorded"):
        shop.deploy("1.4.0", "prod", approver="ops")
    with pytest.raises(Refused, match="ops approves what ops asked for"):
        shop.steps("1.4.0", "prod", names=("plan",))
    assert shop.ledger.approvals("storefront", "prod") == [given]
    assert shop.cluster.declared("prod") is None


# --- begun, and not judged -------------------------------------------------------------------------------------------


def interrupted(*_: object, **__: object) -> Any:
    raise Interrupted("stopped by SIGTERM")


@pytest.fixture
def stopped(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Interrupted:
    """What a deployment of 1.4.0 says that is stopped while 1.3.0 is verified, once it is applied."""
    shop.deploy("1.3.0")
    with monkeypatch.context() as patch:
        patch.setattr(flux, "follow", interrupted)
        with pytest.raises(Interrupted) as raised:
            shop.deploy("1.4.0")
    return raised.value


def test_a_deployment_that_is_stopped_says_what_it_leaves(stopped: Interrupted) -> None:
    assert stopped.message == (
        "stopped by SIGTERM; storefront 1.4.0 was applied and is not judged: what runs in dev is unknown"
    )
    assert "jenkins-cd deploy --app storefront --environment dev --resume takes it up" in stopped.hint
    assert stopped.exit_code == 130


def test_what_was_begun_and_not_judged_is_unknown_since(shop: Shop, stopped: Interrupted) -> None:
    assert stopped
    (place,) = status.board(shop.platform, "storefront", "dev").places
    assert (place.version, place.outcome) == ("1.4.0", "unknown")
    assert place.note.startswith("unknown since 20")
    assert place.note.endswith("1.4.0 was begun and is not judged; before it 1.3.0 was verified")


@pytest.mark.parametrize("version", ["1.3.0", "1.4.0"])
def test_the_next_deployment_starts_from_what_runs_and_settles_it(
    shop: Shop, stopped: Interrupted, version: str
) -> None:
    assert stopped
    done = shop.deploy(version)
    assert (done.already, done.plan.running) == (False, "1.4.0")
    assert runs(shop) == (version, "verified")


def test_what_runs_already_but_was_never_judged_is_not_deployed_already(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.deploy("1.3.0")
    with monkeypatch.context() as patch:
        patch.setattr(flux, "apply", interrupted)
        with pytest.raises(Interrupted, match="may have been applied and is not judged"):
            shop.deploy("1.4.0")
    assert not shop.deploy("1.3.0").already
    assert runs(shop) == ("1.3.0", "verified")
    assert shop.deploy("1.3.0").already


@pytest.mark.parametrize("resumable", [True, False])
def test_every_model_records_what_it_begins(shop: Shop, monkeypatch: pytest.MonkeyPatch, resumable: bool) -> None:
    monkeypatch.setattr(flux, "RESUMABLE", resumable)
    shop.steps("1.4.0", names=STEPS[:2])
    begun = shop.ledger.begun("storefront", "dev")
    assert begun
    assert runs(shop) == ("1.4.0", "unknown")
    shop.steps("1.4.0", names=STEPS[2:])
    assert shop.ledger.begun("storefront", "dev") is None


# --- where it comes from ---------------------------------------------------------------------------------------------


def test_source_and_commit_are_shown_wherever_somebody_decides(
    shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.deploy("1.4.0")
    release = shop.releases["1.4.0"]
    shop.cluster.environment = "prod"
    question = promote.ask(shop.platform, shop.request("1.4.0", "prod"), shop.folder / "out", Notes())
    assert f"Built from {release.source} at {release.commit}" in question.question
    assert (question.source, question.commit) == (release.source, release.commit)
    shop.file()
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.chdir(shop.folder)
    shown = f"{release.source} at {release.commit[:12]}"
    app = ["--app", "storefront"]
    for command in (["history", *app], ["status"], ["diff", *app, "--environment", "prod", "--version", "1.4.0"]):
        assert cli.run(command) in (0, 1)
        said = capsys.readouterr()
        assert shown in said.out + said.err
        cli.run([*command, "--json"])
        document = json.loads(capsys.readouterr().out)
        (found,) = [one for one in (document, *document.get("places", ()), *document.get("releases", ()))
                    if one.get("source") and one.get("version") == "1.4.0"]  # fmt: skip
        assert (found["source"], found["commit"]) == (release.source, release.commit)


def test_a_release_of_another_source_goes_nowhere(shop: Shop) -> None:
    shop.deploy("1.4.0")
    shop.platform = type(shop.platform)(
        **{**shop.platform.__dict__, "apps": {"storefront": ("https://git.local/shop/storefront.git",)}}
    )
    before, told = shop.refs(), "which is not where releases of shop/storefront come from"
    for act in (
        lambda: shop.deploy("1.3.0"),
        lambda: shop.deploy("1.4.0", "prod", approver="ops"),
        lambda: approve(shop),
        lambda: shop.step("plan", "1.3.0"),
        lambda: promote.ask(shop.platform, shop.request("1.4.0", "prod"), shop.folder / "out", Notes()),
    ):
        with pytest.raises(Refused, match=told):
            act()
    assert shop.refs() == before


def test_the_time_of_a_server_is_that_of_its_answer_and_what_has_passed_since() -> None:
    server_time.forget()
    assert server_time.now() is None
    for headers in ({}, {"Date": "yesterday"}, {"Date": ""}, {"Date": "Mon, 30 Nov 2026 20:00:00 GMT", "Age": "x"}):
        server_time.note(headers)
        assert server_time.now() is None
    server_time.note({"Date": "Mon, 30 Nov 2026 20:00:00 GMT", "Age": "60"})
    told = server_time.now()
    assert told
    assert timedelta(0) <= told - datetime(2026, 11, 30, 20, 1, tzinfo=timezone.utc) < timedelta(minutes=1)
    server_time.forget()
