"""What a command leaves for the program that started it, and what it takes from it, always as processes."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd import files
from jenkins_cd.cli import outcome
from jenkins_cd.errors import ExternalFailure

APP = """\
app: greeter
project: shop
toolchain: custom
package: {image: {enabled: false}}
ci:
  build: {run: "echo built"}
"""
KEYS = {"schema", "arguments", "exit_code", "message", "hint", "problems", "evidence", "document"}
HOSTILE = [
    "1.0; rm -rf /",
    "$(id)",
    "`id`",
    'it\'s "quoted"',
    "two\nlines",
    "größer – 日本",
    "",
    "a\\b",
    "--",
    "%s",
    "*",
]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app of nothing but commands, committed and tagged."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "cd.yaml").write_text(APP)
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"], ["tag", "v1.0.0"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    return folder


def environment(result: Path | str | None, arguments: object = None, **more: str) -> dict[str, str]:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    given = {"JENKINS_CD_ARGUMENTS": text} if arguments is not None else {}
    return {**os.environ, **({"JENKINS_CD_RESULT": str(result)} if result else {}), **given, **more}


def start(folder: Path, *words: str, env: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "jenkins_cd", *words]
    return subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(folder: Path, arguments: object, result: Path | str | None, **more: str) -> tuple[int, str, str]:
    """Run `jenkins-cd` without arguments of its own; returns exit code, standard output and standard error."""
    process = start(folder, env=environment(result, arguments, **more))
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


Left = Callable[..., dict[str, Any]]


@pytest.fixture
def left(app: Path, tmp_path: Path) -> Left:
    """Run a command as Jenkins does and return what it left; the exit code is the one that it tells."""
    file = tmp_path / "results" / "1.json"

    def run_it(*arguments: str, given: object = None, **more: str) -> dict[str, Any]:
        code, _, err = run(app, list(arguments) if given is None else given, file, **more)
        assert "Traceback" not in err
        assert file.exists(), err
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        assert set(found) == KEYS
        assert found["schema"] == "jenkins_cd/result/v1"
        assert found["exit_code"] == code
        return found

    return run_it


def test_a_command_that_passed_leaves_what_json_would_have_printed(left: Left) -> None:
    found = left("ci", "build")
    assert (found["exit_code"], found["message"], found["hint"], found["problems"]) == (0, "", "", [])
    assert found["arguments"] == ["ci", "build"]
    assert found["document"]["schema"] == "jenkins_cd/ci/v1"
    assert [stage["status"] for stage in found["document"]["stages"]] == ["passed"]


@pytest.fixture
def platform(tmp_path: Path) -> str:
    """A platform file whose ledger is empty."""
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "deploy.git")], check=True)
    file = tmp_path / "platform.yaml"
    file.write_text(
        f"registry: {{images: registry.local/a, charts: oci://registry.local/c}}\n"
        f"deploy_repository: {{url: {tmp_path / 'deploy.git'}}}\n"
        'environments: {dev: {model: flux, after: ci, health_url: "http://{app}.local"}}\n'
    )
    return str(file)


@pytest.mark.parametrize(
    "arguments",
    [
        ["validate"],
        ["explain", "app"],
        ["status"],
        ["doctor"],
        ["ci", "--plan"],
        ["deploy", "--app", "greeter", "--version", "1.0.0", "--environment", "dev", "--plan"],
        ["promote", "--app", "greeter", "--version", "1.0.0", "--to", "dev", "--plan"],
        ["common-chart", "publish", "--plan"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_without_json_a_command_leaves_the_document_that_json_prints(
    app: Path, left: Left, tmp_path: Path, platform: str, arguments: list[str]
) -> None:
    found = left(*arguments, JENKINS_CD_PLATFORM=platform)
    _, out, err = run(app, [*arguments, "--json"], tmp_path / "again.json", JENKINS_CD_PLATFORM=platform)
    assert found["document"] == json.loads(out), err


def test_with_json_it_is_what_was_printed(app: Path, tmp_path: Path) -> None:
    code, out, _ = run(app, ["ci", "--plan", "--json"], tmp_path / "r.json")
    assert code == 0
    assert json.loads((tmp_path / "r.json").read_text())["document"] == json.loads(out)


def test_the_log_shows_the_command_as_a_person_would_type_it(app: Path, tmp_path: Path) -> None:
    _, _, err = run(app, ["ci", "--set", "ci.build.run=echo hello"], tmp_path / "r.json")
    assert err.splitlines()[0] == "$ jenkins-cd ci --set 'ci.build.run=echo hello'"


def test_arguments_of_the_command_line_come_first(app: Path) -> None:
    process = start(app, "--version", env=environment(None, ["ci"]))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.startswith("jenkins-cd ")


def test_without_a_result_file_nothing_is_left(app: Path) -> None:
    code, _, _ = run(app, ["ci", "build"], None)
    assert code == 0
    assert {file.name for file in app.iterdir()} == {".git", "cd.yaml", ".jenkins-cd"}


def test_a_stage_that_failed_is_told_with_what_the_program_said(left: Left) -> None:
    found = left("ci", "build", "--set", "ci.build.run=seq 50 >&2; echo no space left on device >&2; exit 9")
    assert found["exit_code"] == 1
    assert found["message"].startswith("build: ")
    assert "no space left on device" in found["evidence"]
    assert len(found["evidence"].splitlines()) <= 20
    assert found["document"]["status"] == "failed"


def test_bad_input_lists_every_problem(app: Path, left: Left) -> None:
    (app / "cd.yaml").write_text("app: Greeter\nprojekt: shop\n")
    found = left("validate")
    assert found["exit_code"] == 2
    assert found["message"]
    assert [problem.split(" ")[0] for problem in found["problems"]] == ["cd.yaml:1", "cd.yaml:1", "cd.yaml:2"]
    assert [problem["line"] for problem in found["document"]["problems"]] == [1, 1, 2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["cii"], "there is no command 'cii' (did you mean ci?)"),
        (["ci", "--plam"], "--plam"),
        (["deploy", "--app", "storefront"], "--environment"),
        (["deploy", "--step", "nothing"], "'nothing' is not one of"),
    ],
)
def test_a_command_line_that_is_none_is_told_as_it_is_on_a_terminal(
    app: Path, left: Left, tmp_path: Path, arguments: list[str], said: str
) -> None:
    found = left(*arguments)
    assert found["exit_code"] == 2
    assert said in found["message"]
    _, _, err = run(app, arguments, tmp_path / "again.json")
    assert found["message"] in err


def test_a_refusal_is_told_with_its_hint(left: Left, app: Path) -> None:
    found = left("promote", "--app", "x", "--version", "1.0.0", "--to", "prod", JENKINS_CD_PLATFORM="gone.yaml")
    assert found["exit_code"] == 2
    assert found["problems"] == ["gone.yaml (platform): there is no such file"]


def test_interrupted_it_says_so(app: Path, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    run_it = ["ci", "build", "--set", "ci.build.run=touch begun; sleep 300"]
    process = start(app, env=environment(file, run_it))
    while not (app / "begun").exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    found = json.loads(file.read_text())
    assert process.returncode == found["exit_code"] == 130
    assert "SIGTERM" in found["message"]
    assert "unfinished: build" in found["message"]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("words", [["ci", "build", "--version"], ["deploy", "--environment", "dev", "--app"]])
def test_a_value_that_is_none_is_refused_and_told_as_it_came(
    app: Path, left: Left, words: list[str], value: str
) -> None:
    more = ["--version", "1.0.0"] if "deploy" in words else []
    before = sorted(app.rglob("*"))
    found = left(*words, value, *more)
    assert found["exit_code"] == 2
    assert found["arguments"] == [*words, value, *more]
    assert [file for file in sorted(app.rglob("*")) if file not in before and ".jenkins-cd" not in str(file)] == []


@pytest.mark.parametrize("value", [value for value in HOSTILE if value])
def test_a_value_that_may_be_anything_arrives_as_it_is(app: Path, left: Left, value: str) -> None:
    (app / "show").write_text('#!/usr/bin/env python3\nimport sys\nopen("seen", "w").write(repr(sys.argv[1:]))\n')
    (app / "show").chmod(0o755)
    quoted = "'" + value.replace("'", "'\\''") + "'"
    assert left("ci", "build", "--set", f"ci.build.run={json.dumps(f'./show {quoted}')}")["exit_code"] == 0
    assert (app / "seen").read_text() == repr([value])


def test_ascii_escapes_are_read_as_what_they_stand_for(left: Left) -> None:
    found = left(given=r'["ci", "build", "--set", "ci.build.run=test \u0024PWD; echo gr\u00fc\u00dfe"]')
    assert found["exit_code"] == 0
    assert found["arguments"][-1] == "ci.build.run=test $PWD; echo grüße"


@pytest.mark.parametrize("text", ["nonsense", '"ci"', "{}", "[1]", '["ci", null]', "null", "[", '[["ci"]]'])
def test_arguments_that_are_no_list_of_strings_are_bad_input(left: Left, text: str) -> None:
    found = left(given=text)
    assert found["exit_code"] == 2
    assert "JENKINS_CD_ARGUMENTS" in found["message"]
    assert '["ci", "--plan"]' in found["hint"]


@pytest.mark.parametrize("text", ['["ci", "\\ud800"]', '["ci", "build", "--version", "1.0.0\\u0000"]', "[" * 100_000])
def test_arguments_that_no_program_could_have_are_bad_input(left: Left, text: str) -> None:
    assert left(given=text)["exit_code"] == 2


def test_no_secret_is_in_it(app: Path, tmp_path: Path) -> None:
    file, secrets = tmp_path / "r.json", ("sesame-open-7", "horse-battery-staple")
    more = dict(zip(("JENKINS_CD_REGISTRY_PASSWORD", "JENKINS_CD_GIT_PASSWORD"), secrets, strict=True))
    (app / "cd.yaml").write_text(APP.replace("echo built", f"env >&2; echo {secrets[1]} >&2; exit 3"))
    code, out, err = run(app, ["ci", "build"], file, **more)
    assert code == 1
    log = (app / ".jenkins-cd" / "logs" / "build.log").read_text()
    assert "PATH=" in log
    texts = (file.read_text(), out, err, log)
    assert not [secret for secret in secrets for text in texts if secret in text]


@pytest.mark.parametrize("user", ["jenkins", "build", "robot"])
def test_a_user_name_is_no_secret_and_leaves_what_is_told_as_it_is(left: Left, user: str) -> None:
    plain = left("ci", "--plan")
    named = {f"JENKINS_CD_{what}_USERNAME": user for what in ("GIT", "REGISTRY")}
    secret = {f"JENKINS_CD_{what}_PASSWORD": "sesame-open-7" for what in ("GIT", "REGISTRY")}
    assert left("ci", "--plan", **named, **secret) == plain


@pytest.mark.parametrize("place", ["folder", "under a file"])
def test_a_result_that_cannot_be_written_is_bad_input_not_a_traceback(app: Path, tmp_path: Path, place: str) -> None:
    target = tmp_path / "taken"
    if place == "folder":
        target.mkdir()
    else:
        target.write_text("")
        target = target / "r.json"
    code, _, err = run(app, ["ci", "build"], target)
    assert code == 2
    assert "the result cannot be written to" in err
    assert "JENKINS_CD_RESULT" in err
    assert "Traceback" not in err


def test_what_failed_keeps_its_exit_code_where_the_result_cannot_be_written(app: Path, tmp_path: Path) -> None:
    code, _, err = run(app, ["ci", "build", "--set", "ci.build.run=exit 9"], tmp_path)
    assert code == 1
    assert "the result cannot be written to" in err


def test_a_disk_that_is_full_is_no_fault_of_the_input(
    app: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.chdir(app)
    monkeypatch.setenv("JENKINS_CD_RESULT", str(tmp_path / "r.json"))
    monkeypatch.setattr(files, "write_pieces", full)
    with pytest.raises(ExternalFailure, match=r"the result cannot be written to .*: the disk is full"):
        outcome.write(["ci"], 0)


@pytest.mark.parametrize("linked", [".jenkins-cd", ".jenkins-cd/outcomes"])
def test_a_result_is_not_written_where_a_link_of_the_checkout_leads(app: Path, tmp_path: Path, linked: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = app / linked
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere)
    code, _, err = run(app, ["ci", "build"], Path(".jenkins-cd/outcomes/r.json"))
    assert code == 2
    assert "is a link, not a folder: nothing is written there" in err
    assert not list(elsewhere.iterdir())


def test_an_older_result_is_replaced_as_a_whole(app: Path, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    file.write_text("x" * 100_000)
    run(app, ["--version"], file)
    assert json.loads(file.read_text())["exit_code"] == 0
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["r.json"]
