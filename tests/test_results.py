from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from jenkins_cd import masking, results
from jenkins_cd.errors import GateFailed
from jenkins_cd.model import Finding, StageResult


def result(reason: str = "1 finding") -> StageResult:
    finding = Finding(tool="vet", rule="printf", message="wrong verb", level="error", file="main.go", line=3)
    return StageResult(
        stage="compiler-warnings",
        status="failed",
        reason=reason,
        version="1.0.0",
        commit="1a2b3c4",
        started=datetime(2026, 1, 2, tzinfo=timezone.utc),
        seconds=0.5,
        findings=(finding,),
    )


def test_what_was_saved_is_loaded_again(tmp_path: Path) -> None:
    results.save(tmp_path, "compiler-warnings", result())
    assert results.load(tmp_path, "compiler-warnings", StageResult) == result()


def test_every_result_names_its_shape_and_version(tmp_path: Path) -> None:
    saved = json.loads(results.save(tmp_path, "x", result()).read_text())
    assert saved["schema"] == "jenkins_cd/stage/v1"


def test_nothing_saved_is_none(tmp_path: Path) -> None:
    assert results.load(tmp_path, "build", StageResult) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": "jenkins_cd/stage/v2"}', "\xff"])
def test_a_result_that_cannot_be_read_fails_and_names_the_file(tmp_path: Path, content: str) -> None:
    (tmp_path / "build.json").write_text(content, encoding="latin-1")
    with pytest.raises(GateFailed, match=r"build\.json cannot be read"):
        results.load(tmp_path, "build", StageResult)


def test_a_secret_is_masked_in_what_is_saved(tmp_path: Path) -> None:
    masking.register('canary "of" results')
    text = results.save(tmp_path, "x", result('it said canary "of" results')).read_text()
    assert "canary" not in text
    assert json.loads(text)["reason"] == "it said ****"


def test_the_folder_hides_itself_from_git(tmp_path: Path) -> None:
    results.prepare(tmp_path)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    status = subprocess.run(["git", "-C", str(tmp_path), "status", "--porcelain"], capture_output=True, check=True)
    assert status.stdout == b""


def test_a_reader_never_sees_half_a_file_while_it_is_replaced(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from jenkins_cd.results import write\n"
        "while True:\n"
        "    for letter in (b'a', b'b'):\n"
        "        write(pathlib.Path(sys.argv[1]), letter * 300_000)\n"
    )
    file = tmp_path / "file"
    results.write(file, b"a" * 300_000)
    with subprocess.Popen([sys.executable, "-c", program, str(file)]) as writer:
        seen = {file.read_bytes() for _ in range(300)}
        writer.kill()
    assert seen <= {b"a" * 300_000, b"b" * 300_000}
