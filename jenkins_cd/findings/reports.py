"""Report files: whether this run wrote them, and what is in them."""

from __future__ import annotations

import contextlib
import glob
from collections.abc import Mapping
from pathlib import Path
from stat import S_ISREG

from jenkins_cd import files
from jenkins_cd.errors import UnreadableReport

LARGEST = 200_000_000  # bytes
Seen = Mapping[Path, tuple[int, int, int]]


def seen(root: Path, pattern: str) -> Seen:
    """Return the files that match a glob now, with what changes when one is written: time, size and inode."""
    found: dict[Path, tuple[int, int, int]] = {}
    for name in glob.iglob(pattern, root_dir=root, recursive=True):  # noqa: PTH207 - Path.glob raises on odd patterns
        with contextlib.suppress(OSError):  # gone again, or a link to nowhere
            stat = (root / name).stat()
            if S_ISREG(stat.st_mode):
                found[root / name] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    return found


def written(root: Path, pattern: str, before: Seen) -> list[Path]:
    """Return the matching files that were written since `before`, sorted. Raises UnreadableReport where there is none.

    Old reports are told apart, not deleted: a glob can match files that are nobody's reports.
    """
    now = seen(root, pattern)
    fresh = sorted(path for path, stat in now.items() if before.get(path) != stat)
    if any(not _readable(path) for path in fresh):
        raise UnreadableReport(f"{root / pattern} matches a file whose name is not UTF-8")
    if fresh:
        return fresh
    if now:
        raise UnreadableReport(f"{root / pattern} is of an earlier run: this one did not write it")
    raise UnreadableReport(f"{root / pattern} is missing: nothing wrote it")


def content(path: Path) -> bytes:
    """Return what is in a report. Raises UnreadableReport, naming the file."""
    try:
        return files.read(path, LARGEST)
    except files.Unfit as error:
        raise UnreadableReport(error.message, error.hint) from error


def _readable(path: Path) -> bool:
    """Tell whether a path can be written into a message."""
    return str(path).isprintable()
