"""The standard streams, whatever we were started with: closed, full, of another encoding, without a reader."""

from __future__ import annotations

import contextlib
import io
import os
import select
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from typing_extensions import Buffer

STANDARD = {1: "standard output", 2: "standard error"}


def mend() -> None:
    """Make the standard streams usable: none is closed, and each takes any text.

    A descriptor that is closed would be given to the next file that is opened, and get what is printed. So standard
    output becomes one whose writing fails (what is asked for cannot be had), standard error one that swallows.
    """
    for descriptor, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, flags)  # takes the lowest number that is free
    if sys.stdout is None or type(sys.stdout) is io.TextIOWrapper:  # else somebody has put his own there
        sys.stdout = _opened(1, sys.stdout)
    if sys.stderr is None or type(sys.stderr) is io.TextIOWrapper:
        sys.stderr = _opened(2, sys.stderr)


class _Raw(io.FileIO):
    """A standard stream whose errors say that they are its own."""

    def write(self, data: Buffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            error.filename = STANDARD[self.fileno()]
            raise


def _opened(descriptor: int, former: TextIO | None) -> TextIO:
    """Return a stream for a descriptor as the former one, or for UTF-8; characters that it has not are spelt out."""
    raw = io.BufferedWriter(_Raw(descriptor, "w", closefd=False))
    encoding = former.encoding if former else "utf-8"
    lines = descriptor == 2 or raw.isatty()
    return io.TextIOWrapper(raw, encoding, errors="backslashreplace", line_buffering=lines)


def reader_is_gone() -> bool:
    """Tell whether standard output or standard error is a pipe that nobody reads any more."""
    poll = select.poll()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            poll.register(stream.fileno(), 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def settle() -> None:
    """Write out what is left, and drop what cannot be written: at its end Python would fail over it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
                stream.flush()
