from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd import deploy as room
from jenkins_cd import environment_tests, faults, promote, status
from jenkins_cd.attempt import Request
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.delivery import flux
from jenkins_cd.deploy import Done
from jenkins_cd.errors import BadInput, ExternalFailure, Interrupted, Refused, Stopped
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import Release
from tests.delivery.progress import Notes
from tests.deployments import Cluster, Shop
from tests.gitops.remotes import count, git


@pytest.fixture
def platform(shop: Shop) -> PlatformFile:
    return shop.platform


@pytest.fixture
def cluster(shop: Shop) -> Cluster:
    return shop.cluster


@pytest.fixture
def remote(shop: Shop) -> Path:
    return shop.remote


@pytest.fixture
def published(shop: Shop) -> dict[str, Release]:
    return shop.releases


@pytest.fixture
def go(shop: Shop) -> Callable[..., Done]:
    return shop.deploy


def test_a_release_is_deployed_verified_tested_and_recorded(go: Any, platform: PlatformFile, cluster: Cluster) -> None:
    done = go("1.4.0")
    assert done.verified
    assert cluster.declared() == "1.4.0"
    recorded = Ledger.open(platform).verified("storefront", "dev")
    assert recorded
    assert (recorded.version, recorded.requested_by) == ("1.4.0", "jane")
    assert recorded.build_url == "https://jenkins.local/job/7"
    assert [phase.name for phase in recorded.phases] == ["plan", "policy", "apply", "verify", "test"]
    assert recorded.tests
    assert recorded.tests.summary == "1 test"
    assert "+version: 1.4.0" in recorded.diff


def test_the_tests_see_where_the_app_is_which_version_and_which_environment(
    go: Any, cluster: Cluster, tmp_path: Path
) -> None:
    go("1.4.0")
    seen = (tmp_path / "out" / "tests" / "dev" / "source" / "seen").read_text()
    assert seen == f"{cluster.app.url} 1.4.0 dev\n"


def test_deploying_what_is_verified_already_changes_nothing_and_says_so(go: Any, remote: Path) -> None:
    go("1.4.0")
    before = count(remote), count(remote, "ledger")
    again = go("1.4.0")
    assert again.already
    assert again.verified
    assert (count(remote), count(remote, "ledger")) == before


def test_a_dry_run_shows_the_difference_and_writes_nothing(go: Any, remote: Path) -> None:
    before = git(remote, "for-each-ref")
    done = go("1.4.0", dry_run=True)
    assert "+version: 1.4.0" in done.plan.files
    assert not done.deployments
    assert git(remote, "for-each-ref") == before


def test_a_version_that_does_not_come_up_is_rolled_back_and_both_are_recorded(
    go: Any, platform: PlatformFile, cluster: Cluster
) -> None:
    go("1.3.0")
    cluster.broken = {"1.4.0"}
    done = go("1.4.0")
    assert not done.verified
    failed, back = done.deployments
    assert (failed.outcome, failed.kind) == ("failed", "deployment")
    assert failed.observation
    assert failed.observation.status == 500
    assert "it does not start" in failed.evidence
    assert failed.reason not in failed.evidence
    assert (back.outcome, back.kind, back.version) == ("verified", "rollback", "1.3.0")
    assert cluster.declared() == "1.3.0"
    newest = Ledger.open(platform).deployments("storefront", "dev")
    assert [(one.version, one.kind) for one in newest[:2]] == [("1.3.0", "rollback"), ("1.4.0", "deployment")]


def test_a_version_whose_tests_fail_is_rolled_back_too(go: Any, cluster: Cluster) -> None:
    go("1.4.0")
    failed, back = go("1.5.0").deployments
    assert failed.reason == "smoke: exit code 3"
    assert back.version == cluster.declared() == "1.4.0"


def test_the_first_version_ever_that_fails_has_nothing_to_go_back_to(go: Any, cluster: Cluster) -> None:
    cluster.broken = {"1.4.0"}
    done = go("1.4.0")
    assert [one.outcome for one in done.deployments] == ["failed"]


def test_where_nothing_may_be_put_back_the_failed_version_stays(
    go: Any, platform: PlatformFile, cluster: Cluster
) -> None:
    go("1.3.0")
    kept = replace(platform.environments["dev"], on_failure="keep")
    cluster.broken = {"1.4.0"}
    done = room.deploy(
        replace(platform, environments={**platform.environments, "dev": kept}),
        Request(app="storefront", version="1.4.0", environment="dev", requested_by="jane"),
        Path(),
        Notes(),
    )
    assert [one.kind for one in done.deployments] == ["deployment"]
    assert cluster.declared() == "1.4.0"


