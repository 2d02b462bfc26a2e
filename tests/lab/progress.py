"""Tell what happens: on a terminal a line that changes, else one line every half minute."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from jenkins_cd.errors import ExternalFailure
from jenkins_cd.tools import process

QUIET = 30.0  # seconds between two lines where nobody watches
LAST = 20  # lines of a program that failed


def say(text: str) -> None:
    """Print one line on standard error."""
    print(f"lab: {text}", file=sys.stderr, flush=True)  # noqa: T201


def watched(
    what: str, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None, unit: str = "lines"
) -> None:
    """Run a program, tell how long it takes and how many lines it has printed. Raises ExternalFailure with the last."""
    with tempfile.NamedTemporaryFile(prefix="jenkins-cd-build-", suffix=".log") as file:
        log, started, told = Path(file.name), time.monotonic(), 0.0
        say(f"{what} …")
        service = process.serve(argv, log=log, cwd=cwd, env=env)
        try:
            while service.exit_code is None:
                process.pause(0.5)
                told = _tell(what, log, time.monotonic() - started, told, unit)
        finally:
            service.stop()
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        if service.exit_code:
            raise ExternalFailure(f"{what} failed: {process.display(argv)}\n" + "\n".join(lines[-LAST:]))
        say(f"{what}: done in {time.monotonic() - started:.0f} s")


def _tell(what: str, log: Path, seconds: float, told: float, unit: str) -> float:
    """Show the state of a program; returns when, in its seconds, a line was last written."""
    terminal = sys.stderr.isatty()
    if terminal or seconds - told >= QUIET:
        count = log.read_bytes().count(b"\n")
        ending = "\r" if terminal else "\n"
        print(f"lab: {what}: {seconds:.0f} s, {count} {unit} ", end=ending, file=sys.stderr, flush=True)  # noqa: T201
        return seconds
    return told
