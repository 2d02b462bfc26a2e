from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from jenkins_cd.cli import run
from jenkins_cd.jobs import patience
from tests.jenkins.controller import RunningBuild
from tests.jenkins.controller.answers import Answer, denied
from tests.jenkins.controller.configs import pipeline
from tests.jobs.bench import JOB, LOG, PARAMETERS, PATH, START, TOKEN, Bench, Meanwhile, two_lines, until_aborted


def test_a_build_is_started_followed_and_its_success_is_ours(bench: Bench) -> None:
    bench.work = two_lines(lambda: bench.asked_again(LOG))
    code, out, err = bench.trigger()
    assert code == 0
    assert out.count("first line\n") == out.count("second line\n") == 1
    assert out.endswith(f"{JOB} #1: SUCCESS {bench.double.url}/{PATH}/1/\n")
    assert f"queue item 1 of {JOB}" in err
    assert bench.builds[1].parameters == PARAMETERS


@pytest.mark.parametrize("result", ["FAILURE", "UNSTABLE", "NOT_BUILT", "ABORTED"])
def test_any_other_result_is_a_failure_that_names_it(bench: Bench, result: str) -> None:
    bench.work = lambda _build: result
    code, _, err = bench.trigger()
    assert code == 1
    assert f"{JOB} #1 ended as {result}: shop 1.0.0 to dev" in err
    assert f"next: read its log: {bench.double.url}/{PATH}/1/console" in err


def test_who_aborted_it_is_told(bench: Bench) -> None:
    bench.work = until_aborted
    with Meanwhile(lambda: bench.asked(LOG), lambda: bench.builds[1].abort("jane")):
        code, _, err = bench.trigger()
    assert code == 1
    assert "ended as ABORTED (Aborted by jane)" in err


def test_without_wait_it_returns_once_the_job_is_accepted(bench: Bench) -> None:
    bench.work = until_aborted
    code, out, _ = bench.trigger(wait=False)
    assert code == 0
    assert out == f"{JOB}: queue item 1 {bench.double.url}/queue/item/1/\n"


def test_as_json_the_log_goes_elsewhere(bench: Bench) -> None:
    bench.work = two_lines()
    arguments = [*bench.arguments(), "--wait", "--json"]
    done = subprocess.run([sys.executable, "-m", "jenkins_cd", *arguments], capture_output=True, text=True, check=True)
    document = json.loads(done.stdout)
    assert document["schema"] == "jenkins_cd/trigger/v1"
    assert (document["number"], document["result"], document["queue_item"]) == (1, "SUCCESS", 1)
    assert document["url"] == f"{bench.double.url}/{PATH}/1/"
    assert "first line\n" in done.stderr


def test_a_build_that_is_renamed_is_followed_on_and_told_by_both_names(bench: Bench) -> None:
    def work(build: RunningBuild) -> str:
        bench.asked_again(LOG)
        build.display_name = "shop 1.0.0 → dev"
        return "SUCCESS"

    bench.work = work
    code, out, _ = bench.trigger()
    assert code == 0
    assert f"{JOB} #1 (shop 1.0.0 → dev): SUCCESS" in out


def test_secrets_in_the_log_are_masked(bench: Bench) -> None:
    def work(build: RunningBuild) -> str:
        build.log(f"curl -u robot:{TOKEN}\n")
        return "SUCCESS"

    bench.work = work
    assert "curl -u robot:****\n" in bench.trigger()[1]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--app", "shop; rm -rf /"),
        ("--app", "$(id)"),
        ("--app", "shop\n"),
        ("--app", "../shop"),
        ("--app", "a/b/c"),
        ("--version", "1.0; rm -rf /"),
        ("--version", "1.0.0\n"),
        ("--version", "1.0.0'"),
        ("--version", "${VERSION}"),
        ("--environment", "dev`id`"),
        ("--environment", 'dev"'),
        ("--environment", ""),
        ("--job", "a\nb"),
        ("--job", "../deploy"),
        ("--job", "a//b"),
        ("--job", "deploy'"),
        ("--timeout", "soon"),
        ("--url", "ftp://jenkins.local"),
        ("--url", "http://robot:sesame@jenkins.local"),
        ("--on-timeout", "explode"),
    ],
)
def test_what_is_no_name_or_version_is_refused_and_nothing_is_sent(bench: Bench, option: str, value: str) -> None:
    code, _, err = bench.trigger(option, value)
    assert code == 2
    assert re.search(rf"{option}|is no version|names no {option.strip('-')}", err)
    assert "sesame" not in err
    assert bench.double.requests == []


