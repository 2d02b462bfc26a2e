"""The way of a release from its commit to staging, with the real tools, by the commands that a user types.

The story is played once; the tests look at what each of its steps said and left behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from jenkins_cd.demo import site
from tests.user import FAST, Said, User

TO_STAGING = ("promote", "--app", "storefront", "--version", "1.0.0", "--to", "staging")


@dataclass
class Story:
    """What was said and what ran after each step."""

    user: User
    said: dict[str, Said] = field(default_factory=dict)
    ran: dict[str, dict[str, str]] = field(default_factory=dict)  # version by environment

    def step(self, name: str, *arguments: str) -> None:
        self.said[name] = self.user.cd(*arguments)
        self.ran[name] = self.user.versions()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with site.start(tmp_path_factory.mktemp("story"), patience="20s") as here:
        user = User(here)
        told = Story(user)
        told.step("chart", "common-chart", "publish")
        told.step("chart again", "common-chart", "publish")
        user.git("tag", "v1.0.0")
        user.git("push", "--quiet", "origin", "v1.0.0")
        told.step("ci", "ci", "--json")
        told.step("too early", *TO_STAGING, "--approver", "qa")
        told.step("dry run", "deploy", "--app", "storefront", "--version", "1.0.0", "--environment", "dev", "--dry-run")
        told.step("deliver", "deliver", "--app", "storefront", "--version", "1.0.0", "--json")
        told.step("deliver again", "deliver", "--app", "storefront", "--version", "1.0.0")
        told.step("stranger", *TO_STAGING, "--approver", "mallory")
        frozen(here.folder / "platform.yaml", told)
        told.step("promote", *TO_STAGING, "--approver", "qa", "--reason", "tried on test")
        told.step("unknown", "deliver", "--app", "storefront", "--version", "1.0.1")
        told.step("upload again", "ci", *FAST)
        changed(user, told)
        bad(user, told)
        told.step("status", "status", "--json")
        yield told


def frozen(platform: Path, told: Story) -> None:
    """Try to promote in a freeze."""
    open_again = platform.read_text(encoding="utf-8")
    now = datetime.now(timezone.utc)
    start, end = ((now + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ") for hours in (-1, 1))
    freeze = f'    freeze: [{{from: "{start}", to: "{end}", why: the year-end closing}}]\n'
    platform.write_text(open_again + freeze, encoding="utf-8")
    told.step("freeze", *TO_STAGING, "--approver", "qa")
    platform.write_text(open_again, encoding="utf-8")


def changed(user: User, told: Story) -> None:
    """Try to publish other content as a version that is there."""
    page = user.site.app / "page.html"
    before = page.read_text(encoding="utf-8")
    page.write_text(before.replace("Storefront", "Shopfront"), encoding="utf-8")
    user.git("commit", "--quiet", "--all", "--message", "Another name")
    user.git("push", "--quiet", "origin", "main")
    told.step("other content", "ci", "--version", "1.0.0", *FAST)
    page.write_text(before, encoding="utf-8")
    user.git("commit", "--quiet", "--all", "--message", "The old name")


def bad(user: User, told: Story) -> None:
    """Release and deliver a version that passes CI and fails where it is deployed."""
    user.git("apply", str(site.BAD_VERSION))
    user.git("commit", "--quiet", "--all", "--message", "Ask the price service for the prices")
    user.git("tag", "v1.1.0")
    user.git("push", "--quiet", "origin", "main", "v1.1.0")
    told.step("bad ci", "ci", "--json")
    told.step("bad deliver", "deliver", "--app", "storefront", "--version", "1.1.0", "--json")
    told.step(
        "bad promote", "promote", "--app", "storefront", "--version", "1.1.0", "--to", "staging", "--approver", "qa"
    )


def test_the_common_chart_is_published_once(story: Story) -> None:
    assert story.said["chart"].code == 0, story.said["chart"].all
    assert story.said["chart again"].code == 0
    assert "published" in story.said["chart"].stdout
    assert "already" in story.said["chart again"].stdout


def test_ci_passes_every_stage_and_publishes_the_tagged_version(story: Story) -> None:
    said = story.said["ci"]
    assert said.code == 0, said.all
    result = said.json
    assert (result["schema"], result["version"], result["status"]) == ("jenkins_cd/ci/v1", "1.0.0", "passed")
    stages = {stage["stage"]: stage for stage in result["stages"]}
    skipped = [name for name, stage in stages.items() if stage["status"] != "passed"]
    assert skipped == ["sonar-scan"]
    assert stages["sonar-scan"]["reason"] == "no SonarQube server in the platform file"
    assert stages["unit-tests"]["coverage"] >= 80
    release = stages["upload"]["release"]
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", release["image"]["digest"])
    assert release["commit"] == story.user.git("rev-parse", "v1.0.0")


def test_publishing_the_same_again_changes_nothing(story: Story) -> None:
    said = story.said["upload again"]
    assert said.code == 0, said.all
    assert "published already with the same content" in said.all
    assert story.user.releases() == ["1.0.0", "1.1.0"]


def test_other_content_under_a_published_version_is_refused(story: Story) -> None:
    said = story.said["other content"]
    assert said.code == 4, said.all
    assert "1.0.0" in said.stderr


def test_a_dry_run_shows_the_change_and_makes_none(story: Story) -> None:
    said = story.said["dry run"]
    assert said.code == 0, said.all
    assert "appVersion: 1.0.0" in said.stdout
    assert story.ran["dry run"] == {"dev": "", "test": "", "staging": ""}


def test_a_release_reaches_every_automatic_environment_and_no_other(story: Story) -> None:
    said = story.said["deliver"]
    assert said.code == 0, said.all
    assert story.ran["deliver"] == {"dev": "1.0.0", "test": "1.0.0", "staging": ""}


def test_each_environment_runs_its_tests(story: Story) -> None:
    deployments = [done["deployments"][0] for done in story.said["deliver"].json["done"]]
    assert [one["environment"] for one in deployments] == ["dev", "test"]
    for one in deployments:
        assert one["outcome"] == "verified"
        assert {case["outcome"] for case in one["tests"]["cases"]} == {"passed"}
        assert {case["suite"] for case in one["tests"]["cases"]} == {f"smoke.{one['environment']}"}
        assert [phase["name"] for phase in one["phases"]] == ["plan", "policy", "apply", "verify", "test", "record"]


def test_delivering_what_runs_already_says_so_and_records_nothing(story: Story) -> None:
    said = story.said["deliver again"]
    assert said.code == 0, said.all
    assert "already" in said.stdout
    assert [one for one in story.user.history() if one[:2] == ("dev", "1.0.0")] == [
        ("dev", "1.0.0", "deployment", "verified"),
        ("dev", "1.0.0", "rollback", "verified"),
    ]


@pytest.mark.parametrize(
    ("step", "missing"),
    [
        ("too early", "not verified in test"),
        ("stranger", "mallory"),
        ("freeze", "the year-end closing"),
        ("bad promote", "not verified in test"),
    ],
)
def test_a_promotion_without_what_policy_wants_is_refused(story: Story, step: str, missing: str) -> None:
    said = story.said[step]
    assert said.code == 4, said.all
    assert missing in said.stderr
    assert story.ran[step]["staging"] == ("1.0.0" if step == "bad promote" else "")


def test_a_promotion_is_deployed_and_records_who_and_why(story: Story) -> None:
    assert story.said["promote"].code == 0, story.said["promote"].all
    assert story.ran["promote"] == {"dev": "1.0.0", "test": "1.0.0", "staging": "1.0.0"}
    deployments = story.user.must("history", "--app", "storefront", "--json").json["deployments"]
    [promoted] = [one for one in deployments if one["environment"] == "staging"]
    assert (promoted["approver"], promoted["approval_reason"]) == ("qa", "tried on test")


def test_an_unknown_version_is_told_with_the_nearest(story: Story) -> None:
    said = story.said["unknown"]
    assert said.code == 2
    assert "1.0.1" in said.stderr
    assert "1.0.0" in said.stderr


def test_a_bad_version_passes_ci_fails_on_dev_and_is_rolled_back(story: Story) -> None:
    assert story.said["bad ci"].code == 0, story.said["bad ci"].all
    said = story.said["bad deliver"]
    assert said.code == 1, said.all
    assert story.ran["bad deliver"] == {"dev": "1.0.0", "test": "1.0.0", "staging": "1.0.0"}
    [done] = said.json["done"]  # it never came to test
    failed, put_back = done["deployments"]
    assert (failed["version"], failed["outcome"]) == ("1.1.0", "failed")
    assert (failed["observation"]["status"], failed["observation"]["version"]) == (500, "1.1.0")
    assert "PRICES_URL is not set" in failed["evidence"]
    assert (put_back["version"], put_back["kind"], put_back["outcome"]) == ("1.0.0", "rollback", "verified")


def test_the_ledger_tells_the_whole_story(story: Story) -> None:
    assert story.user.history() == [
        ("dev", "1.0.0", "deployment", "verified"),
        ("test", "1.0.0", "deployment", "verified"),
        ("staging", "1.0.0", "deployment", "verified"),
        ("dev", "1.1.0", "deployment", "failed"),
        ("dev", "1.0.0", "rollback", "verified"),
    ]


def test_the_deploy_repository_has_one_commit_for_each_change(story: Story) -> None:
    assert len(story.user.commits()) == 6, story.user.commits()  # the empty beginning, and five changes


def test_status_tells_what_runs_where(story: Story) -> None:
    places = story.said["status"].json["places"]
    told = {place["environment"]: (place["version"], place["outcome"]) for place in places}
    assert told == dict.fromkeys(("dev", "test", "staging"), ("1.0.0", "verified"))


def test_the_report_is_there(story: Story) -> None:
    page = (story.user.site.app / ".jenkins-cd/report/index.html").read_text(encoding="utf-8")
    assert "1.1.0" in page
    assert "PRICES_URL is not set" in page
