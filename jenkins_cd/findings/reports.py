"""Report files: whether this run wrote them, and what is in them."""

from __future__ import annotations

import codecs
import contextlib
import fnmatch
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from stat import S_ISREG

from jenkins_cd import files
from jenkins_cd.errors import UnreadableReport

LARGEST = 200_000_000  # bytes
MOST = 20_000  # files of one pattern
Seen = Mapping[Path, tuple[int, int, int]]
_MAGIC = re.compile(r"[*?\[]")


def seen(root: Path, pattern: str) -> Seen:
    """Return what matches a glob in `root` now, with what changes when it is written: time, size and inode.

    `**` stands for any folders, and follows no links. Folders are left out. Raises UnreadableReport where more matches
    than anybody writes.
    """
    found: dict[Path, tuple[int, int, int]] = {}
    for path in _matching(root, pattern):
        with contextlib.suppress(OSError):  # gone again
            if not path.is_dir() or _leads_out(path, root):
                stat = path.lstat() if unfit(path, root) else path.stat()
                found[path] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if len(found) > MOST:
            raise UnreadableReport(f"{root / pattern} matches more than {MOST:,} files")
    return found


def written(root: Path, pattern: str, before: Seen) -> list[Path]:
    """Return the matching files that were written since `before`, sorted.

    Old reports are told apart, not deleted: a glob can match files that are nobody's reports. Raises UnreadableReport
    where none was written, where one is no file or leads out of `root`, and where they are too large together.
    """
    now = seen(root, pattern)
    fresh = sorted(path for path, stat in now.items() if before.get(path) != stat)
    if any(not _readable(path) for path in fresh):
        raise UnreadableReport(f"{root / pattern} matches a file whose name is not UTF-8")
    if odd := next((f"{path} {why}" for path in fresh if (why := unfit(path, root))), ""):
        raise UnreadableReport(odd)
    if sum(now[path][1] for path in fresh) > LARGEST:
        raise UnreadableReport(f"{root / pattern}: the files are larger than {LARGEST // 1_000_000} MB together")
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


def text(path: Path) -> str:
    """Return a report as text: UTF-8, or UTF-16 where it begins so, as of PowerShell. Raises UnreadableReport."""
    data = content(path)
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    return data.decode(encoding, "replace")


def unfit(path: Path, root: Path) -> str:
    """Return why a path below `root` is no file to be read, or an empty string: a device, a FIFO, a link out."""
    if _leads_out(path, root):
        return f"is a link out of {root}"
    try:
        return "" if S_ISREG(path.stat().st_mode) else "is no file"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _matching(root: Path, pattern: str) -> Iterator[Path]:
    """Yield what matches a glob, as glob(7) has it with `**`; a folder on the way that leads out of `root` is yielded
    in the place of what is in it. Neither depth nor links nor the pattern can make it go on without end."""
    parts = tuple(part for part in pattern.split("/") if part not in ("", "."))
    pending, visited = [(root, parts)] if parts else [], set()
    while pending:
        folder, left = place = pending.pop()
        if place in visited:
            continue
        visited.add(place)
        if _leads_out(folder, root):
            yield folder
            continue
        rest = left[1:]
        if left[0] == "**" and rest:
            pending.append((folder, rest))
        for path in _named(folder, left[0]):
            if left[0] == "**" and path.is_dir() and not path.is_symlink():
                pending.append((path, left))
            if not rest:
                yield path
            elif left[0] != "**" and path.is_dir():
                pending.append((path, rest))


def _named(folder: Path, part: str) -> Iterator[Path]:
    """Yield what is in a folder under names that a part of a glob matches; a hidden one must be named as such."""
    with contextlib.suppress(OSError, ValueError):
        if not _MAGIC.search(part):
            if os.path.lexists(folder / part):
                yield folder / part
            return
        hidden = part.startswith(".")
        for name in sorted(os.listdir(folder)):  # noqa: PTH208 - only the names are wanted
            if (hidden or not name.startswith(".")) and fnmatch.fnmatchcase(name, part):
                yield folder / name


def _leads_out(path: Path, root: Path) -> bool:
    return path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def _readable(path: Path) -> bool:
    """Tell whether a path can be written into a message."""
    return str(path).isprintable()
