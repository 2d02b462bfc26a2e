"""The plan of `jenkins-cd ci`, read from the real command in a real checkout: what Jenkins is told to do."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

APP = "app: storefront\nproject: shop\n"
CUSTOM = APP + "toolchain: custom\nci: {build: {run: make}, unit-tests: {run: ./test.sh}}\n"
PLATFORM = """\
registry: {images: registry.local/apps, charts: oci://registry.local/charts}
deploy_repository: {url: https://git.local/deploy.git}
environments:
  dev: {model: flux, after: ci, health_url: "https://{app}.dev.local"}
  test: {model: flux, after: dev, health_url: "https://{app}.test.local"}
  prod: {model: flux, after: test, promotion: manual, health_url: "https://{app}.local"}
"""
BOUND = "jenkins: {credentials: {registry: reg, git: forge}}\n"
GO = {"go.mod": "module shop\n\ngo 1.21\n"}
PYTHON = {"pyproject.toml": '[project]\nname = "shop"\nversion = "1"\n'}
CHECKS = ("sonar-scan", "compiler-warnings", "dead-code", "code-standard")
REGISTRY = {
    "binding": "usernamePassword",
    "id": "reg",
    "variables": {
        "usernameVariable": "JENKINS_CD_REGISTRY_USERNAME",
        "passwordVariable": "JENKINS_CD_REGISTRY_PASSWORD",
    },
}
GIT = {
    "binding": "usernamePassword",
    "id": "forge",
    "variables": {"usernameVariable": "JENKINS_CD_GIT_USERNAME", "passwordVariable": "JENKINS_CD_GIT_PASSWORD"},
}
SSH = {"binding": "sshUserPrivateKey", "id": "deploy-key", "variables": {"keyFileVariable": "JENKINS_CD_GIT_SSH_KEY"}}
JENKINS = ("BRANCH_NAME", "TAG_NAME", "CHANGE_ID")


class Checkout:
    """An app in a Git checkout on main, with what a test says is in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, app: str = CUSTOM, platform: str = PLATFORM + BOUND, files: Mapping[str, str] = {}) -> Checkout:
        for name, text in {"cd.yaml": app, "platform.yaml": platform, **files}.items():
            if text:
                (self.folder / name).write_text(text)
        self.git("add", "--all")
        self.git("commit", "-q", "-m", "Change")
        return self

    def plan(self, *arguments: str, **env: str) -> dict[str, Any]:
        clean = {name: value for name, value in os.environ.items() if name not in JENKINS}
        command = [sys.executable, "-m", "jenkins_cd", "ci", "--plan", "--json", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env={**clean, **env}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        plan: dict[str, Any] = json.loads(done.stdout)
        return plan


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    folder = tmp_path / "app"
    folder.mkdir()
    return Checkout(folder)


def steps(plan: Mapping[str, Any]) -> dict[str, Any]:
    return {step["stage"]: step for step in plan["steps"]}


def test_a_commit_of_main_is_uploaded_and_delivered_to_the_automatic_environments_in_turn(checkout: Checkout) -> None:
    plan = checkout.commit().plan()
    assert plan["schema"] == "jenkins_cd/ci-plan/v1"
    assert (plan["app"], plan["project"], plan["unreleased"]) == ("storefront", "shop", "")
    assert plan["commit"] == checkout.git("rev-parse", "HEAD")
    assert steps(plan)["upload"]["skip_reason"] == ""
    assert plan["delivery"] == {"job": "delivery/deploy", "environments": ["dev", "test"]}


def test_the_deploy_job_is_the_one_of_the_platform_file(checkout: Checkout) -> None:
    plan = checkout.commit(platform=PLATFORM + "jenkins: {deploy_job: ops/roll out}\n").plan()
    assert plan["delivery"]["job"] == "ops/roll out"


@pytest.mark.parametrize(
    ("env", "reason"),
    [
        ({"BRANCH_NAME": "feature/x"}, "feature/x is no branch that is released (releases.branches: main, master)"),
        ({"BRANCH_NAME": "PR-7", "CHANGE_ID": "7"}, "pull request 7 is checked, not released"),
    ],
)
def test_a_branch_and_a_pull_request_are_checked_and_packaged_but_go_nowhere(
    checkout: Checkout, env: dict[str, str], reason: str
) -> None:
    plan = checkout.commit().plan(**env)
    assert plan["unreleased"] == reason
    upload = steps(plan)["upload"]
    assert (upload["skip_reason"], upload["credentials"]) == (reason, [])
    assert plan["delivery"] is None
    assert steps(plan)["package"]["skip_reason"] == ""


def test_a_branch_that_is_checked_out_says_it_without_jenkins(checkout: Checkout) -> None:
    checkout.commit().git("switch", "-q", "-c", "feature/x")
    plan = checkout.plan()
    assert steps(plan)["upload"]["skip_reason"].startswith("feature/x is no branch that is released")
    checkout.git("switch", "-q", "--detach")
    assert plan["delivery"] is None
    assert steps(checkout.plan())["upload"]["skip_reason"].startswith("no branch is checked out")
    assert steps(checkout.plan(GIT_BRANCH="origin/main"))["upload"]["skip_reason"].startswith(
        "origin/main is no branch"
    )
    checkout.git("remote", "add", "origin", "https://git.invalid/storefront.git")
    assert steps(checkout.plan(GIT_BRANCH="origin/main"))["upload"]["skip_reason"] == ""


def test_a_version_tag_is_released_as_that_version(checkout: Checkout) -> None:
    checkout.commit().git("tag", "v2.1.0")
    checkout.git("switch", "-q", "--detach")
    plan = checkout.plan(TAG_NAME="v2.1.0", BRANCH_NAME="v2.1.0")
    assert (plan["version"], plan["unreleased"]) == ("2.1.0", "")
    assert plan["delivery"]["environments"] == ["dev", "test"]


def test_of_two_version_tags_the_one_that_is_built_is_the_version(checkout: Checkout) -> None:
    checkout.commit().git("tag", "v2.1.0")
    checkout.git("tag", "v2.2.0")
    assert checkout.plan(TAG_NAME="v2.1.0")["version"] == "2.1.0"


def test_the_rules_of_the_platform_file_decide(checkout: Checkout) -> None:
    platform = PLATFORM + 'releases: {branches: ["release/*"], tags: ["v1.*"]}\n'
    checkout.commit(platform=platform)
    assert checkout.plan(BRANCH_NAME="release/1")["unreleased"] == ""
    assert checkout.plan(BRANCH_NAME="main")["delivery"] is None
    checkout.git("tag", "v2.0.0")
    assert checkout.plan(BRANCH_NAME="main")["unreleased"] != ""


def test_without_a_platform_file_nothing_is_uploaded(checkout: Checkout) -> None:
    plan = checkout.commit(platform="").plan()
    assert plan["platform"] is None
    assert plan["delivery"] is None
    assert "no platform file" in steps(plan)["upload"]["skip_reason"]


def test_where_upload_is_not_among_the_stages_nothing_is_delivered(checkout: Checkout) -> None:
    assert checkout.commit().plan("build", "unit-tests")["delivery"] is None


@pytest.mark.parametrize("beside", [True, False])
def test_the_platform_file_is_kept_as_it_was_with_its_digest(checkout: Checkout, tmp_path: Path, beside: bool) -> None:
    text = PLATFORM + "# größer\n"
    checkout.commit(platform=text if beside else "")
    (tmp_path / "elsewhere.yaml").write_text(text)
    plan = checkout.plan(*([] if beside else ["--platform", str(tmp_path / "elsewhere.yaml")]))
    assert plan["platform"]["file"] == ".jenkins-cd/platform.yaml"
    assert (checkout.folder / plan["platform"]["file"]).read_text() == text
    assert plan["platform"]["digest"] == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def test_a_step_that_is_held_to_the_digest_refuses_another_platform_file(checkout: Checkout) -> None:
    plan = checkout.commit().plan()
    kept = checkout.folder / plan["platform"]["file"]
    held = {"JENKINS_CD_PLATFORM": str(kept), "JENKINS_CD_PLATFORM_DIGEST": plan["platform"]["digest"]}
    assert checkout.plan(**held)["platform"] == plan["platform"]
    kept.write_text(kept.read_text().replace("after: test, promotion: manual", "after: ci"))
    done = subprocess.run(
        [sys.executable, "-m", "jenkins_cd", "ci", "build"],
        cwd=checkout.folder,
        env={**os.environ, **held},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "is not the one that this run was planned with" in done.stderr


def test_each_step_is_given_the_credentials_that_it_needs_and_no_more(checkout: Checkout) -> None:
    found = steps(checkout.commit().plan())
    assert found["package"]["credentials"] == [REGISTRY, GIT]
    assert found["upload"]["credentials"] == [REGISTRY, GIT]
    for name in ("build", "unit-tests", *CHECKS):
        assert found[name]["credentials"] == []


def test_a_key_is_bound_for_git_over_ssh(checkout: Checkout) -> None:
    found = steps(checkout.commit(platform=PLATFORM + "jenkins: {credentials: {git_ssh: deploy-key}}\n").plan())
    assert found["upload"]["credentials"] == [SSH]
    assert found["package"]["credentials"] == [SSH]


def test_what_is_packaged_needs_no_git_where_there_is_no_deploy_repository(checkout: Checkout) -> None:
    platform = (
        (PLATFORM + BOUND)
        .replace("deploy_repository: {url", "ledger: {url")
        .replace("model: flux", "model: helm, helm: {namespace: shop}")
    )
    found = steps(checkout.commit(platform=platform).plan())
    assert found["package"]["credentials"] == [REGISTRY]
    assert found["upload"]["credentials"] == [REGISTRY, GIT]


def test_what_the_platform_file_names_no_credential_for_is_given_none(checkout: Checkout) -> None:
    assert all(not step["credentials"] for step in checkout.commit(platform=PLATFORM).plan()["steps"])


def test_the_checks_that_the_platform_file_names_make_a_build_unstable(checkout: Checkout) -> None:
    plan = checkout.commit(platform=PLATFORM + "jenkins: {unstable: [dead-code, unit-tests]}\n").plan()
    assert [name for name, step in steps(plan).items() if step["unstable"]] == ["unit-tests", "dead-code"]
    assert not any(step["unstable"] for step in checkout.commit(platform=PLATFORM).plan()["steps"])


@pytest.mark.parametrize(
    ("app", "files", "junit", "findings"),
    [
        (APP, GO, ".jenkins-cd/unit-tests/junit.xml", ["compiler-warnings", "dead-code", "code-standard"]),
        (APP, PYTHON, ".jenkins-cd/unit-tests/junit.xml", ["compiler-warnings", "dead-code", "code-standard"]),
        (CUSTOM, {}, "", []),
        (CUSTOM.replace("./test.sh", './test.sh, junit: "reports/*.xml"'), {}, ".jenkins-cd/unit-tests/junit.xml", []),
        (CUSTOM.replace("}}\n", "}, dead-code: {run: x, format: text}}\n"), {}, "", ["dead-code"]),
    ],
    ids=["go", "python", "custom without reports", "custom with reports", "custom with a check"],
)
def test_jenkins_is_told_where_the_reports_are(
    checkout: Checkout, app: str, files: dict[str, str], junit: str, findings: list[str]
) -> None:
    found = steps(checkout.commit(app, files=files).plan())
    assert found["unit-tests"]["junit"] == junit
    assert {name: step["findings"] for name, step in found.items() if step["findings"]} == {
        name: f".jenkins-cd/{name}.sarif" for name in findings
    }
    assert not [name for name, step in found.items() if step["junit"] and name != "unit-tests"]


def test_a_stage_that_is_switched_off_has_no_reports(checkout: Checkout) -> None:
    found = steps(
        checkout.commit(APP + "ci: {unit-tests: {enabled: false}, dead-code: {enabled: false}}\n", files=GO).plan()
    )
    assert (found["unit-tests"]["junit"], found["dead-code"]["findings"]) == ("", "")
    assert "switched off" in found["unit-tests"]["skip_reason"]


def test_every_step_is_a_command_with_the_planned_version(checkout: Checkout) -> None:
    plan = checkout.commit().plan("--version", "3.0.0")
    assert all(step["arguments"] == ["ci", step["stage"], "--version", "3.0.0"] for step in plan["steps"])
    found = steps(plan)
    assert set(found["upload"]["needs"]) == set(found) - {"upload"}
    assert all(found[need]["wave"] < step["wave"] for step in plan["steps"] for need in step["needs"])


def test_a_step_with_credentials_runs_beside_none_that_runs_code_of_the_app(checkout: Checkout) -> None:
    found = checkout.commit().plan()["steps"]
    given = [step for step in found if step["credentials"]]
    assert {step["stage"] for step in given} == {"package", "upload"}
    bare = [step["wave"] for step in found if not step["credentials"] and not step["skip_reason"]]
    assert all(step["wave"] > max(bare) for step in given)
    assert len({step["wave"] for step in given}) == len(given)


def test_where_no_credentials_are_bound_package_waits_for_build_alone(checkout: Checkout) -> None:
    found = steps(checkout.commit(platform=PLATFORM).plan())
    assert found["package"]["wave"] == found["unit-tests"]["wave"] == found["build"]["wave"] + 1


def test_what_jenkins_keeps_for_people_leaves_out_what_is_for_programs(checkout: Checkout) -> None:
    assert checkout.commit().plan()["published"] == {
        "report": ".jenkins-cd/report",
        "archive": ".jenkins-cd/**",
        "exclude": ".jenkins-cd/tests/*/source/**,.jenkins-cd/outcomes/**,.jenkins-cd/locks/**,"
        ".jenkins-cd/jenkins_cd.whl",
    }


def test_planning_runs_nothing_and_leaves_nothing_that_git_sees(checkout: Checkout) -> None:
    checkout.commit(CUSTOM.replace("make", "touch ran")).plan()
    assert not (checkout.folder / "ran").exists()
    assert checkout.git("status", "--porcelain") == ""
