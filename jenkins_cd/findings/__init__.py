"""What checks report: one parser a report format, and the gates that turn findings into a verdict.

A parser takes a report's text and returns its findings as the tool names them; `place` then makes them the checkout's:
paths relative to it, source lines, fingerprints. To add a format: write the parser, list it here, name it in
`config/types.py` (FindingFormat), add a row to the table in `tests/findings/test_contract.py`, and say in
`tests/findings/generated.py` how such reports are written: no finding may be lost, none made milder.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from jenkins_cd.config.types import FindingFormat
from jenkins_cd.findings import golang, python, sarif, text
from jenkins_cd.model import Finding


class Parser(Protocol):
    """Reads one report format."""

    def __call__(self, text: str, /) -> list[Finding]:
        """Return the findings of a report, or raise UnreadableReport where it is not what it should be.

        `tool` is empty where the format does not name it.
        """


PARSERS: Mapping[FindingFormat, Parser] = {
    "sarif": sarif.parse,
    "go-vet-json": golang.vet,
    "deadcode-json": golang.deadcode,
    "gofmt-list": golang.file_list,
    "mypy-json": python.mypy,
    "vulture": python.vulture,
    "diff": text.diff,
    "text": text.lines,
}
