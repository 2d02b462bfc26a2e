"""Coverage reports: how much of the code the tests reached."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from jenkins_cd.config.types import CoverageFormat
from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings import markup, reports
from jenkins_cd.lines import split_lines

_BLOCK = re.compile(r"(?P<place>.+:\d+\.\d+,\d+\.\d+) (?P<statements>\d{1,9}) (?P<count>\d{1,18})")


def read(path: Path, format: CoverageFormat) -> float:  # noqa: A002 - the word of the configuration
    """Return the percentage of statements or lines that were reached, from 0 to 100.

    Raises UnreadableReport, naming the file, also where it knows of no code at all.
    """
    covered, total = _READERS[format](path)
    if total <= 0 or not 0 <= covered <= total:
        raise UnreadableReport(f"{path} says that {covered:g} of {total:g} lines are covered: nothing can be known")
    return 100.0 * covered / total


def _go_cover(path: Path) -> tuple[float, float]:
    """Read a Go cover profile (package documentation of golang.org/x/tools/cover).

    A block stands in it once for each test binary that has it; it is covered where one of them reached it.
    """
    rows = split_lines(reports.text(path))
    if not rows or not rows[0].startswith("mode: "):
        raise UnreadableReport(f"{path} is no Go cover profile: it does not start with `mode:`")
    blocks: dict[str, tuple[int, bool]] = {}
    for number, line in enumerate(rows[1:], 2):
        match = _BLOCK.fullmatch(line)
        if not match:
            raise UnreadableReport(f"{path}:{number} is no block of a Go cover profile: {line[:200]!r}")
        reached = int(match["count"]) > 0 or blocks.get(match["place"], (0, False))[1]
        blocks[match["place"]] = (int(match["statements"]), reached)
    return sum(size for size, reached in blocks.values() if reached), sum(size for size, _ in blocks.values())


def _cobertura(path: Path) -> tuple[float, float]:
    """Read a Cobertura report (coverage-04.dtd of the Cobertura project): its totals, else its rate."""
    root = markup.read(path)
    if root.tag != "coverage":
        raise UnreadableReport(f"{path} is no Cobertura report: its root is <{root.tag[:80]}>, expected <coverage>")
    if "lines-valid" in root.attrib:
        return _number(path, root.get("lines-covered")), _number(path, root.get("lines-valid"))
    return _number(path, root.get("line-rate")), 1.0


def _number(path: Path, text: str | None) -> float:
    try:
        number = float(text or "")
    except ValueError as error:
        raise UnreadableReport(f"{path} is no Cobertura report: {text!r} where a number should be") from error
    if not math.isfinite(number):
        raise UnreadableReport(f"{path} is no Cobertura report: {text!r} where a number should be")
    return number


_READERS: Mapping[CoverageFormat, Callable[[Path], tuple[float, float]]] = {
    "go-cover": _go_cover,
    "cobertura": _cobertura,
}
