from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from jenkins_cd.demo import site, story
from jenkins_cd.demo.site import Site
from jenkins_cd.errors import BadInput, GateFailed
from tests.user import eventually


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the demo in a folder of its own, with a folder of its own for temporary files."""
    temporary = folder / "tmp"
    temporary.mkdir(parents=True)
    return subprocess.Popen(
        [sys.executable, "-m", "jenkins_cd", "demo", *arguments],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(temporary), "COLUMNS": "80"},
        stdout=(folder / "out").open("w"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )


def processes_of(folder: Path) -> list[str]:
    """Return the command lines that name a folder, or work in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(folder) in line or (process / "cwd").resolve().is_relative_to(folder):
                found.append(line)
        except OSError:
            continue
    return found


@pytest.mark.timeout(900)
def test_two_demos_at_once_both_end_well_and_leave_only_their_reports(tmp_path: Path) -> None:
    passing, kept = tmp_path / "passing", tmp_path / "kept"
    one, two = start(passing), start(kept, "--keep", "--folder", "play")

    assert one.wait(600) == 0, (passing / "out").read_text(encoding="utf-8")
    assert sorted(path.name for path in passing.iterdir()) == [".jenkins-cd", "out", "tmp"]
    assert not list((passing / "tmp").iterdir())
    for version in ("1.0.0", "1.1.0"):
        assert version in (passing / ".jenkins-cd/demo" / version / "index.html").read_text(encoding="utf-8")
    assert "no Kubernetes" in (passing / ".jenkins-cd/demo/agent.log").read_text(encoding="utf-8")
    eventually(lambda: not processes_of(passing))

    out = kept / "out"
    eventually(lambda: "Ctrl-C ends it" in out.read_text(encoding="utf-8") or two.poll() is not None, 600)
    told = out.read_text(encoding="utf-8")
    exports = [line.strip() for line in told.splitlines() if line.startswith("  export ")]
    script = "\n".join([*exports, f"cd {kept}/play/storefront", f"{sys.executable} -m jenkins_cd status"])
    said = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr + told
    assert "staging" in said.stdout

    two.send_signal(signal.SIGINT)
    assert two.wait(30) == 0, out.read_text(encoding="utf-8")
    eventually(lambda: not processes_of(kept))
    assert (kept / "play/platform.yaml").is_file()


def test_a_demo_that_is_told_to_stop_takes_everything_down(tmp_path: Path) -> None:
    running = start(tmp_path)
    out = tmp_path / "out"
    eventually(lambda: "$ jenkins-cd ci" in out.read_text(encoding="utf-8"), 60)
    running.terminate()
    assert running.wait(30) == 130, out.read_text(encoding="utf-8")
    eventually(lambda: not processes_of(tmp_path))
    assert not list((tmp_path / "tmp").iterdir())


def test_a_demo_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    running = start(tmp_path)
    out = tmp_path / "out"
    eventually(lambda: "$ jenkins-cd common-chart" in out.read_text(encoding="utf-8"), 60)
    running.kill()
    running.wait()
    eventually(lambda: not processes_of(tmp_path))


@pytest.fixture
def here(tmp_path: Path) -> Site:
    (tmp_path / "storefront").mkdir()
    return Site(folder=tmp_path, env={}, urls={}, registry="")


def test_a_step_is_shown_before_it_runs(here: Site, capfd: pytest.CaptureFixture[str]) -> None:
    story.run(here, story.Step("printf 'a b'", "What it is about"))
    assert capfd.readouterr().out == "\n# What it is about\n$ printf 'a b'\na b"


def test_a_step_that_should_fail_says_why(here: Site, capfd: pytest.CaptureFixture[str]) -> None:
    story.run(here, story.Step("false", expected=1, why="it was never healthy"))
    assert "# exit code 1, as it should be: it was never healthy" in capfd.readouterr().out


@pytest.mark.parametrize(("line", "expected"), [("false", 0), ("true", 1)])
def test_a_step_that_ends_otherwise_than_it_should_fails_the_demo(here: Site, line: str, expected: int) -> None:
    with pytest.raises(GateFailed, match=f"{line} ended with exit code {1 - expected}, expected {expected}"):
        story.run(here, story.Step(line, expected=expected))


def test_a_folder_with_something_in_it_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    with pytest.raises(BadInput, match="is not an empty folder"):
        story.play(tmp_path, keep=False)
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_every_missing_program_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", tempfile.gettempdir())
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(BadInput) as caught:
        site.check_tools()
    told = "\n".join(caught.value.problems)
    for name in ("go", "helm", "staticcheck", "deadcode", "gotestsum", "git", "curl", "docker-registry", "buildah"):
        assert f"{name} is missing: " in told or f"({name}" in told
