"""What Python's tools print, where that is not SARIF."""

from __future__ import annotations

import re
from typing import TypedDict

from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings import shape
from jenkins_cd.lines import split_lines, without_escapes
from jenkins_cd.model import Finding, Level

_VULTURE = re.compile(r"(?P<file>.+?):(?P<line>\d{1,9}): (?P<message>.+) \(\d+% confidence(?:, \d+ lines?)?\)")
_SEVERITIES: dict[str, Level] = {"error": "error", "warning": "warning", "note": "note"}


class _Message(TypedDict):
    file: str
    line: int
    column: int  # 0-based
    message: str
    code: str | None
    severity: str


def mypy(text: str) -> list[Finding]:
    """Read `mypy --output json`: one object a line (mypy's documentation, "--output"). Raises UnreadableReport."""
    return [
        Finding(
            tool="mypy",
            rule=message["code"] or "misc",
            message=message["message"],
            level=_SEVERITIES.get(message["severity"], "error"),
            file=message["file"],
            line=max(message["line"], 1),
            column=message["column"] + 1 if message["column"] >= 0 else None,
        )
        for message in shape.lines(text, _Message, "`mypy --output json` report")
    ]


def vulture(text: str) -> list[Finding]:
    """Read what vulture prints: `shop.py:8: unused function 'dead' (60% confidence)`. Raises UnreadableReport."""
    return [_vulture_finding(line) for line in split_lines(without_escapes(text)) if line.strip()]


def _vulture_finding(line: str) -> Finding:
    match = _VULTURE.fullmatch(line.strip())
    if not match:
        raise UnreadableReport(f"no vulture report: {line[:200]!r}")
    kind = match["message"].partition(" '")[0].split()
    return Finding(
        tool="vulture",
        rule="-".join(kind[:2]),
        message=match["message"],
        level="warning",
        file=match["file"],
        line=max(int(match["line"]), 1),
    )
