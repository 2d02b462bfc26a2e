"""Reports made for people: lines of compilers and linters, and the diffs of formatters."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jenkins_cd.errors import UnreadableReport
from jenkins_cd.model import Finding, Level

LONGEST = 4000  # characters of a line that are looked at

# `main.c:3:7: warning: unused [-Wunused]`, `shop.py:12: SyntaxWarning: …`, `cart.ts(3,7): error TS2322: …`
_PLACE = re.compile(
    r"(?P<file>(?=[^:(]*[A-Za-z/])[^\s:(][^:(]*)"
    r"(?::(?P<line>\d{1,9})(?::(?P<column>\d{1,9}))?:|\((?P<line2>\d{1,9})(?:,(?P<column2>\d{1,9}))?\):)"
    r"\s*(?P<rest>\S.*)"
)
_LEVEL = re.compile(
    r"(?P<word>(?:fatal )?error|warning|note|info|hint|[A-Z]\w*Warning|[A-Z]\w*Error)(?: (?P<rule>[\w.-]+))?\s*:\s*",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?P<rule>[A-Z]{1,6}\d{2,5}):? +(?P<message>\S.*)")
_BRACKETS = re.compile(r"(?P<message>.*\S)\s+[\[(](?P<rule>[\w@][\w@./=+-]*|-W[\w=+-]+)[\])]")
_HUNK = re.compile(r"@@ -(?P<line>\d{1,9})(?:,(?P<old>\d{1,9}))? \+\d+(?:,(?P<new>\d{1,9}))? @@.*")


def lines(text: str) -> list[Finding]:
    """Read `file:line:column: level: message [rule]` and its relatives; other lines are passed over.

    A line without a level is an error: what it means cannot be known.
    """
    matches = (_PLACE.fullmatch(line[:LONGEST].rstrip()) for line in text.splitlines())
    return [_line_finding(match) for match in matches if match]


def diff(text: str) -> list[Finding]:
    """Read a unified diff: what a formatter would change, one finding a change, at the line of the present file.

    Specified in POSIX.1-2017, `diff`, "Diff -u Output Format". Raises UnreadableReport.
    """
    found = list(_changes(text.splitlines()))
    if text.strip() and not found:
        raise UnreadableReport(f"no diff: {text.strip()[:200]!r}")
    return found


def _line_finding(match: re.Match[str]) -> Finding:
    level: Level = "error"
    rule, message = "", match["rest"]
    if head := _LEVEL.match(message):
        level, rule, message = _level(head["word"]), head["rule"] or "", message[head.end() :]
        rule = rule or (head["word"] if head["word"].endswith(("Warning", "Error")) else "")
    for shape in (_CODE, _BRACKETS):
        if not rule and (named := shape.fullmatch(message)):
            rule, message = named["rule"], named["message"]
    column = match["column"] or match["column2"]
    return Finding(
        tool="",
        rule=rule or "text",
        message=message or match["rest"],
        level=level,
        file=match["file"].strip(),
        line=max(int(match["line"] or match["line2"]), 1),
        column=int(column) or None if column else None,
    )


def _level(word: str) -> Level:
    word = word.lower()
    if word.endswith("warning"):
        return "warning"
    return "error" if word.endswith("error") else "note"


def _changes(rows: list[str]) -> Iterator[Finding]:
    file, at = "", 0
    while at < len(rows):
        if rows[at].startswith("+++ "):
            file = _file(rows[at - 1] if at else "", rows[at])
        elif hunk := _HUNK.fullmatch(rows[at]):
            size = _hunk_size(rows[at + 1 :], int(hunk["old"] or 1), int(hunk["new"] or 1))
            if not file or not size:
                raise UnreadableReport(f"a diff that is cut off or broken at {rows[at][:200]!r}")
            yield from _hunk_changes(file, int(hunk["line"]), rows[at + 1 : at + 1 + size])
            at += size
        at += 1


def _file(old: str, new: str) -> str:
    """Return the present file's name from the two header lines; Git's prefixes and time stamps are dropped."""
    before, after = (row[4:].split("\t")[0].strip() for row in (old.ljust(4), new))
    if before.startswith("a/") and after.startswith("b/"):
        return after[2:]
    return before if after == "/dev/null" else after


def _hunk_size(rows: list[str], old: int, new: int) -> int:
    """Return how many rows a hunk has, or 0 where there are fewer than its header says."""
    for count, row in enumerate(rows):
        if old <= 0 and new <= 0:
            return count + row.startswith("\\")
        old -= not row.startswith(("+", "\\"))
        new -= not row.startswith(("-", "\\"))
    return len(rows) if old <= 0 and new <= 0 else 0


def _hunk_changes(file: str, line: int, rows: list[str]) -> Iterator[Finding]:
    """Yield a finding for each run of changed lines; `line` is the number of the first row in the present file."""
    removed: list[str] = []
    added: list[str] = []
    start = line
    for row in [*rows, " "]:
        if row.startswith(("+", "-")):
            (added if row[0] == "+" else removed).append(row[1:].strip())
        elif not row.startswith("\\"):
            if removed or added:
                yield _change(file, max(start, 1), removed, added)
            removed, added = [], []
        line += not row.startswith(("+", "\\"))
        start = start if removed or added else line


def _change(file: str, line: int, removed: list[str], added: list[str]) -> Finding:
    if removed == added or not any(removed + added):
        wanted = "white space differs"
    elif added:
        wanted = f"expected {next((row for row in added if row not in removed), added[0])[:200]!r}"
    else:
        wanted = "expected nothing here"
    return Finding(tool="", rule="format", message=f"not formatted: {wanted}", level="error", file=file, line=line)
