from __future__ import annotations

import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd.tools import leftovers

OWNER = """
import sys, time
from jenkins_cd.tools import leftovers
with leftovers.folder("login") as folder:
    leftovers.write_secret(folder / "config.json", b"secret")
    print(folder, flush=True)
    time.sleep(120)
"""
CUT_OFF = """
import pathlib, resource, signal, sys
from jenkins_cd.tools import leftovers
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (4, 4))
leftovers.write_secret(pathlib.Path(sys.argv[1]), b"secret")
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of this test alone, that nobody has cleaned up in."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    leftovers._clean_up.cache_clear()
    return tmp_path


@contextmanager
def owner() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Run somebody who has a folder."""
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout
            yield running, Path(running.stdout.readline().strip())
        finally:
            running.kill()


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_is_in_use_stays() -> None:
    with owner() as (killed, left), owner() as (_, used):
        killed.kill()
        killed.wait()
        assert (left / "config.json").exists()
        with leftovers.folder("chart"):
            assert not left.exists()
            assert (used / "config.json").exists()


def test_a_folder_is_ours_alone_and_gone_at_the_end_of_the_block(place: Path) -> None:
    with leftovers.folder("login") as folder:
        leftovers.write_secret(folder / "config.json", b"secret")
        modes = [stat.S_IMODE(one.stat().st_mode) for one in (folder, folder / "config.json")]
        assert modes == [0o700, 0o600]
        assert list(leftovers.abandoned(place, "*")) == []
    assert list(place.iterdir()) == []


def test_a_secret_is_there_as_a_whole_or_not_at_all(place: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", CUT_OFF, place / "config.json"], check=False)
    assert killed.returncode == -signal.SIGXFSZ
    assert [one.stat().st_size for one in place.iterdir()] == [4]  # it was in the middle of it
    assert not (place / "config.json").exists()


def test_what_others_call_alike_is_left_alone(place: Path) -> None:
    (place / "elsewhere").mkdir()
    (place / "jenkins-cd-1000").mkdir()
    (place / "jenkins-cd-link.held").symlink_to(place / "elsewhere")
    (place / "jenkins-cd-file.held").write_text("")
    with leftovers.folder("chart"):
        pass
    assert len(list(place.iterdir())) == 4


def test_a_folder_that_somebody_removes_before_it_is_locked_is_made_anew(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, made = tempfile.mkdtemp, list[str]()

    def removed_at_first(**given: Any) -> str:
        made.append(make(**given))
        if len(made) == 1:
            Path(made[0]).rmdir()
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", removed_at_first)
    with leftovers.folder("chart") as folder:
        assert [str(folder)] == made[1:]
