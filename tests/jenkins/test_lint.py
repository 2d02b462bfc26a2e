"""Groovy is linted, and what cannot be read is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jenkins import cps_process, lint


def test_findings_are_told_with_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "vars").mkdir()
    bad, good = tmp_path / "vars" / "bad.groovy", tmp_path / "Jenkinsfile"
    bad.write_text("def call() {\n    def unused = 1\n    echo 'a'\n}\n")
    good.write_text("@Library('jenkins-cd') _\n\nciPipeline()\n")
    assert lint.main([str(tmp_path / "vars"), str(good)]) == 1
    assert capsys.readouterr().out == f"{bad}:2: The variable [unused] in class None is not used [UnusedVariable]\n"


def test_what_does_not_compile_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.groovy").write_text("def x( {\n")
    assert lint.main([str(tmp_path)]) == 2
    assert f"Compilation failed for [SourceFile[{tmp_path}/bad.groovy]]" in capsys.readouterr().err


def test_a_program_that_was_not_built_is_told_with_the_command_that_builds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.groovy").touch()
    monkeypatch.setattr(cps_process, "PROGRAM", tmp_path / "none")
    assert lint.main([str(tmp_path)]) == 2
    assert "run `python -m tests.jenkins.build_tools`" in capsys.readouterr().err
