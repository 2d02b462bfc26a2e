"""Findings become the checkout's: paths relative to it, source lines around the place, stable fingerprints."""

from __future__ import annotations

import functools
import hashlib
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from heapq import nsmallest
from pathlib import Path, PurePosixPath

from jenkins_cd.masking import mask
from jenkins_cd.model import Finding, Level

AROUND = 3  # source lines before and after the place
LONGEST = 300  # characters of a source line that are kept
SOURCES = 2000  # findings of a tool that are told with their source lines: the worst
LARGEST = 5_000_000  # bytes of a source file that is looked into
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # what could steer a terminal
_NUMBERS = re.compile(r"(\bline |:)\d+")

_GRAVITY: Mapping[Level, int] = {"error": 0, "warning": 1, "note": 2}
Key = tuple[str, int, int, str, str, str]


@dataclass(frozen=True)
class Source:
    """The lines of a file: as they are, which fingerprints are made of, and as they are shown."""

    lines: Sequence[str] = ()
    shown: Sequence[str] = ()


def place(findings: Iterable[Finding], workspace: Path, tool: str, ignore: Sequence[str] = ()) -> list[Finding]:
    """Return the findings sorted by place, each once, with relative path, source lines and fingerprint.

    `tool` is the name where a finding has none; those in the folders of `ignore` are left out. A fingerprint is made
    of tool, rule, file, message and the source line's words, and of a count where these are equal: lines that move
    keep theirs. Only files inside the checkout are read.
    """
    roots = (workspace, workspace.resolve())
    relative = functools.cache(lambda file: _relative(_clean(file), roots))  # many findings are of few files
    ignored = functools.cache(lambda file: _inside(file, ignore))
    cleaned = (_cleaned(finding, tool, relative(finding.file)) for finding in findings)
    kept = {_key(finding): finding for finding in cleaned if not ignored(finding.file)}
    shown = _worst(kept)
    sources: dict[str, Source] = {}
    seen: Counter[tuple[str, ...]] = Counter()
    placed = []
    for key in sorted(kept):
        finding = kept[key]
        if finding.file not in sources:
            sources[finding.file] = _source(finding.file, workspace.resolve())
        placed.append(_finish(finding, sources[finding.file], seen, shown is None or key in shown))
    return placed


def _worst(kept: Mapping[Key, Finding]) -> Set[Key] | None:
    """Return which findings are shown with their source lines, the worst; None where there is room for all."""
    if len(kept) <= SOURCES:
        return None
    return set(nsmallest(SOURCES, kept, lambda key: (_GRAVITY[kept[key].level], key)))


def _key(finding: Finding) -> Key:
    return (finding.file, finding.line, finding.column or 0, finding.tool, finding.rule, finding.message)


def _cleaned(finding: Finding, tool: str, file: str) -> Finding:
    return Finding(
        tool=_clean(finding.tool or tool),
        rule=sys.intern(_clean(finding.rule)),
        message=mask(_clean(finding.message).strip()),
        level=finding.level,
        file=file,
        line=finding.line,
        column=finding.column,
    )


def _relative(file: str, roots: Sequence[Path]) -> str:
    """Return the path relative to the checkout, with forward slashes; one outside of it stays as it is."""
    path = PurePosixPath(file)
    for root in roots:
        if path.is_absolute() and path.is_relative_to(root):
            return str(path.relative_to(root))
    return "" if str(path) == "." else str(path)


def _inside(file: str, folders: Sequence[str]) -> bool:
    return any(PurePosixPath(file).is_relative_to(folder) for folder in folders)


def _source(file: str, workspace: Path) -> Source:
    """Return the file's lines, or none where it is not a file of the checkout: a report may name anything."""
    try:
        path = (workspace / file).resolve()
        if not file or not path.is_relative_to(workspace) or not path.is_file() or path.stat().st_size > LARGEST:
            return Source()
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except (OSError, ValueError):
        return Source()
    return Source(lines, [mask(_clean(line))[:LONGEST] for line in lines])


def _finish(finding: Finding, source: Source, seen: Counter[tuple[str, ...]], with_source: bool) -> Finding:
    lines = source.lines
    there = lines[finding.line - 1] if finding.line <= len(lines) else ""
    identity = (
        finding.tool,
        finding.rule,
        finding.file,
        _NUMBERS.sub(r"\1#", finding.message),
        " ".join(there.split()),
    )
    seen[identity] += 1
    first = max(finding.line - 1 - AROUND, 0)
    around = source.shown[first : finding.line + AROUND] if with_source and finding.line <= len(lines) else ()
    return Finding(
        tool=finding.tool,
        rule=finding.rule,
        message=finding.message,
        level=finding.level,
        file=finding.file,
        line=finding.line,
        column=finding.column,
        fingerprint=hashlib.sha256("\0".join((*identity, str(seen[identity]))).encode()).hexdigest()[:32],
        source=tuple(around),
        source_start=first + 1 if with_source else 1,
    )


def _clean(text: str) -> str:
    return text if text.isprintable() else _CONTROL.sub("", text)
