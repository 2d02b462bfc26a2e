"""Locks between processes on one machine: held by an open file, so that they end with their holder, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from jenkins_cd import files
from jenkins_cd.errors import BadInput
from jenkins_cd.tools import process


def cache_folder() -> Path:
    """Return the folder of what can be made again: `$XDG_CACHE_HOME/jenkins-cd`, else `~/.cache/jenkins-cd`.

    Raises BadInput where there is no home either.
    """
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "jenkins-cd"
    if home := files.home():
        return home / ".cache" / "jenkins-cd"
    raise BadInput(
        "there is no place for the cache: HOME is not set, and this user is in no user database",
        "set XDG_CACHE_HOME, or HOME, to a folder that this user can write to",
    )


@contextlib.contextmanager
def held(file: Path, waiting: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the lock `file` (flock(2), exclusive). `waiting` is told once, with the holder, if somebody has it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        told = False
        while not _taken(descriptor):
            if waiting and not told:
                waiting(os.pread(descriptor, 200, 0).decode("utf-8", "replace") or "another process")
                told = True
            process.pause(0.05)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} (since {time.strftime('%H:%M:%S')})".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
