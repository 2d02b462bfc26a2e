"""One lab a machine, shared: who wants it holds a lease, the keeper runs it as long as somebody does.

A lease is a locked file, so it ends with its holder whatever becomes of that one. The gate lets one at a time join, or
the keeper stop: nobody joins a lab that is going down.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from jenkins_cd.errors import BadInput, ExternalFailure
from tests.lab import build, places, state
from tests.lab.lab import Lab

_POLL = 0.05
_PATIENCE = 120.0  # seconds from the first look to a lab that is ready


@dataclass(frozen=True, kw_only=True)
class Lease:
    """A share in the lab that runs. `joined` tells that it ran before we came."""

    lab: Lab
    joined: bool
    file: IO[str]

    def leave(self) -> list[str]:
        """Give it back, and wait until the lab is gone where nobody else holds it; returns who does."""
        _release(self.file)
        return _others()


def join(say: Callable[[str], None]) -> Lease:
    """Take part in the lab of this machine, and start it where none runs; `say` gets lines for people.

    Raises BadInput where the lab cannot run here, ExternalFailure where it does not come up.
    """
    check()
    state.prepare()
    try:
        with gate(say):
            return _join(say)
    except BaseException:
        _others()  # the keeper that we have started cleans up once the gate is open
        raise


def _join(say: Callable[[str], None]) -> Lease:
    file = _hold()
    try:
        joined = state.keeper_lives()
        keeper = None if joined else _start_keeper()
        return Lease(lab=_await(keeper, say), joined=joined, file=file)
    except BaseException:
        _release(file)
        raise


def _others() -> list[str]:
    """Wait until the lab is gone, or return who else holds it."""
    while state.keeper_lives():
        if others := holders():
            return others
        time.sleep(_POLL)
    return []


def check() -> None:
    """Raise BadInput where the lab cannot run: it changes the network and mounts, and needs its programs."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise BadInput("the lab runs on Linux, as root", "run it in a container or a virtual machine of your own")
    if missing := build.missing():
        problems = [f"{name} is missing" for name in missing]
        raise BadInput("the lab is not built", "python -m tests.lab build (minutes, the first time)", problems)
    build.check_machine()


def holders() -> list[str]:
    """Return who holds the lab, a line each, and forget those that ended without a word."""
    found = []
    for file in sorted(state.USERS.glob("[!.]*")):
        with contextlib.suppress(FileNotFoundError), file.open(encoding="utf-8") as content:
            if state.lock(content, fcntl.LOCK_EX | fcntl.LOCK_NB):
                file.unlink(missing_ok=True)
            else:
                found.append(content.read().strip())
    return found


def _hold() -> IO[str]:
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    aside = state.USERS / f".{name}"
    file = aside.open("w", encoding="utf-8")
    fcntl.flock(file, fcntl.LOCK_EX)
    file.write(f"process {os.getpid()}: {shlex.join(sys.orig_argv)[:120]}")
    file.flush()
    aside.rename(state.USERS / name)  # seen only once it is locked: else it would be taken for a dead one's
    return file


def _release(file: IO[str]) -> None:
    """Give a lease back. The lock ends with it; what is left of the file goes at the next look."""
    file.close()


@contextlib.contextmanager
def gate(say: Callable[[str], None]) -> Iterator[None]:
    """Be the only one who starts, joins or stops the lab for the length of a block."""
    with state.GATE.open("a") as file:
        if not state.lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB):
            say("another one starts or stops the lab: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _start_keeper() -> subprocess.Popen[bytes]:
    """Start the keeper in a session of its own: it outlives us where others hold the lab."""
    state.FAILURE.unlink(missing_ok=True)
    state.LAB.unlink(missing_ok=True)
    state.PROGRESS.write_text("", encoding="utf-8")
    for old in state.LOGS.iterdir():
        old.unlink()
    home = str(Path.home())
    with (state.LOGS / "keeper.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.lab", "keep"],
            cwd=places.ROOT,
            env={"PATH": places.path(), "HOME": home, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _await(keeper: subprocess.Popen[bytes] | None, say: Callable[[str], None]) -> Lab:
    """Wait until the lab is ready, and pass on what the keeper tells meanwhile."""
    deadline, told = time.monotonic() + _PATIENCE, 0
    while not state.LAB.exists():
        told = _pass_on(told, say)
        gone = keeper.poll() is not None if keeper else not state.keeper_lives()
        if gone or time.monotonic() > deadline:
            why = state.FAILURE.read_text(encoding="utf-8") if state.FAILURE.exists() else "it ended without a word"
            raise ExternalFailure(f"the lab did not come up: {why if gone else 'too slow'}", f"logs: {state.LOGS}")
        time.sleep(_POLL)
    if keeper:
        _pass_on(told, say)
    return Lab.read()


def _pass_on(told: int, say: Callable[[str], None]) -> int:
    """Say the lines of the keeper after the first `told`; returns how many are told now."""
    lines = state.PROGRESS.read_text(encoding="utf-8").splitlines() if state.PROGRESS.exists() else []
    for line in lines[told:]:
        say(line)
    return len(lines)
