"""`jenkins-cd jobs` as it is typed, against the double of a Jenkins controller."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from jenkins_cd import cli
from jenkins_cd.config.load import load_platform
from jenkins_cd.gitops.ledger import Ledger
from tests.gitops.remotes import bare
from tests.gitops.samples import release
from tests.jenkins.controller import JenkinsDouble

PLATFORM = """\
registry: {{images: registry.local/apps, charts: "oci://registry.local/charts"}}
deploy_repository: {{url: {remote}}}
jenkins: {{url: "{url}"}}
environments:
  dev: {{model: flux, after: ci, health_url: "http://127.0.0.1:1"}}
  staging: {{model: flux, after: dev, promotion: manual, approvers: [qa], health_url: "http://127.0.0.1:1"}}
"""
FREESTYLE = "<project><description/><builders/></project>"
ALL = ["delivery", "delivery/deploy", "delivery/promote"]


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[JenkinsDouble]:
    with JenkinsDouble.start() as running:
        running.add_user("robot", "token-of-robot")
        monkeypatch.setenv("JENKINS_USER", "robot")
        monkeypatch.setenv("JENKINS_TOKEN", "token-of-robot")
        yield running


def writes(double: JenkinsDouble) -> list[str]:
    return [one for one in double.requests if one.startswith("POST")]


@pytest.fixture
def shop(double: JenkinsDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a platform file whose ledger knows one app."""
    remote = bare(tmp_path / "deploy.git", {"README.md": b"What runs where.\n"})
    (tmp_path / "platform.yaml").write_text(PLATFORM.format(remote=remote, url=double.url), encoding="utf-8")
    Ledger.open(load_platform(None, tmp_path)).publish(release())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_plan_shows_what_would_be_made(shop: Path, double: JenkinsDouble, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["jobs", "plan"]) == 0
    said = capsys.readouterr().out
    assert "+++ delivery/deploy" in said
    assert "<string>storefront</string>" in said
    assert f"{double.url}\n" in said
    assert "delivery/promote  job     create" in said
    assert writes(double) == []


def test_apply_makes_it_and_a_plan_finds_nothing_left(
    shop: Path, double: JenkinsDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["jobs", "apply"]) == 0
    said = capsys.readouterr()
    assert "jobs: delivery/deploy created" in said.err
    assert said.out.count("created") == 3
    assert cli.run(["jobs", "plan", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "jenkins_cd/jobs/v1"
    assert document["url"] == double.url
    assert {one["name"]: one["action"] for one in document["changes"]} == dict.fromkeys(ALL, "unchanged")


def test_a_refused_plan_is_shown_and_its_apply_ends_with_4(
    shop: Path, double: JenkinsDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    double.add_job("delivery", FREESTYLE)
    assert cli.run(["jobs", "plan"]) == 0
    assert "refused" in capsys.readouterr().out
    assert cli.run(["jobs", "apply"]) == 4
    assert "nothing was changed" in capsys.readouterr().err
    assert writes(double) == []


def test_which_jenkins_has_to_be_known(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["jobs", "plan", "--url", "ci.shop.example"]) == 2
    assert "--url" in capsys.readouterr().err
    file = shop / "platform.yaml"
    file.write_text(
        "".join(line for line in file.read_text(encoding="utf-8").splitlines(True) if not line.startswith("jenkins")),
        encoding="utf-8",
    )
    assert cli.run(["jobs", "plan"]) == 2
    assert "jenkins.url" in capsys.readouterr().err
