"""Reports made for people: lines of compilers and linters."""

from __future__ import annotations

import re

from jenkins_cd.findings.unified_diff import parse as diff
from jenkins_cd.lines import without_escapes
from jenkins_cd.masking import excerpt
from jenkins_cd.model import Finding, Level

__all__ = ("diff", "lines")

LONGEST = 4000  # characters of a line that are looked at

_WORD = r"(?:fatal )?error|warning|note|info|hint"
# `:3:`, `:3:7:`, `:3:7-9:`, `:3.7-4.2:` (GNU Coding Standards, "Formatting Error Messages"), `:(3,7)-(4,2):` (GHC),
# `(3):`, `(3,7):`, `(3,7,4,2):` (MSBuild), `:[3,7]` (Maven). Without a colon where a level follows:
# `:3:7 - error` (tsc), or a rule's code: `:3 DL3008` (hadolint, markdownlint), or behind a column: `:3:7 text` (ktlint)
_PLACE = re.compile(
    r"(?::(?P<line>\d{1,9})(?:(?P<dot>[:.])(?P<column>\d{1,9}))?(?P<range>-\d{1,9}(?:[:.]\d{1,9})?)?"
    r"|(?::(?: (?=\(\d+, ))?)?\((?P<line2>\d{1,9})(?:[,:] ?(?P<column2>\d{1,9}))?(?:[-,:]\d{1,9}){0,3}\)"
    r"(?:-\(\d{1,9},\d{1,9}\))?"
    r"|:(?P<maven>\[)(?P<line3>\d{1,9})(?:,(?P<column3>\d{1,9}))?\])"
    rf"(?: ?:|(?= (?:- )?(?i:{_WORD})\b) (?:- )?| (?=[A-Z]{{1,6}}\d{{2,5}}[ :/])"
    r"|(?(maven) |(?(column)(?P<bare> )|(?!))))"
)
# What stands before a name and is no part of it: a level (Maven, Kotlin), `vet: ` (Go), the number of a node (MSBuild)
_LEAD = re.compile(
    r"(?:\s*\d{1,4}>\s*|\[(?P<tag>error|warning|info)\] +|(?P<word>error|warning|info|note|vet|[ewi]): +)(?=\S)",
    re.IGNORECASE,
)
_EXTENSION = re.compile(r"[A-Za-z]\w*")
_IN_NAMES = re.compile(r"[^\W\d_]|[/\\]")
_STRICTEST_FIRST: tuple[Level, ...] = ("error", "warning", "note")
_LEVEL = re.compile(
    rf"(?:(?P<first>[A-Z]{{1,6}}\d{{2,5}}) )?(?P<word>{_WORD}|[A-Z]\w*Warning|[A-Z]\w*Error)"
    r"(?: (?P<rule>[\w.-]+)|\[(?P<code>[\w:.-]+)\])?\s*:\s*",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?P<rule>[A-Z]{1,6}\d{2,5}(?:/[\w-]+)*):? +(?P<message>\S.*)")
_MORE_RULES = r"(?:,-?[A-Za-z][\w./=+-]*)*(?=\])"  # [bugprone-a,-warnings-as-errors]
_BRACKETS = re.compile(
    rf"(?P<message>.*\S)\s+[\[(](?P<rule>[\w@][\w@./=+-]*(?:{_MORE_RULES})?|-W[\w=+-]+(?:{_MORE_RULES})?)[\])]"
)
_LINE_END = re.compile(r"[\r\n]+")
_BEFORE = "\ufeff\f\v\x1c\x1d\x1e\x85\u2028\u2029"  # may stand before a line, and is no indentation


def lines(text: str) -> list[Finding]:
    """Read `file:line:column: level: message [rule]` and its relatives; other lines are passed over.

    A line without a level is an error: what it means cannot be known. A lone CR ends a line too, for programs that
    show how far they are before they find something.
    """
    shown = (_bounded(line).lstrip(_BEFORE).rstrip() for line in _LINE_END.split(without_escapes(text)))
    return [finding for line in shown if line and (finding := _line_finding(line))]


def _line_finding(line: str) -> Finding | None:
    lead = _LEAD.match(line)
    if lead is None:
        return _placed(line, None)
    return _placed(line[lead.end() :], lead["tag"] or lead["word"])


def _placed(line: str, lead: str | None) -> Finding | None:
    """Return what a line says of the first place in it that stands behind what can be a file's name.

    `lead` is the word that stood before the line, which says how grave it is.
    """
    letter = _IN_NAMES.search(line)  # before it there is no name, but may be a time of day
    for place in _PLACE.finditer(line, letter.end() if letter else len(line)):
        file, rest = line[: place.start()].rstrip(), line[place.end() :].strip()
        if ": " in file:  # words before the place, which are no part of a name
            return None
        head = _LEVEL.match(rest)
        if lead and not place["maven"] and (" " in file or not _column(place)):
            return None  # `warning: host:22: …`
        # `3.7` may be a place as well as a version.
        is_place = head or place["range"] or place["dot"] != "."
        if rest and is_place and _can_be_named(file) and (not place["bare"] or _has_extension(file)):
            return _finding(file, place, rest, head, lead)
    return None


def _has_extension(file: str) -> bool:
    _, dot, extension = file.rpartition(".")
    return bool(dot and _EXTENSION.fullmatch(extension))


def _column(place: re.Match[str]) -> str | None:
    return place["column"] or place["column2"] or place["column3"]


def _can_be_named(file: str) -> bool:
    """Tell whether a file can have this name: not a URL, not the source that a compiler quotes."""
    return not file[0].isspace() and ("://" not in file or file.startswith("file://"))


def _finding(file: str, place: re.Match[str], rest: str, head: re.Match[str] | None, lead: str | None) -> Finding:
    told = [_level(word) for word in (lead, head and head["word"]) if word]
    rule, message = "", rest
    if head:
        rule, message = head["first"] or head["rule"] or head["code"] or "", rest[head.end() :]
        rule = rule or (head["word"] if head["word"].endswith(("Warning", "Error")) else "")
    for shape in (_CODE, _BRACKETS):
        if not rule and (named := shape.fullmatch(message)):
            rule, message = named["rule"], named["message"]
    column = _column(place)
    return Finding(
        tool="",
        rule=rule or "text",
        message=message or rest,
        level=min(told, key=_STRICTEST_FIRST.index, default="error"),
        file=file,
        line=max(int(place["line"] or place["line2"] or place["line3"]), 1),
        column=int(column) or None if column else None,
    )


def _level(word: str) -> Level:
    word = word.lower()
    if word == "w" or word.endswith("warning"):
        return "warning"
    return "error" if word in ("e", "vet") or word.endswith("error") else "note"


def _bounded(line: str) -> str:
    return line if len(line) <= LONGEST else excerpt(line, LONGEST)
