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

from jenkins_cd.findings.checkout import Checkout
from jenkins_cd.findings.fingerprint import without_places
from jenkins_cd.lines import without_escapes
from jenkins_cd.masking import mask
from jenkins_cd.model import Finding, Level

AROUND = 3  # source lines before and after the place
LONGEST = 300  # characters of a source line that are kept
SOURCES = 2000  # findings of a tool that are told with their source lines: the worst
LARGEST = 5_000_000  # bytes of a source file that is looked into
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # what could steer a terminal
_GRAVITY: Mapping[Level, int] = {"error": 0, "warning": 1, "note": 2}
Key = tuple[str, int, int, str, str, str]


@dataclass(frozen=True)
class Source:
    """The lines of a file: as they are, which fingerprints are made of, and as they are shown, secrets masked."""

    lines: Sequence[str] = ()
    shown: Sequence[str] = ()


def place(findings: Iterable[Finding], workspace: Path, tool: str, ignore: Sequence[str] = ()) -> list[Finding]:
    """Return the findings sorted by place, each once, with relative path, source lines and fingerprint.

    `tool` is the name where a finding has none; those in the folders of `ignore` are left out. What is told twice
    counts once, as grave as the graver of the two. Only files inside the checkout are read.
    """
    checkout = Checkout.at(workspace)
    ignored = functools.cache(lambda file: _inside(file, ignore))  # many findings are of few files
    kept: dict[Key, Finding] = {}
    for finding in findings:
        found = _cleaned(finding, tool, checkout)
        if not ignored(found.file):
            key = _key(found)
            known = kept.get(key)
            kept[key] = found if known is None else min(known, found, key=lambda one: _GRAVITY[one.level])
    shown = _worst(kept)
    sources: dict[str, Source] = {}
    seen: Counter[tuple[str, ...]] = Counter()
    placed = []
    for key in sorted(kept):
        finding = kept[key]
        if finding.file not in sources:
            sources[finding.file] = _source(finding.file, checkout.real)
        placed.append(_finish(finding, sources[finding.file], seen, checkout, shown is None or key in shown))
    return placed


def _worst(kept: Mapping[Key, Finding]) -> Set[Key] | None:
    """Return which findings are shown with their source lines, the worst; None where there is room for all."""
    if len(kept) <= SOURCES:
        return None
    return set(nsmallest(SOURCES, kept, lambda key: (_GRAVITY[kept[key].level], key)))


def _key(finding: Finding) -> Key:
    return (finding.file, finding.line, finding.column or 0, finding.tool, finding.rule, finding.message)


def _cleaned(finding: Finding, tool: str, checkout: Checkout) -> Finding:
    return Finding(
        tool=_clean(finding.tool or tool),
        rule=sys.intern(_clean(finding.rule)),
        message=_clean(without_escapes(finding.message)).strip(),
        level=finding.level,
        file=checkout.relative(_clean(finding.file)),
        line=finding.line,
        column=finding.column,
    )


def _inside(file: str, folders: Sequence[str]) -> bool:
    return any(PurePosixPath(file).is_relative_to(folder) for folder in folders)


def _source(file: str, workspace: Path) -> Source:
    """Return the file's lines, or none where it is not a file of the checkout: a report may name anything."""
    try:
        path = (workspace / file).resolve()
        if not file or not path.is_relative_to(workspace) or not path.is_file() or path.stat().st_size > LARGEST:
            return Source()
        text = path.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError, RuntimeError):  # RuntimeError: a link that leads into itself
        return Source()
    lines, shown = text.split("\n"), mask(text).split("\n")
    shown = shown if len(shown) == len(lines) else [mask(line) for line in lines]
    return Source(lines, [_clean(line)[:LONGEST] for line in shown])


def _finish(
    finding: Finding, source: Source, seen: Counter[tuple[str, ...]], checkout: Checkout, with_source: bool
) -> Finding:
    lines = source.lines
    there = lines[finding.line - 1] if finding.line <= len(lines) else ""
    message = without_places(checkout.without_folder(finding.message))
    identity = (finding.tool, finding.rule, finding.file, message, " ".join(there.split()))
    seen[identity] += 1
    first = max(finding.line - 1 - AROUND, 0)
    around = source.shown[first : finding.line + AROUND] if with_source and finding.line <= len(lines) else ()
    return Finding(
        tool=finding.tool,
        rule=finding.rule,
        message=mask(finding.message),
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
