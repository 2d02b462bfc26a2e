"""The baseline: findings that are known and allowed by `gate.new`, in a file of the repository that people review."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings import reports, shape
from jenkins_cd.masking import excerpt
from jenkins_cd.model import Finding

SCHEMA = "jenkins_cd/findings-baseline/v1"


class Entry(TypedDict):
    """A known finding; all but the fingerprint is for people."""

    fingerprint: str
    tool: str
    rule: str
    file: str
    message: str


class _File(TypedDict):
    schema: str
    stages: dict[str, list[Entry]]


Baseline = Mapping[str, Sequence[Entry]]


@dataclass(frozen=True)
class Change:
    """What a run of a stage makes of its part of the baseline."""

    kept: tuple[Entry, ...]
    removed: tuple[Entry, ...]  # no longer found
    added: tuple[Entry, ...]  # found now, and accepted
    new: tuple[Entry, ...]  # found now, and not accepted

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Return what the baseline then holds."""
        return self.kept + self.added


def read(path: Path) -> Baseline:
    """Return the known findings of each stage; none where there is no file. Raises UnreadableReport, naming it."""
    if not os.path.lexists(path):
        return {}
    text = reports.text(path)
    try:
        file = shape.decode(text, _File, "findings baseline")
    except UnreadableReport as error:
        raise UnreadableReport(f"{path} is {error.message}", "mend it, or take it from Git again") from error
    if file["schema"] != SCHEMA:
        raise UnreadableReport(f"{path} has the schema {excerpt(file['schema'], 80)!r}, expected {SCHEMA!r}")
    return file["stages"]


def known(baseline: Baseline, stage: str) -> frozenset[str]:
    """Return the fingerprints that the baseline knows of a stage."""
    return frozenset(entry["fingerprint"] for entry in baseline.get(stage, ()))


def compare(entries: Sequence[Entry], findings: Sequence[Finding], *, accept: bool) -> Change:
    """Return how `entries` change: what is no longer found goes; what is new comes only with `accept`."""
    found = {finding.fingerprint: _entry(finding) for finding in findings}
    before = {entry["fingerprint"]: entry for entry in entries}
    fresh = tuple(entry for fingerprint, entry in found.items() if fingerprint not in before)
    return Change(
        kept=tuple(entry for fingerprint, entry in before.items() if fingerprint in found),
        removed=tuple(entry for fingerprint, entry in before.items() if fingerprint not in found),
        added=fresh if accept else (),
        new=() if accept else fresh,
    )


def to_json(baseline: Baseline) -> bytes:
    """Return the file's content: sorted, one finding a block, so that a review shows what changed."""
    import json

    stages = {stage: sorted(entries, key=_order) for stage, entries in sorted(baseline.items()) if entries}
    return (json.dumps({"schema": SCHEMA, "stages": stages}, indent=2, ensure_ascii=False) + "\n").encode()


def _entry(finding: Finding) -> Entry:
    return Entry(
        fingerprint=finding.fingerprint,
        tool=finding.tool,
        rule=finding.rule,
        file=finding.file,
        message=finding.message,
    )


def _order(entry: Entry) -> tuple[str, ...]:
    return (entry["file"], entry["tool"], entry["rule"], entry["message"], entry["fingerprint"])
