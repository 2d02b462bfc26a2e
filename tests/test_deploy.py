from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd import deploy as room
from jenkins_cd import promote, status
from jenkins_cd.attempt import Request
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.delivery import flux
from jenkins_cd.deploy import Done
from jenkins_cd.errors import BadInput, Refused
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
