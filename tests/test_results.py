from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from jenkins_cd import files, masking, results
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


def leave(workspace: Path) -> list[Path]:
    """Leave in a workspace what a build leaves: results, a page, tests, findings, a step under way."""
    folder = results.prepare(workspace)
    names = ["ci.json", "unit-tests.json", "report/index.html", "tests/dev/junit.xml", "tests/dev/source/a.sh",
             "dead-code.sarif", "deploy/dev-shop-mini.json", "deployments/1.json", "package/mini-1.0.0.tgz",
             "unit-tests/junit.xml", "logs/build.log"]  # fmt: skip
    for name in names:
        results.write(folder / name, b"{}")
    (folder / "report" / "link").symlink_to("/")
    return [folder / name for name in names]


@pytest.mark.parametrize(("first", "second"), [("1", "2"), ("", "2"), ("build 7", "build 7 "), ("ä\n", "ä")])
def test_what_another_run_left_is_no_result_of_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    monkeypatch.setenv("JENKINS_CD_RUN", first)
    left = leave(tmp_path)
    monkeypatch.setenv("JENKINS_CD_RUN", second)
    folder = results.prepare(tmp_path)
    assert not [file for file in left if file.exists()]
    assert results.load(folder, "ci", StageResult) is None


@pytest.mark.parametrize("run", ["1", None])
def test_what_this_run_left_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: str | None) -> None:
    monkeypatch.setenv("JENKINS_CD_RUN", run) if run else monkeypatch.delenv("JENKINS_CD_RUN", raising=False)
    left = leave(tmp_path)
    results.prepare(tmp_path)
    assert all(file.exists() for file in left)


def test_what_was_put_there_for_a_run_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ("outcomes/1.json", "jenkins_cd.whl", "platform.yaml")
    for name in given:
        results.write(tmp_path / ".jenkins-cd" / name, b"x")
    monkeypatch.setenv("JENKINS_CD_RUN", "2")
    folder = results.prepare(tmp_path)
    assert all((folder / name).exists() for name in given)


def test_of_commands_that_begin_at_once_none_removes_what_another_has_written(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from jenkins_cd import results\n"
        "folder = results.prepare(pathlib.Path(sys.argv[1]))\n"
        "results.write(folder / f'{sys.argv[2]}.json', b'{}')\n"
    )
    results.write(tmp_path / ".jenkins-cd" / "old.json", b"{}")
    commands = [[sys.executable, "-c", program, str(tmp_path), str(number)] for number in range(8)]
    env = {**os.environ, "JENKINS_CD_RUN": "7"}
    running = [subprocess.Popen(command, env=env) for command in commands]
    assert [process.wait() for process in running] == [0] * 8
    assert {file.stem for file in (tmp_path / ".jenkins-cd").glob("*.json")} == {str(number) for number in range(8)}


@pytest.mark.parametrize("at", ["tests", "deploy"])
def test_what_another_run_nested_deeper_than_any_path_or_made_unwritable_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """The programs of one app's tests are not to spoil the workspace for all that come after."""
    monkeypatch.setenv("JENKINS_CD_RUN", "first")
    deepest = results.prepare(tmp_path) / at
    (deepest / "shut" / "in").mkdir(parents=True)
    (deepest / "shut").chmod(0o500)
    monkeypatch.chdir(deepest)
    for _ in range(1500):  # relative to the folder that we are in: the whole path is longer than any may be
        os.mkdir("deeper")  # noqa: PTH102
        os.chdir("deeper")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JENKINS_CD_RUN", "second")
    assert not (results.prepare(tmp_path) / at).exists()


@pytest.mark.parametrize("name", ["run", ".run.lock", "locks", "outcomes", ".gitignore", "platform.yaml", "report"])
@pytest.mark.parametrize("kind", ["a link", "a pipe", "a folder", "a file"])
def test_what_another_run_put_in_the_place_of_what_is_kept_does_not_stop_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    monkeypatch.setenv("JENKINS_CD_RUN", "first")
    app, elsewhere = tmp_path / "app", tmp_path / "elsewhere"
    app.mkdir()
    elsewhere.mkdir()
    out = results.prepare(app)
    (elsewhere / "precious").write_text("all of it", encoding="utf-8")
    place = out / name
    files.remove(place)
    if kind == "a link":
        place.symlink_to(elsewhere)
    elif kind == "a pipe":
        os.mkfifo(place)
    elif kind == "a folder":
        place.mkdir()
    else:
        place.touch()
    monkeypatch.setenv("JENKINS_CD_RUN", "second")
    results.prepare(app)
    assert (out / "run").read_text(encoding="utf-8") == "second"
    assert [file.read_text(encoding="utf-8") for file in elsewhere.iterdir()] == ["all of it"]