def test_an_app_may_be_named_with_its_project(bench: Bench) -> None:
    assert bench.trigger("--app", "store/shop")[0] == 0
    assert bench.builds[1].parameters["APP"] == "store/shop"


def test_half_a_login_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JENKINS_TOKEN")
    code, _, err = bench.trigger()
    assert code == 2
    assert "JENKINS_TOKEN is not set, but its other half is" in err


def test_the_token_of_this_tool_comes_before_that_of_jenkins(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JENKINS_TOKEN", "another-token")
    monkeypatch.setenv("JENKINS_CD_JENKINS_TOKEN", TOKEN)
    assert bench.trigger()[0] == 0


def test_the_token_may_stand_in_a_file(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    monkeypatch.delenv("JENKINS_TOKEN")
    monkeypatch.setenv("JENKINS_TOKEN_FILE", str(tmp_path / "token"))
    assert bench.trigger()[0] == 0


def test_the_platform_file_says_which_jenkins_and_which_job(
    bench: Bench, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    platform = tmp_path / "platform.yaml"
    platform.write_text(
        "registry: {images: registry.local/apps, charts: oci://registry.local/charts}\n"
        "deploy_repository: {url: https://git.local/deploy.git}\n"
        f"jenkins: {{url: {bench.double.url}, deploy_job: {JOB}}}\n"
        "environments:\n  dev: {model: flux, after: ci, health_url: http://dev.local}\n",
        encoding="utf-8",
    )
    common = ["trigger", "deploy", "--app", "shop", "--version", "1.0.0", "--platform", str(platform)]
    assert run([*common, "--environment", "dev"]) == 0
    assert bench.sent(START) == 1
    assert run([*common, "--environment", "dve"]) == 2
    assert "did you mean dev?" in capfd.readouterr().err
    platform.write_text(platform.read_text(encoding="utf-8").replace(f"url: {bench.double.url}, ", ""))
    assert run([*common, "--environment", "dev"]) == 2
    assert "the platform file names no Jenkins" in capfd.readouterr().err


def test_a_wrong_token_is_bad_input(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "DOUBTS", (0.01, 0.01, 0.01))
    monkeypatch.setenv("JENKINS_TOKEN", "another-token")
    code, _, err = bench.trigger()
    assert code == 2
    assert f"the token of robot is not accepted by {bench.double.url}" in err
    assert f"make an API token at {bench.double.url}/user/robot/security/" in err


def test_without_a_login_it_says_what_to_set(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JENKINS_TOKEN")
    monkeypatch.delenv("JENKINS_USER")
    code, _, err = bench.trigger()
    assert code == 4
    assert "anonymous is missing the Overall/Read permission" in err
    assert "next: set JENKINS_USER and JENKINS_TOKEN" in err


def test_a_missing_permission_is_refused_and_named(bench: Bench) -> None:
    bench.user.denied.add("Job/Build")
    code, _, err = bench.trigger()
    assert code == 4
    assert "robot is missing the Job/Build permission" in err
    assert "next: give robot the permission Job/Build" in err


def test_a_missing_permission_is_known_by_its_header_too(bench: Bench) -> None:
    page = denied("robot", "Job/Build").answer
    bench.double.faults.answer(Answer(status=403, body=b"no", headers=page.headers), on=START)
    code, _, err = bench.trigger()
    assert code == 4
    assert "robot is missing the Job/Build permission" in err


def test_a_job_that_is_not_there_is_told_with_the_nearest(bench: Bench) -> None:
    code, _, err = bench.trigger("--job", "Team A/delivery/deplyo")
    assert code == 2
    assert f"did you mean {JOB}?" in err
    code, _, err = bench.trigger("--job", "Team A/delivery")
    assert code == 2
    assert "that is a folder" in err


def test_a_job_that_is_disabled_is_told_as_such(bench: Bench) -> None:
    xml = pipeline(parameters=list(PARAMETERS)).replace(
        "</flow-definition>", "<disabled>true</disabled></flow-definition>"
    )
    bench.double.jobs.update(JOB, xml)
    code, _, err = bench.trigger()
    assert code == 4
    assert f"{JOB} is not buildable" in err
