"""Programs that tests start, as /proc tells of them (proc(5)): each may end between two looks."""

import contextlib
import os
import signal
from pathlib import Path


def runs(pid: int | str) -> bool:
    """Tell whether a process runs: one that has ended, and that its parent has not waited for yet, does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):  # the latter where it ends between opening and reading
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def children(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that these have."""
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for word in file.read_text(encoding="ascii").split():
                found += [int(word), *children(int(word))]
    return found


def kill(*pids: int) -> None:
    """Kill processes, those that have ended meanwhile left alone."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