def test_what_was_applied_but_never_verified_is_finished_by_the_next_run(
    go: Any, platform: PlatformFile, cluster: Cluster, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(flux, "follow", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            go("1.4.0")
    assert cluster.declared() == "1.4.0"
    assert Ledger.open(platform).latest("storefront", "dev") is None
    commits = count(remote)
    done = go("1.4.0")
    assert done.verified
    assert not done.already
    assert count(remote) == commits


ERRORS = [
    ValueError("Invalid pattern"),
    OSError(28, "No space left on device"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    RecursionError(),
    ExternalFailure("the server is away"),
    BadInput("no such thing"),
]
PHASES = {
    "follow": "it cannot be known whether it came up: ",
    "run": "the tests cannot be run: ",
    "fetch": "the tests cannot be had: ",
}


def failing(monkeypatch: pytest.MonkeyPatch, room: Any, function: str, error: BaseException, times: int = 1) -> None:
    """Let a function raise an error the first times that it is called."""
    works, left = getattr(room, function), [error] * times

    def fail(*arguments: Any) -> Any:
        if left:
            raise left.pop()
        return works(*arguments)

    monkeypatch.setattr(room, function, fail)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("function", PHASES)
def test_whatever_is_raised_after_it_was_applied_is_a_verdict_and_the_version_before_is_put_back(
    go: Any, cluster: Cluster, shop: Shop, monkeypatch: pytest.MonkeyPatch, function: str, error: Exception
) -> None:
    go("1.3.0")
    failing(monkeypatch, flux if function == "follow" else environment_tests, function, error)
    failed, back = go("1.4.0").deployments
    assert (failed.outcome, failed.version) == ("failed", "1.4.0")
    assert failed.reason.startswith(PHASES[function])
    assert faults.reason(error) in failed.reason
    assert failed.phases[-2].status == "failed"
    assert (back.kind, back.outcome, cluster.declared()) == ("rollback", "verified", "1.3.0")
    assert [one.outcome for one in shop.ledger.deployments("storefront", "dev")][:2] == ["verified", "failed"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Interrupted("stopped by SIGTERM"), Stopped("sh was stopped")])
@pytest.mark.parametrize("function", PHASES)
def test_an_interrupt_is_none(
    go: Any, shop: Shop, monkeypatch: pytest.MonkeyPatch, function: str, error: BaseException
) -> None:
    failing(monkeypatch, flux if function == "follow" else environment_tests, function, error)
    with pytest.raises(type(error)):
        go("1.4.0")
    assert not shop.ledger.deployments("storefront", "dev")


@pytest.mark.parametrize("function", ["diagnose", "withdraw"])
def test_evidence_that_cannot_be_had_is_said_in_its_place(
    go: Any, cluster: Cluster, shop: Shop, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    cluster.broken = {"1.4.0"}
    failing(monkeypatch, flux, function, OSError(5, "Input/output error"))
    (failed,) = go("1.4.0").deployments
    assert failed.outcome == "failed"
    assert "Input/output error" in failed.evidence
    assert [one.id for one in shop.ledger.deployments("storefront", "dev")] == [failed.id]


@pytest.mark.parametrize("function", ["plan", "apply", "follow"])
def test_a_way_back_on_which_anything_is_raised_is_recorded_as_failed(
    go: Any, cluster: Cluster, shop: Shop, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    go("1.3.0")
    diagnosed = flux.diagnose

    def from_now_on(*arguments: Any) -> str:
        failing(monkeypatch, flux, function, OSError(5, "Input/output error"))
        return diagnosed(*arguments)

    cluster.broken = {"1.4.0"}
    monkeypatch.setattr(flux, "diagnose", from_now_on)
    failed, back = go("1.4.0").deployments
    assert (failed.outcome, back.kind, back.outcome, back.version) == ("failed", "rollback", "failed", "1.3.0")
    assert "Input/output error" in back.reason
    assert [one.id for one in shop.ledger.deployments("storefront", "dev")][:2] == [back.id, failed.id]


@pytest.mark.parametrize(
    ("request_", "message", "hint"),
    [
        ({"version": "1.4.1"}, "storefront 1.4.1 was never published", "the newest versions are 1.5.0, 1.4.0, 1.3.0"),
        ({"app": "storefronts"}, r"no release of 'storefronts' .*did you mean storefront\?", "storefront"),
        ({"environment": "devs"}, r"no environment 'devs' \(did you mean dev\?\)", "dev, prod"),
    ],
)
def test_what_does_not_exist_is_refused_with_the_nearest_that_does(
    platform: PlatformFile, published: object, request_: dict[str, str], message: str, hint: str
) -> None:
    asked = {"app": "storefront", "version": "1.4.0", "environment": "dev", **request_}
    with pytest.raises(BadInput, match=message) as raised:
        room.deploy(platform, Request(requested_by="jane", **asked), Path(), Notes())
    assert hint in raised.value.hint


def test_what_policy_refuses_changes_nothing(go: Any, remote: Path) -> None:
    before = git(remote, "for-each-ref")
    with pytest.raises(Refused, match="not verified in dev"):
        go("1.4.0", "prod", approver="ops")
    assert git(remote, "for-each-ref") == before


def test_deliver_goes_through_the_automatic_environments_only(
    platform: PlatformFile, published: object, tmp_path: Path
) -> None:
    request = Request(app="storefront", version="1.4.0", environment="", requested_by="jane")
    done = list(promote.deliver(platform, request, tmp_path, Notes()))
    assert [one.plan.environment for one in done] == ["dev"]
    assert all(one.verified for one in done)


def test_status_shows_every_environment_and_what_was_put_back(
    go: Any, platform: PlatformFile, cluster: Cluster
) -> None:
    go("1.3.0")
    cluster.broken = {"1.4.0"}
    go("1.4.0")
    dev, prod = status.board(platform).places
    assert (dev.environment, dev.version, dev.outcome) == ("dev", "1.3.0", "verified")
    assert "put back after 1.4.0 failed" in dev.note
    assert (prod.environment, prod.version) == ("prod", None)


def test_history_has_the_releases_and_the_deployments_newest_first(go: Any, platform: PlatformFile) -> None:
    go("1.3.0")
    go("1.4.0")
    shown = status.history(platform, "storefront")
    assert [one.version for one in shown.releases] == ["1.5.0", "1.4.0", "1.3.0"]
    assert [one.version for one in shown.deployments] == ["1.4.0", "1.3.0"]
    with pytest.raises(BadInput, match="did you mean storefront"):
        status.history(platform, "store-front")
