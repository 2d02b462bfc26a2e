"""Keep our secrets from programs that are not ours, which run as the same user and may look at /proc.

What is told to nobody cannot be read: a program is given no secret that it does not need. The process that started it
has them all the same, so before it starts any program it blots them out of the memory that /proc/PID/environ shows;
before it starts one that is not ours it lets nobody look into the rest either (prctl(2), PR_SET_DUMPABLE). That alone
does not hold off root, whom a capability lets look into any process: such a program is started without it
(capabilities(7), ptrace(2)).

Where the kernel is no Linux there is no /proc, and nothing of this is done.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from jenkins_cd.masking import secrets_given

T = TypeVar("T")
_PR_SET_DUMPABLE, _PR_CAPBSET_READ, _PR_CAPBSET_DROP, _PR_SET_CHILD_SUBREAPER = 4, 23, 24, 36  # <linux/prctl.h>
# <linux/capability.h>. Without SYS_PTRACE nobody may look into a process that has one capability more; in a container
# nobody has it, so one of the others is taken instead, which few programs miss.
_SYS_PTRACE, _MKNOD, _AUDIT_WRITE = 19, 27, 29
_ENV_START, _ENV_END = 49, 50  # fields of /proc/PID/stat, from 0 on (proc(5))


def hide() -> None:
    """Take our secrets, if we have any, out of what /proc/PID/environ shows. Cheap where it is done already."""
    if secret := secrets_given():
        _blot_out(frozenset(secret))


def shut() -> None:
    """Let no other process of this user look into our memory, if we have secrets.

    Not before it must be: Jenkins knows what it has to end when a build is aborted by looking at /proc/PID/environ.
    """
    if secrets_given():
        prctl(_PR_SET_DUMPABLE, 0)


def prctl(option: int, value: int) -> int:
    """Call prctl(2); returns what it returns, -1 where it fails or the kernel is no Linux."""
    if sys.platform != "linux":
        return -1
    try:
        import ctypes  # takes 5 ms and more, and most commands need none of it
    except ImportError:  # a Python that was built without libffi
        return -1
    return int(ctypes.CDLL(None).prctl(option, value, 0, 0, 0))


def become_subreaper() -> bool:
    """Let orphans of our descendants become children of ours; tells whether the kernel does that."""
    return prctl(_PR_SET_CHILD_SUBREAPER, 1) == 0


def with_fewer_rights(start: Callable[[], T]) -> T:
    """Start a program that may then look into no process with our rights; returns what `start` returns.

    A thread has its own bounds of what a program may get, and hands them on to those that it starts.
    """
    takes = [capability for capability in (_SYS_PTRACE, _MKNOD, _AUDIT_WRITE) if _may_take(capability)][:1]
    if not takes:
        return start()
    told: list[T] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            prctl(_PR_CAPBSET_DROP, takes[0])
            told.append(start())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work, name="start")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return told[0]


def _may_take(capability: int) -> bool:
    return os.geteuid() == 0 and prctl(_PR_CAPBSET_READ, capability) == 1


@functools.lru_cache(maxsize=8)
def _blot_out(names: frozenset[str]) -> None:
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, ValueError, IndexError, ImportError):  # no /proc: nobody else has one either
        import ctypes

        fields = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        start, end = (int(fields[field - 2]) for field in (_ENV_START, _ENV_END))  # two fields stand before the )
        if start == 0:
            return
        block = (ctypes.c_char * (end - start)).from_address(start)
        _blot(memoryview(block).cast("B"), frozenset(os.fsencode(name) for name in names))


def _blot(block: memoryview, names: frozenset[bytes]) -> None:
    """Overwrite the values of variables in a block of `NAME=value` that end with a NUL each."""
    place = 0
    for entry in bytes(block).split(b"\0"):
        name, equals, value = entry.partition(b"=")
        if equals and name in names:
            first = place + len(name) + 1
            block[first : first + len(value)] = bytes(len(value))
        place += len(entry) + 1
