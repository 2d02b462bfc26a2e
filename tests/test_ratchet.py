"""`jenkins-cd baseline`, as a user has it: a repository, a run of a stage, the command line."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd import cli, results
from jenkins_cd.model import StageResult
from jenkins_cd.stages import dead_code
from tests.stages.projects import build, write

STAGE = "dead-code"
CD = "toolchain: custom\nci:\n  dead-code: {run: cat findings, format: text, gate: {new: 0}}\n"
FINDINGS = "a.c:1: warning: one\na.c:2: warning: two\n"


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout whose dead-code stage has found two things."""
    git(tmp_path, "init", "-q")
    files = {"cd.yaml": f"app: shop\nproject: demo\n{CD}", "a.c": "one;\ntwo;\n", ".gitignore": ".jenkins-cd/\n"}
    write(tmp_path, {**files, "findings": FINDINGS})
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "one")
    check(tmp_path)
    return tmp_path


def check(workspace: Path, findings: str = FINDINGS, **changes: Any) -> StageResult:
    """Run the stage and record its result, as `jenkins-cd ci dead-code` does."""
    write(workspace, {"findings": findings})
    work = replace(build(workspace, CD, "custom"), commit=git(workspace, "rev-parse", "HEAD").strip())
    result = replace(dead_code.run(work), **changes)
    results.save(results.prepare(workspace), STAGE, result)
    return result


def baseline(workspace: Path, *arguments: str) -> int:
    return cli.run(["baseline", "-C", str(workspace), *arguments])


def known(workspace: Path) -> list[str]:
    file: dict[str, Any] = json.loads((workspace / "findings-baseline.json").read_text(encoding="utf-8"))
    return [entry["message"] for entry in file["stages"].get(STAGE, [])]


def test_nothing_enters_the_baseline_unless_it_is_accepted(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert baseline(checkout) == 0
    assert not (checkout / "findings-baseline.json").exists()
    assert "--accept" in capsys.readouterr().out
    assert baseline(checkout, "--accept") == 0
    assert known(checkout) == ["one", "two"]
    assert check(checkout).status == "passed"


def test_what_is_no_longer_found_leaves_and_does_not_come_back(checkout: Path) -> None:
    baseline(checkout, "--accept")
    check(checkout, "a.c:2: warning: two\n")
    assert baseline(checkout, STAGE) == 0
    assert known(checkout) == ["two"]
    assert check(checkout).status == "failed"
    assert baseline(checkout) == 0
    assert known(checkout) == ["two"]


def test_a_second_time_changes_nothing_and_the_json_says_so(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    baseline(checkout, "--accept")
    capsys.readouterr()
    before = (checkout / "findings-baseline.json").stat().st_mtime_ns
    assert baseline(checkout, "--json") == 0
    assert (checkout / "findings-baseline.json").stat().st_mtime_ns == before
    assert json.loads(capsys.readouterr().out) == {
        "schema": "jenkins_cd/baseline/v1",
        "file": "findings-baseline.json",
        "written": False,
        "stages": [{"stage": STAGE, "known": 2, "removed": 0, "added": 0, "new": 0}],
    }


def test_other_stages_of_the_file_are_left_as_they_are(checkout: Path) -> None:
    baseline(checkout, "--accept")
    file = checkout / "findings-baseline.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["stages"]["code-standard"] = content["stages"][STAGE]
    file.write_text(json.dumps(content), encoding="utf-8")
    check(checkout, "")
    assert baseline(checkout, STAGE) == 0
    assert list(json.loads(file.read_text(encoding="utf-8"))["stages"]) == ["code-standard"]


def refused(workspace: Path, capsys: pytest.CaptureFixture[str], arguments: Sequence[str] = (STAGE, "--accept")) -> str:
    """Return what is said where the baseline is not touched."""
    assert baseline(workspace, *arguments) == 2
    assert not (workspace / "findings-baseline.json").exists()
    return capsys.readouterr().err


def test_a_result_of_another_commit_is_refused_with_the_command_to_run(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(checkout, "commit", "-q", "--allow-empty", "-m", "two")
    said = refused(checkout, capsys)
    assert "the checkout is at" in said
    assert "jenkins-cd ci dead-code" in said


def test_a_result_from_before_a_file_was_changed_is_refused(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    later = time.time() + 10
    os.utime(checkout / "a.c", (later, later))
    assert "a.c was changed since" in refused(checkout, capsys)


def test_a_result_that_does_not_know_everything_is_refused(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / "findings").unlink()
    work = replace(build(checkout, CD, "custom"), commit=git(checkout, "rev-parse", "HEAD").strip())
    results.save(checkout / ".jenkins-cd", STAGE, dead_code.run(work))
    assert "it did not find out everything" in refused(checkout, capsys)


@pytest.mark.parametrize("status", ["skipped", "stopped"])
def test_a_stage_that_did_not_run_is_refused(checkout: Path, capsys: pytest.CaptureFixture[str], status: str) -> None:
    check(checkout, status=status, reason="because")
    assert f"it was {status}: because" in refused(checkout, capsys)


def test_a_stage_without_a_result_is_refused(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "code-standard: it was not run" in refused(checkout, capsys, ["code-standard"])
    (checkout / ".jenkins-cd" / f"{STAGE}.json").unlink()
    said = refused(checkout, capsys, [])
    assert "jenkins-cd ci compiler-warnings dead-code code-standard" in said


def test_an_unknown_stage_is_told_the_nearest(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(checkout, capsys, ["dead-cod", "build"])
    assert "did you mean dead-code?" in said
    assert "build: no stage with findings" in said


def test_a_broken_baseline_is_named_and_not_overwritten(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(checkout, {"findings-baseline.json": "<<<<<<< ours\n"})
    assert baseline(checkout, "--accept") == 2
    assert "findings-baseline.json is no findings baseline" in capsys.readouterr().err
    assert (checkout / "findings-baseline.json").read_text(encoding="utf-8") == "<<<<<<< ours\n"
