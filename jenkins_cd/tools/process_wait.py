"""Wait for the end of a program that was started, and know of it at once."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def watched(process: subprocess.Popen[bytes]) -> Iterator[Callable[[float], object]]:
    """Give a function that waits for the end, for some seconds at most.

    Where the kernel tells of an end (pidfd_open(2), Linux) it is known at once; elsewhere it is looked for.
    """
    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        yield lambda seconds: _looked_for(process, seconds)
        return
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        yield lambda seconds: poll.poll(seconds * 1000)
    finally:
        os.close(descriptor)


def _looked_for(process: subprocess.Popen[bytes], seconds: float) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
