"""JSON that must have a shape."""

from __future__ import annotations

import json
import re
from typing import TypeVar

from jenkins_cd.errors import UnreadableReport
from jenkins_cd.lines import split_lines, without_escapes

T = TypeVar("T")
_BEGIN = re.compile(r"[^ \t\r\n]")  # what is no blank of JSON (RFC 8259, section 2)


def decode(text: str, type_: type[T], what: str) -> T:
    """Return the JSON document `text` as `type_`. Raises UnreadableReport, naming `what` it should have been."""
    import msgspec

    try:
        return msgspec.json.decode(bare(text), type=type_)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise UnreadableReport(f"no {what}: {error}") from error


def documents(text: str, type_: type[T], what: str) -> list[T]:
    """Return each of the JSON documents that follow one another in `text`, of which there must be one.

    Raises UnreadableReport, naming `what` they should have been.
    """
    found: list[T] = []
    rest, start = bare(text), 0
    while start < len(rest):
        try:
            _, end = json.JSONDecoder().raw_decode(rest, start)
        except (ValueError, RecursionError) as error:
            raise UnreadableReport(f"no {what}: {error}") from error
        found.append(decode(rest[start:end], type_, what))
        following = _BEGIN.search(rest, end)
        start = following.start() if following else len(rest)
    if not found:
        raise UnreadableReport(f"no {what}: it is empty")
    return found


def lines(text: str, type_: type[T], what: str) -> list[T]:
    """Return the JSON document of each line. Raises UnreadableReport, naming `what` they should have been."""
    return [decode(line, type_, what) for line in split_lines(bare(text)) if line.strip()]


def bare(text: str) -> str:
    """Return a document without the byte order mark, the colours and the blanks that programs put around JSON."""
    return without_escapes(text).strip().removeprefix("\ufeff").lstrip()
