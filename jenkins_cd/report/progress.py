"""Progress as it happens: a line an event for logs, all that runs at once for a terminal. Both go to standard error."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from jenkins_cd.lines import split_lines
from jenkins_cd.model import Status
from jenkins_cd.report.text import clean, duration, instant, one_line

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

NAME = 17  # columns: the longest name of a stage
SIGNS: Mapping[Status, tuple[str, str]] = {  # a sign and a colour; the word always stands beside them
    "passed": ("✓", "green"),
    "failed": ("✗", "red"),
    "skipped": ("-", "bright_black"),
    "stopped": ("■", "yellow"),
}


def colours(stream: TextIO) -> bool:
    """Tell whether colours may be written to `stream` (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def lively(stream: TextIO) -> bool:
    """Tell whether somebody watches `stream` on a terminal that can be redrawn, and not a log of Jenkins."""
    machine = os.environ.get("JENKINS_URL") or os.environ.get("CI")
    return stream.isatty() and not machine and os.environ.get("TERM") not in ("dumb", "")


def emit(stream: TextIO, text: str) -> None:
    """Write `text` at once, in what the stream can encode."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()


class Lines:
    """Progress as lines with their time, for logs: `2026-01-02T03:04:05Z  unit-tests  passed  41 tests  3.2 s`."""

    def __init__(self, stream: TextIO) -> None:
        """Write to `stream`."""
        self._stream = stream
        self._lock = threading.Lock()

    def started(self, name: str, detail: str = "") -> None:
        """Say that a stage begins."""
        self._line(name, "started", detail)

    def note(self, name: str, text: str) -> None:
        """Say something of a stage that runs, a line a line."""
        for line in split_lines(text):
            self._line(name, line)

    def finished(self, name: str, status: Status, detail: str, seconds: float) -> None:
        """Say how a stage ended, and after what time."""
        self._line(name, status, detail, duration(seconds))

    def _line(self, *parts: str) -> None:
        words = [instant(datetime.now(timezone.utc)), *(one_line(clean(part)) for part in parts)]
        with self._lock, contextlib.suppress(OSError):  # a reader that has gone away stops no work
            emit(self._stream, "  ".join(word for word in words if word) + "\n")


@dataclass(frozen=True)
class _Running:
    since: float  # of the monotonic clock
    detail: str


class Screen:
    """Progress on a terminal: all that runs at once with the time so far, what has ended as lines above."""

    def __init__(self, stream: TextIO) -> None:
        """Draw on `stream`, between `__enter__` and `__exit__`."""
        from rich.console import Console

        self._console: Console = Console(
            file=stream, no_color=not colours(stream), highlight=False, markup=False, emoji=False
        )
        self._live: Live | None = None
        self._running: dict[str, _Running] = {}
        self._loose: set[str] = set()  # what was said of stages that do not run: shown until something begins or ends
        self._lock = threading.Lock()

    def __enter__(self) -> Screen:
        """Begin to draw."""
        from rich.live import Live

        self._live = Live(
            get_renderable=self._draw,
            console=self._console,
            transient=True,
            refresh_per_second=8,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Leave the terminal as it was, the lines of what has ended on it."""
        if self._live:
            self._live.__exit__(kind, error, at)

    def started(self, name: str, detail: str = "") -> None:
        """Show a stage that runs."""
        with self._lock:
            self._drop_loose()
            self._running[name] = _Running(time.monotonic(), one_line(clean(detail)))

    def note(self, name: str, text: str) -> None:
        """Show what a stage is about."""
        with self._lock:
            if name not in self._running:
                self._loose.add(name)
            since = self._running[name].since if name in self._running else time.monotonic()
            self._running[name] = _Running(since, one_line(clean(text)))

    def finished(self, name: str, status: Status, detail: str, seconds: float) -> None:
        """Leave a line of how a stage ended."""
        with self._lock:
            self._drop_loose()
            self._running.pop(name, None)
        sign, colour = SIGNS[status]
        self._console.print(self._row(f"{sign} {status}", colour, name, one_line(clean(detail)), duration(seconds)))

    def _drop_loose(self) -> None:
        while self._loose:
            self._running.pop(self._loose.pop(), None)

    def _draw(self) -> RenderableType:
        from rich.console import Group

        with self._lock:
            running = list(self._running.items())
        now = time.monotonic()
        return Group(
            *(self._row("… running", "cyan", name, one.detail, duration(now - one.since)) for name, one in running)
        )

    def _row(self, status: str, colour: str, name: str, detail: str, took: str) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        row = Table.grid(padding=(0, 1), expand=True)
        row.add_column(width=9, no_wrap=True)
        row.add_column(width=NAME, no_wrap=True, overflow="ellipsis")
        row.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        row.add_column(justify="right", no_wrap=True)
        row.add_row(Text(status, colour), Text(clean(name)), Text(detail), Text(took))
        return row
