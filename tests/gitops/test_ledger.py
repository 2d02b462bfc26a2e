from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd.config.types import Ledger as LedgerConfig
from jenkins_cd.errors import BadInput, GateFailed, Refused
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.gitops.repository import Repository
from jenkins_cd.masking import register
from jenkins_cd.model import Chart, Image
from tests.gitops.remotes import bare, count, git
from tests.gitops.samples import approval, deployment, platform, release


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return bare(tmp_path / "deploy.git")


@pytest.fixture
def ledger(remote: Path) -> Ledger:
    return Ledger.open(platform(str(remote)))


def other(remote: Path) -> Ledger:
    """Open the ledger as somebody else does, who remembers nothing."""
    return Ledger.open(platform(str(remote)))


def test_an_empty_ledger_knows_nothing(ledger: Ledger) -> None:
    assert ledger.apps() == ledger.versions("storefront") == []
    assert ledger.deployments("storefront") == []
    assert ledger.release("storefront", "1.0.0") is None
    assert ledger.latest("storefront", "dev") is None
    assert ledger.verified("storefront", "dev") is None
    assert ledger.project("storefront") is None


def test_what_is_published_is_read_back_by_others(ledger: Ledger, remote: Path) -> None:
    assert ledger.publish(release()) is True
    assert ledger.release("storefront", "1.4.0") == release()
    assert other(remote).release("storefront", "1.4.0") == release()
    assert other(remote).project("storefront") == "shop"


def test_the_record_is_a_file_that_people_can_read(ledger: Ledger, remote: Path) -> None:
    ledger.publish(release())
    text = git(remote, "show", "ledger:releases/shop/storefront/1.4.0.json")
    record = json.loads(text)
    assert record["schema"] == "jenkins_cd/release/v1"
    assert list(record) == sorted(record)
    assert text.count("\n") > 10


def test_publishing_the_same_content_again_changes_nothing(ledger: Ledger, remote: Path) -> None:
    ledger.publish(release())
    again = release(source="https://elsewhere.local/x.git", build_url="https://ci.local/2")
    assert other(remote).publish(again) is False
    assert count(remote, "ledger") == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"commit": "6a" * 20},
        {"image": None},
        {"image": Image(repository="registry.local/apps/storefront", content="sha256:" + "f" * 64)},
        {"chart": Chart(name="storefront", repository="oci://registry.local/charts", content="f" * 64)},
    ],
)
def test_other_content_is_refused_with_both_shown(ledger: Ledger, remote: Path, changed: dict[str, Any]) -> None:
    ledger.publish(release())
    with pytest.raises(Refused) as caught:
        other(remote).publish(release(**changed))
    assert "published" in caught.value.message
    assert "now" in caught.value.message
    assert count(remote, "ledger") == 1


def test_of_two_who_publish_other_content_at_once_one_wins(remote: Path) -> None:
    contents = [release(commit=f"{number:02x}" * 20) for number in range(6)]

    def publish(number: int) -> bool:
        try:
            return other(remote).publish(contents[number])
        except Refused:
            return False

    with ThreadPoolExecutor(6) as pool:
        won = list(pool.map(publish, range(6)))
    assert won.count(True) == 1
    assert other(remote).release("storefront", "1.4.0") == contents[won.index(True)]


def test_versions_are_sorted_as_semver_newest_first(ledger: Ledger) -> None:
    for version in ("1.9.0", "1.10.0", "1.10.0-rc.2", "1.10.0-rc.10", "0.1.0"):
        ledger.publish(release(version))
    assert ledger.versions("storefront") == ["1.10.0", "1.10.0-rc.10", "1.10.0-rc.2", "1.9.0", "0.1.0"]


def test_apps_of_one_name_are_told_apart_by_their_project(ledger: Ledger) -> None:
    ledger.publish(release())
    assert ledger.apps() == ["storefront"]
    ledger.publish(release(project="museum", commit="7b" * 20))
    ledger.publish(release(app="cellar"))
    assert ledger.apps() == ["cellar", "museum/storefront", "shop/storefront"]
    found = ledger.release("museum/storefront", "1.4.0")
    assert found is not None
    assert found.commit == "7b" * 20
    with pytest.raises(BadInput, match="2 projects have an app") as caught:
        ledger.release("storefront", "1.4.0")
    assert "museum/storefront or shop/storefront" in caught.value.hint


@pytest.mark.parametrize("name", ["../../etc", "-x", "", "a/b/c", "shop/", "/storefront"])
def test_names_that_are_none_are_unknown_or_wrong(ledger: Ledger, name: str) -> None:
    ledger.publish(release())
    if name != "/storefront":
        assert ledger.versions(name) == []
    assert ledger.release("storefront", "../1.4.0") is None
    assert ledger.deployments("storefront", "../x") == []
    with pytest.raises(BadInput):
        ledger.publish(release(app=name))
    with pytest.raises(BadInput):
        ledger.record(deployment(1, environment=name))
    with pytest.raises(BadInput):
        ledger.record(deployment(1, id=name))


def test_a_version_that_is_none_is_not_published(ledger: Ledger) -> None:
    for version in ("1.0", "../1.0.0", "1.0.0+build", ""):
        with pytest.raises(BadInput, match="is no version"):
            ledger.publish(release(version))


