"""Reports made for people: lines of compilers and linters."""

from __future__ import annotations

import re

from jenkins_cd.findings.unified_diff import parse as diff
from jenkins_cd.lines import without_escapes
from jenkins_cd.model import Finding, Level

__all__ = ("diff", "lines")

LONGEST = 4000  # characters of a line that are looked at

_WORD = r"(?:fatal )?error|warning|note|info|hint"
# `:3:`, `:3:7:`, `:3:7-9:`, `:3.7-4.2:` (GNU Coding Standards, "Formatting Error Messages"), `:(3,7)-(4,2):` (GHC),
# `(3):`, `(3,7):`, `(3,7,4,2):` (MSBuild); without a colon where a level follows: `:3:7 - error` (tsc)
_PLACE = re.compile(
    r"(?::(?P<line>\d{1,9})(?:(?P<dot>[:.])(?P<column>\d{1,9}))?(?P<range>-\d{1,9}(?:[:.]\d{1,9})?)?"
    r"|:?\((?P<line2>\d{1,9})(?:[,:] ?(?P<column2>\d{1,9}))?(?:[-,:]\d{1,9}){0,3}\)(?:-\(\d{1,9},\d{1,9}\))?)"
    rf"(?: ?:|(?= (?:- )?(?i:{_WORD})\b) (?:- )?)"
)
_LEVEL = re.compile(
    rf"(?P<word>{_WORD}|[A-Z]\w*Warning|[A-Z]\w*Error)(?: (?P<rule>[\w.-]+)|\[(?P<code>[\w:.-]+)\])?\s*:\s*",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?P<rule>[A-Z]{1,6}\d{2,5}):? +(?P<message>\S.*)")
_BRACKETS = re.compile(r"(?P<message>.*\S)\s+[\[(](?P<rule>[\w@][\w@./=+-]*|-W[\w=+-]+)[\])]")
_LINE_END = re.compile(r"[\r\n]+")
_BEFORE = "\ufeff\f\v\x1c\x1d\x1e\x85\u2028\u2029"  # may stand before a line, and is no indentation


def lines(text: str) -> list[Finding]:
    """Read `file:line:column: level: message [rule]` and its relatives; other lines are passed over.

    A line without a level is an error: what it means cannot be known. A lone CR ends a line too, for programs that
    show how far they are before they find something.
    """
    shown = (line[:LONGEST].lstrip(_BEFORE).rstrip() for line in _LINE_END.split(without_escapes(text)))
    return [finding for line in shown if line and (finding := _line_finding(line))]


def _line_finding(line: str) -> Finding | None:
    """Return what a line says of the first place in it that stands behind what can be a file's name."""
    for place in _PLACE.finditer(line):
        file, rest = line[: place.start()].rstrip(), line[place.end() :].strip()
        if ": " in file:  # words before the place, which are no part of a name
            return None
        head = _LEVEL.match(rest)
        # `3.7` may be a place as well as a version.
        is_place = head or place["range"] or place["dot"] != "."
        if rest and is_place and _can_be_named(file):
            return _finding(file, place, rest, head)
    return None


def _can_be_named(file: str) -> bool:
    """Tell whether a file can have this name: not a time of day, not a URL, not the source that a compiler quotes."""
    named = any(character.isalpha() or character in "/\\" for character in file)
    return named and not file[0].isspace() and ("://" not in file or file.startswith("file://"))


def _finding(file: str, place: re.Match[str], rest: str, head: re.Match[str] | None) -> Finding:
    level: Level = "error"
    rule, message = "", rest
    if head:
        level, rule, message = _level(head["word"]), head["rule"] or head["code"] or "", rest[head.end() :]
        rule = rule or (head["word"] if head["word"].endswith(("Warning", "Error")) else "")
    for shape in (_CODE, _BRACKETS):
        if not rule and (named := shape.fullmatch(message)):
            rule, message = named["rule"], named["message"]
    column = place["column"] or place["column2"]
    return Finding(
        tool="",
        rule=rule or "text",
        message=message or rest,
        level=level,
        file=file,
        line=max(int(place["line"] or place["line2"]), 1),
        column=int(column) or None if column else None,
    )


def _level(word: str) -> Level:
    word = word.lower()
    if word.endswith("warning"):
        return "warning"
    return "error" if word.endswith("error") else "note"
