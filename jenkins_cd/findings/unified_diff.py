"""Unified diffs: what formatters would change, and what differs between two folders."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from jenkins_cd.errors import UnreadableReport
from jenkins_cd.lines import split_lines, without_escapes
from jenkins_cd.model import Finding

_HUNK = re.compile(r"@@ -(?P<line>\d{1,9})(?:,(?P<old>\d{1,9}))? \+\d{1,9}(?:,(?P<new>\d{1,9}))? @@.*", re.DOTALL)
# What diff and Git say where they show no lines: of binary files, links, and files that only one side has.
_DIFFER = re.compile(r"(?:Binary files|Files|Symbolic links) (?P<old>.+) and (?P<new>.+) (?:are different|differ)")
_ONLY = re.compile(r"Only in (?P<folder>.+?): (?P<name>.+)")
_GIT = re.compile(r"diff --git (?P<names>.+)")
_RENAMED = re.compile(r"(?:rename|copy) to (?P<name>.+)")
_GIT_SIDE = re.compile(r"[abciow12]/")  # how Git tells the sides apart (diff.mnemonicPrefix)
_QUOTED = re.compile(rb"\\(?:([0-7]{3})|(.))", re.DOTALL)
_ESCAPED = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}


def parse(text: str) -> list[Finding]:
    """Read a unified diff: what a formatter would change, one finding a change, at the line of the present file.

    Specified in POSIX.1-2017, `diff`, "Diff -u Output Format". Files of which no lines are shown are a finding each.
    Raises UnreadableReport, also where the rows of a hunk are not as many as its header says.
    """
    try:
        found = list(_changes(split_lines(without_escapes(text))))
    except UnreadableReport:
        # ruff ends lines at a lone CR too, where the source does; all others keep it within the line.
        if not re.search(r"\r(?!\n)", text):
            raise
        found = list(_changes(re.split(r"\r\n|\r|\n", without_escapes(text))))
    if text.strip() and not found:
        raise UnreadableReport(f"no diff: {text.strip()[:200]!r}")
    return found


def _changes(rows: Sequence[str]) -> Iterator[Finding]:
    file, git, at = "", "", 0  # git: the file of a `diff --git` of which nothing is shown yet
    while at < len(rows):
        row = rows[at]
        at += 1
        if _is_head(rows, at - 1):
            file, git, at = _file(row, rows[at], git), "", at + 1
            if at == len(rows) or not rows[at].startswith("@@"):
                raise _broken(row)
        elif row.startswith("@@"):
            end = _hunk_end(rows, at, row)
            if not file:
                raise _broken(row)
            yield from _hunk_changes(file, int(_hunk(row)["line"]), rows[at:end])
            at = end
        elif named := _GIT.fullmatch(row):
            yield from _unshown(git)
            file, git = "", _git_file(named["names"])
        elif git and (renamed := _RENAMED.fullmatch(row)):
            git = _unquoted(renamed["name"])
        elif other := _without_lines(row):
            git = ""
            yield from _unshown(other)
        elif row.startswith(("--- ", "+++ ")) and not any(rows[at:]):
            raise _broken(row)
    yield from _unshown(git)


def _hunk(row: str) -> re.Match[str]:
    if match := _HUNK.fullmatch(row):
        return match
    raise _broken(row)


def _broken(row: str) -> UnreadableReport:
    return UnreadableReport(f"a diff that is cut off or broken at {row[:200]!r}")


def _hunk_end(rows: Sequence[str], start: int, header: str) -> int:
    """Return the index behind the last row of a hunk. Raises UnreadableReport where its rows do not add up."""
    hunk = _hunk(header)
    old, new, at = int(hunk["old"] or 1), int(hunk["new"] or 1), start
    while old > 0 or new > 0:
        if at == len(rows) or (rows[at] and rows[at][0] not in " +-\\"):
            raise _broken(header)
        old -= not rows[at].startswith(("+", "\\"))
        new -= not rows[at].startswith(("-", "\\"))
        at += 1
    while at < len(rows) and rows[at].startswith("\\"):
        at += 1
    if old < 0 or new < 0 or _goes_on(rows, start, at):
        raise _broken(header)
    return at


def _goes_on(rows: Sequence[str], start: int, end: int) -> bool:
    """Tell whether a hunk that should end is followed by more of it, or has the head of the next file in it."""
    behind = rows[end] if end < len(rows) else ""
    if behind.startswith("@@"):
        return end - start >= 2 and _is_head(rows, end - 2)
    # `-- ` ends a mail, as `git format-patch` writes them.
    return behind.startswith(("+", "-", " ")) and behind.rstrip() != "--" and not _is_head(rows, end)


def _is_head(rows: Sequence[str], at: int) -> bool:
    return at + 1 < len(rows) and rows[at].startswith("--- ") and rows[at + 1].startswith("+++ ")


def _hunk_changes(file: str, line: int, rows: Sequence[str]) -> Iterator[Finding]:
    """Yield a finding for each run of changed lines; `line` is the number of the first row in the present file."""
    removed: list[str] = []
    added: list[str] = []
    start = line
    for row in [*rows, " "]:
        if row.startswith(("+", "-")):
            (added if row[0] == "+" else removed).append(row[1:].strip())
        elif not row.startswith("\\"):
            if removed or added:
                yield _change(file, start, removed, added)
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
    return _finding(file, line, f"not formatted: {wanted}")


def _unshown(file: str) -> list[Finding]:
    return [_finding(file, 1, "differs, which is not shown line by line")] if file else []


def _finding(file: str, line: int, message: str) -> Finding:
    return Finding(tool="", rule="format", message=message, level="error", file=file, line=max(line, 1))


def _file(old: str, new: str, git: str = "") -> str:
    """Return the present file's name from the two header lines; Git's prefixes and time stamps are dropped.

    `git` is what the `diff --git` before them names: of a file that only one side has, its name without a prefix.
    """
    before, after = (_unquoted(row[4:].split("\t")[0].strip()) for row in (old, new))
    if git and "/dev/null" in (before, after):
        return git
    if before.startswith("a/") and after.startswith("b/"):
        return after[2:]
    return before if after == "/dev/null" else after


def _git_file(names: str) -> str:
    """Return the file's name from both sides of a `diff --git`, of which blanks and quotes may be part."""
    # Unless it was renamed, which other rows tell, the name stands there twice and of the same length.
    start = names[:-1].rfind(' "') + 1 if names.endswith('"') else len(names) // 2 + 1
    name = _unquoted(names[start:])
    return name[2:] if _GIT_SIDE.match(name) else name


def _without_lines(row: str) -> str:
    """Return the file that a row tells to differ without any lines of it, or an empty string."""
    if match := _DIFFER.fullmatch(row):
        return _file(f"--- {match['old']}", f"+++ {match['new']}")
    if match := _ONLY.fullmatch(row):
        return f"{match['folder'].removesuffix('/')}/{match['name']}"
    return ""


def _unquoted(name: str) -> str:
    """Return a name as it is, where Git or diff quoted it as C does."""
    if len(name) < 2 or not (name.startswith('"') and name.endswith('"')):
        return name
    raw = name[1:-1].encode("utf-8", "surrogatepass")
    return _QUOTED.sub(_byte, raw).decode("utf-8", "replace")


def _byte(escaped: re.Match[bytes]) -> bytes:
    octal, character = escaped.groups()
    return bytes([int(octal, 8) & 255]) if octal else _ESCAPED.get(character, character)
