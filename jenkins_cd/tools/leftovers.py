"""Temporary folders that no killed process leaves for ever: each is locked as long as its owner lives.

The kernel ends a lock with its holder, however that ends, in a container too, where process numbers are others. So
whoever comes later can tell the folders that nobody owns any more, and removes them.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

ENDING = ".held"  # of the name of each such folder in the temporary folder, which others use as well


@contextlib.contextmanager
def folder(kind: str) -> Iterator[Path]:
    """Give a new folder `jenkins-cd-KIND-*` that only we can enter, for the length of the block.

    The first one of a process removes what killed processes of this user have left in the temporary folder.
    """
    place = Path(tempfile.gettempdir())
    _clean_up(place)
    with made(place, f"jenkins-cd-{kind}-", ENDING) as new:
        yield new


@contextlib.contextmanager
def made(place: Path, prefix: str, ending: str = "") -> Iterator[Path]:
    """Give a new folder in `place` that only we can enter, locked for the length of the block, and then removed."""
    new, descriptor = _locked(place, prefix, ending)
    try:
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)
        os.close(descriptor)


def abandoned(place: Path, pattern: str) -> Iterator[Path]:
    """Yield each folder of this user that was made in `place` by somebody who is gone; it is removed after that."""
    for old in place.glob(pattern):
        with contextlib.suppress(OSError):
            if old.is_symlink() or old.stat().st_uid != os.getuid():
                continue
            descriptor = os.open(old, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield old
                shutil.rmtree(old, ignore_errors=True)
            finally:
                os.close(descriptor)


def write_secret(file: Path, content: bytes) -> None:
    """Write a new file that only we can read: under its name it is whole, also where we are killed meanwhile."""
    unfinished = file.with_name(f".{file.name}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
    unfinished.rename(file)


def _locked(place: Path, prefix: str, ending: str) -> tuple[Path, int]:
    """Return a new folder, and the open descriptor that holds its lock."""
    while True:
        new = Path(tempfile.mkdtemp(prefix=prefix, suffix=ending, dir=place))
        with contextlib.suppress(FileNotFoundError):  # somebody who cleans up was faster than we
            descriptor = os.open(new, os.O_RDONLY | os.O_DIRECTORY)
            if _taken(descriptor) and new.exists():
                return new, descriptor
            os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # the file system has no such locks: then nobody will take the folder for abandoned
        return True
    return True


@functools.lru_cache(maxsize=4)
def _clean_up(place: Path) -> None:
    for _ in abandoned(place, f"jenkins-cd-*{ENDING}"):
        pass
