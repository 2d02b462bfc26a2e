"""A SARIF log written result by result: findings may be many, and each is a small tree of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from jenkins_cd import files
from jenkins_cd.findings import sarif
from jenkins_cd.model import Finding

AT_ONCE = 500  # results that are made and written together


def write(file: Path, findings: Sequence[Finding], tools: Sequence[str], problems: Sequence[str]) -> None:
    """Write what `sarif.to_sarif` makes of the findings, each result on a line of its own."""
    files.write_pieces(file, _pieces(findings, tools, problems))


def _pieces(findings: Sequence[Finding], tools: Sequence[str], problems: Sequence[str]) -> Iterator[bytes]:
    by_tool: dict[str, list[Finding]] = {tool: [] for tool in tools}
    for finding in findings:
        by_tool.setdefault(finding.tool, []).append(finding)
    yield f'{{"$schema": "{sarif.SCHEMA}", "version": "2.1.0", "runs": ['.encode()
    for number, (tool, found) in enumerate(by_tool.items()):
        yield b",\n" if number else b"\n"
        yield from _run(tool, found, problems)
    yield b"]}\n"


def _run(tool: str, findings: Sequence[Finding], problems: Sequence[str]) -> Iterator[bytes]:
    import msgspec

    rules = {rule: index for index, rule in enumerate(sorted({finding.rule for finding in findings}))}
    yield msgspec.json.encode(sarif.to_run(tool, rules, problems))[:-1]
    yield b', "results": ['
    left, first = iter(findings), True
    while some := list(islice(left, AT_ONCE)):
        lines = [msgspec.json.encode(sarif.to_result(finding, rules[finding.rule])) for finding in some]
        yield (b"\n" if first else b",\n") + b",\n".join(lines)
        first = False
    yield b"]}"
