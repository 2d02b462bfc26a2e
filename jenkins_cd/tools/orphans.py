"""End what a program leaves behind that is not ours: also what has put itself into a session of its own (setsid(2)).

An orphan becomes a child of the nearest ancestor that asked for it (PR_SET_CHILD_SUBREAPER, prctl(2)): of us. So it is
one of our children, in another session than ours, that we have not started ourselves. Where the kernel has no such
thing, only process groups are ended.
"""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from jenkins_cd.tools import secrecy

MARK = "JENKINS_CD_STARTED"  # the variable that tells of which program an orphan is
GRACE = 2.0  # seconds that an orphan has to end by itself
LOOK = 0.02  # seconds between two looks

_lock = threading.RLock()  # held while a program is started: until it is known it looks like an orphan
_children: set[int] = set()  # that we have started
_marks: set[str] = set()  # of the programs that run
_strangers: set[int] = set()  # children that somebody else in this process has started


@dataclass(frozen=True)
class Process:
    """A process as /proc tells of it."""

    pid: int
    parent: int
    session: int
    state: str


@dataclass(frozen=True)
class Brood:
    """The orphans of one program, known by its mark, which they inherit unless they take it off."""

    mark: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def variables(self) -> dict[str, str]:
        """Return what the program must have in its environment."""
        return {MARK: self.mark}


@contextlib.contextmanager
def child() -> Iterator[Callable[[int], None]]:
    """Start a program in the block and name its process number: it is no orphan, until `forget`."""
    with _lock:
        yield _children.add


def forget(pid: int) -> None:
    """Take a program that we have started and waited for off the list."""
    with _lock:
        _children.discard(pid)


@contextlib.contextmanager
def ended() -> Iterator[Brood]:
    """Give the mark for a program that is not ours; when the block is left, what it has left behind is ended.

    An orphan that has taken its mark off is ended with the last program that runs at the time.
    """
    brood = Brood()
    with _lock:
        if not _marks:
            _strangers.clear()
            _strangers.update(one.pid for one in _orphans())
        _marks.add(brood.mark)
    try:
        yield brood
    finally:
        with _lock:
            _marks.discard(brood.mark)
        end(brood)


def end(brood: Brood) -> None:
    """End all orphans of a program, and then those that their end makes orphans."""
    deadline = time.monotonic() + GRACE
    told: set[int] = set()
    while found := _of(brood.mark):
        late = time.monotonic() > deadline
        for orphan in found:
            if late or orphan not in told:
                _signal(orphan, signal.SIGKILL if late else signal.SIGTERM)
        told |= found
        if time.monotonic() > deadline + GRACE:  # somebody makes new ones faster than they can be ended
            return
        time.sleep(LOOK)


def _of(mark: str) -> set[int]:
    """Return the orphans of a program that still run; those that have ended are taken off the kernel's list."""
    with _lock:
        orphans = _orphans()
        for orphan in orphans:
            if orphan.state == "Z":
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(orphan.pid, os.WNOHANG)
        others = _marks - {mark}
        return {one.pid for one in orphans if one.state != "Z" and (not others or _mark(one.pid) == mark)}


def _orphans() -> list[Process]:
    if not _adopt():
        return []
    own, session, known = os.getpid(), os.getsid(0), _children | _strangers
    return [one for one in _processes() if one.parent == own and one.session != session and one.pid not in known]


def _processes() -> Iterator[Process]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):  # gone meanwhile
                text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
                state, parent, _, session = text.rpartition(")")[2].split()[:4]
                yield Process(int(folder.name), int(parent), int(session), state)


def _mark(pid: int) -> str:
    """Return the mark in the environment of a process, or "" where it has none or does not show it."""
    with contextlib.suppress(OSError):
        for variable in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            name, _, value = variable.partition(b"=")
            if name == MARK.encode():
                return value.decode("ascii", "replace")
    return ""


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


@functools.lru_cache(maxsize=1)
def _adopt() -> bool:
    return Path("/proc/self/stat").exists() and secrecy.become_subreaper()
