from __future__ import annotations

from pathlib import Path

import pytest

from jenkins_cd.errors import GateFailed, MissingTool
from jenkins_cd.stages import build as stage
from jenkins_cd.stages import sonar_scan
from tests.stages.projects import CLEAN_GO, CLEAN_PYTHON, build, write


@pytest.mark.parametrize("project", [CLEAN_GO, CLEAN_PYTHON], ids=["go", "python"])
def test_code_that_compiles_is_built(tmp_path: Path, project: dict[str, str]) -> None:
    result = stage.run(build(write(tmp_path, project)))
    assert (result.status, result.reason) == ("passed", "built")
    assert (result.version, result.commit) == ("1.0.0", "1a2b3c4d" * 5)
    assert [command.exit_code for command in result.commands] == [0]


@pytest.mark.parametrize(
    ("project", "change", "words"),
    [
        (CLEAN_GO, {"main.go": "package main\n\nfunc main() { add(1) }\n"}, "main.go:3:15: undefined: add"),
        (CLEAN_PYTHON, {"shop.py": "def add(:\n"}, "SyntaxError"),
    ],
    ids=["go", "python"],
)
def test_code_that_does_not_compile_fails_with_the_compilers_words(
    tmp_path: Path, project: dict[str, str], change: dict[str, str], words: str
) -> None:
    result = stage.run(build(write(tmp_path, project | change)))
    assert result.status == "failed"
    assert result.reason.endswith("failed (exit code 1)")
    assert words in result.evidence
    assert words in (tmp_path / result.log).read_text(encoding="utf-8")


def test_a_command_of_cd_yaml_replaces_the_toolchains(tmp_path: Path) -> None:
    result = stage.run(build(write(tmp_path, CLEAN_GO), "ci: {build: {run: 'echo {out} > made; exit 3'}}"))
    assert (result.status, result.reason) == ("failed", "echo {out} > made; exit 3 failed (exit code 3)")
    assert (tmp_path / "made").read_text(encoding="utf-8") == "{out}\n", "nothing of ours is put into the script"


def test_a_command_learns_the_version_and_the_commit_that_it_builds(tmp_path: Path) -> None:
    show = "ci: {build: {run: 'echo $JENKINS_CD_VERSION $JENKINS_CD_COMMIT > made'}}"
    stage.run(build(write(tmp_path, CLEAN_GO), show))
    assert (tmp_path / "made").read_text(encoding="utf-8") == f"1.0.0 {'1a2b3c4d' * 5}\n"


def test_a_command_that_is_killed_says_by_which_signal(tmp_path: Path) -> None:
    result = stage.run(build(write(tmp_path, CLEAN_GO), "ci: {build: {run: 'kill -9 $$'}}"))
    assert result.reason == "kill -9 $$ failed (ended by signal 9)"


def test_a_missing_compiler_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingTool, match="go is not installed") as caught:
        stage.run(build(write(tmp_path, CLEAN_GO)))
    assert caught.value.hint == "apt-get install golang-go"


def test_a_scan_without_a_server_is_skipped_and_can_never_pass(tmp_path: Path) -> None:
    work = build(write(tmp_path, CLEAN_GO))
    assert sonar_scan.skip_reason(work) == "no SonarQube server in the platform file"
    with pytest.raises(GateFailed, match="no SonarQube server"):
        sonar_scan.run(work)
