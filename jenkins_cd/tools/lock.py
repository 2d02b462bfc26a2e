"""Locks between processes on one machine: held by an open file, so that they end with their holder, however it ends."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from jenkins_cd import files
from jenkins_cd.errors import BadInput
from jenkins_cd.tools import process

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # a file system without locks: nobody can be waited for


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
def held(file: Path, waiting: Callable[[str], None] | None = None, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock `file` (flock(2)), alone or `shared` with others that share it.

    `waiting` is told once, with who has it, if somebody does. Raises Unfit where the file is none, Stopped where the
    run is ended while it waits.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _opened(file)
    try:
        told = False
        while not _taken(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
            if waiting and not told:
                waiting(os.pread(descriptor, 200, 0).decode("utf-8", "replace") or "another process")
                told = True
            process.pause(0.05)
        with files.named(file):
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} (since {time.strftime('%H:%M:%S')})".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _opened(file: Path) -> int:
    """Open a lock's file, made where there is none; not what a link names, as it is written to."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise files.Unfit(file, f"is {files.kind(mode)}, not a lock", "remove it")
    return descriptor


def _taken(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True
