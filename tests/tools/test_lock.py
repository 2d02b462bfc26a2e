from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jenkins_cd.tools.lock import cache_folder, held

HOLDER = (
    "import sys, time, pathlib\n"
    "from jenkins_cd.tools.lock import held\n"
    "with held(pathlib.Path(sys.argv[1])):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.read()\n"
)


def holder(file: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_second_process_waits_and_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    with holder(tmp_path / "lock") as other:
        told: list[str] = []

        def waiting(who: str) -> None:
            told.append(who)
            assert other.stdin
            other.stdin.close()

        with held(tmp_path / "lock", waiting):
            assert told[0].startswith(f"process {other.pid} (since ")


def test_a_lock_ends_with_its_holder_however_it_ends(tmp_path: Path) -> None:
    with holder(tmp_path / "lock") as other:
        other.kill()
    with held(tmp_path / "lock", lambda who: (_ for _ in ()).throw(AssertionError(who))):
        pass


def test_the_cache_follows_the_xdg_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "jenkins-cd"