def test_deployments_come_newest_first(ledger: Ledger, remote: Path) -> None:
    ledger.publish(release())
    numbers = [3, 1, 12, 7, 2, 9, 4]
    for number in numbers:
        ledger.record(deployment(number, outcome="failed" if number > 2 else "verified"))
    ledger.record(deployment(20, environment="test"))
    ledger.record(deployment(21, app="cellar"))
    fresh = other(remote)
    assert [one.id for one in fresh.deployments("storefront", "dev")] == [
        deployment(number).id for number in sorted(numbers, reverse=True)
    ]
    assert fresh.deployments("storefront")[0] == deployment(20, environment="test")
    assert fresh.latest("storefront", "dev") == deployment(12, outcome="failed")
    assert fresh.verified("storefront", "dev") == deployment(2)
    assert fresh.verified("storefront", "prod") is None


def test_a_rollback_that_was_verified_counts(ledger: Ledger) -> None:
    ledger.publish(release())
    ledger.record(deployment(1))
    ledger.record(deployment(2, version="1.3.0", kind="rollback"))
    ledger.record(deployment(3, outcome="superseded"))
    verified = ledger.verified("storefront", "dev")
    assert verified is not None
    assert verified.version == "1.3.0"


def test_recording_twice_changes_nothing(ledger: Ledger, remote: Path) -> None:
    ledger.record(deployment(1))
    ledger.record(deployment(1))
    assert count(remote, "ledger") == 1


def test_what_is_recorded_is_never_written_over(ledger: Ledger, remote: Path) -> None:
    ledger.publish(release())
    failed = ledger.record(deployment(1, outcome="failed", reason="it does not start"))
    assert other(remote).record(deployment(1, outcome="verified")) == failed
    assert other(remote).deployments("storefront") == [failed]
    given = ledger.approve(approval(2, approver="jane"))
    assert other(remote).approve(approval(2, approver="mallory")) == given
    assert count(remote, "ledger") == 3


def test_nothing_secret_goes_in(ledger: Ledger, remote: Path) -> None:
    secret = register('correct "horse" staple')
    ledger.record(deployment(1, reason=f"login with {secret} failed", evidence=f"x\n{secret}"))
    text = git(remote, "log", "-p", "ledger")
    assert "horse" not in text
    assert "login with **** failed" in text


def test_approvals_come_newest_first_and_only_those_of_the_environment(ledger: Ledger, remote: Path) -> None:
    ledger.publish(release())
    assert ledger.approvals("storefront", "prod") == []
    for number in (2, 3, 1):
        ledger.approve(approval(number))
    ledger.approve(approval(4, environment="staging"))
    ledger.approve(approval(5, app="cellar"))
    fresh = other(remote)
    assert fresh.approvals("storefront", "prod") == [approval(number) for number in (3, 2, 1)]
    assert fresh.approvals("storefront", "staging") == [approval(4, environment="staging")]
    assert fresh.approvals("cellar", "prod") == []
    assert fresh.approvals("storefront", "../prod") == []


def test_an_approval_is_no_deployment(ledger: Ledger, remote: Path) -> None:
    ledger.publish(release())
    ledger.approve(approval(1))
    assert other(remote).deployments("storefront") == []
    assert other(remote).apps() == ["storefront"]
    text = git(remote, "show", f"ledger:approvals/prod/shop/storefront/{approval(1).id}.json")
    assert json.loads(text)["schema"] == "jenkins_cd/approval/v1"
    assert git(remote, "log", "-1", "--format=%s", "ledger") == "Approve storefront 1.4.0 for prod by ops\n"


def test_approving_twice_changes_nothing(ledger: Ledger, remote: Path) -> None:
    ledger.approve(approval(1))
    ledger.approve(approval(1))
    assert count(remote, "ledger") == 1


@pytest.mark.parametrize("wrong", [{"environment": "../prod"}, {"app": "-x"}, {"project": ""}, {"id": "../1"}])
def test_an_approval_of_what_is_no_name_is_not_recorded(ledger: Ledger, remote: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        ledger.approve(approval(1, **wrong))
    assert git(remote, "for-each-ref") == ""


def test_two_who_approve_at_once_are_both_kept(ledger: Ledger, remote: Path) -> None:
    ledger.publish(release())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: other(remote).approve(approval(number)), range(4)))
    assert len(other(remote).approvals("storefront", "prod")) == 4


def test_the_reason_of_an_approval_holds_no_secret_and_no_other_file(ledger: Ledger, remote: Path) -> None:
    ledger.publish(release())
    secret = register("open-sesame-42")
    ledger.approve(approval(1, reason=f'größer "x"\n{secret}'))
    assert other(remote).approvals("storefront", "prod")[0].reason == 'größer "x"\n****'
    assert secret not in git(remote, "log", "-p", "ledger")


def test_a_record_that_cannot_be_read_is_named(ledger: Ledger, remote: Path) -> None:
    ledger.publish(release())
    path = "releases/shop/storefront/1.4.0.json"
    Repository.open(str(remote)).commit("ledger", "Break", lambda _view: {path: b'{"app": 1}'})
    with pytest.raises(GateFailed, match=path):
        other(remote).release("storefront", "1.4.0")
    with pytest.raises(GateFailed, match=path):
        other(remote).publish(release())


def test_the_ledger_may_have_a_repository_and_a_branch_of_its_own(tmp_path: Path, remote: Path) -> None:
    own = bare(tmp_path / "ledger.git")
    elsewhere = replace(platform(str(remote)), ledger=LedgerConfig(url=str(own), branch="records/all"))
    Ledger.open(elsewhere).publish(release())
    assert count(own, "records/all") == 1
    assert git(remote, "branch", "--list") == ""
