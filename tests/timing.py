"""What the suite's time went into: printed at the end of a run, the slowest tests first, then each folder's share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

import pytest

SLOWEST = 20  # tests that are named
WORTH_SECONDS = 1.0  # what took less is not named


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table at the end of a run that was not interrupted before anything ran."""
    ended = [one for found in terminalreporter.stats.values() for one in found if isinstance(one, pytest.TestReport)]
    lines = table(ended)
    if lines:
        terminalreporter.write_sep("=", f"slowest {SLOWEST} tests, and the workers' seconds by folder")
        for line in lines:
            terminalreporter.write_line(line)


def table(reports: Iterable[pytest.TestReport]) -> list[str]:
    """Return the slowest tests with their seconds, then the sum of each folder; nothing where all was quick."""
    tests, waits, folders = (
        defaultdict[str, float](float),
        defaultdict[str, float](float),
        defaultdict[str, float](float),
    )
    for report in reports:
        tests[report.nodeid] += report.duration
        waits[report.nodeid] += report.duration if report.when == "setup" else 0
        folders[str(PurePosixPath(report.nodeid.partition("::")[0]).parent)] += report.duration
    slowest = [(name, seconds) for name, seconds in most(tests)[:SLOWEST] if seconds >= WORTH_SECONDS]
    if not slowest:
        return []
    return [
        *(f"{seconds:8.1f} s  ({waits[name]:.1f} s of it set-up)  {name}" for name, seconds in slowest),
        "",
        *(f"{seconds:8.1f} s  {folder}" for folder, seconds in most(folders)),
    ]


def most(seconds: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return names with their seconds, the most first."""
    return sorted(seconds.items(), key=lambda item: item[1], reverse=True)
