"""JSON that must have a shape."""

from __future__ import annotations

import json
from typing import TypeVar

from jenkins_cd.errors import UnreadableReport

T = TypeVar("T")


def decode(text: str, type_: type[T], what: str) -> T:
    """Return the JSON document `text` as `type_`. Raises UnreadableReport, naming `what` it should have been."""
    import msgspec

    try:
        return msgspec.json.decode(text, type=type_)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise UnreadableReport(f"no {what}: {error}") from error


def documents(text: str, type_: type[T], what: str) -> list[T]:
    """Return each of the JSON documents that follow one another in `text`, of which there must be one.

    Raises UnreadableReport, naming `what` they should have been.
    """
    found: list[T] = []
    rest = text.strip()
    while rest:
        try:
            _, end = json.JSONDecoder().raw_decode(rest)
        except (ValueError, RecursionError) as error:
            raise UnreadableReport(f"no {what}: {error}") from error
        found.append(decode(rest[:end], type_, what))
        rest = rest[end:].lstrip()
    if not found:
        raise UnreadableReport(f"no {what}: it is empty")
    return found


def lines(text: str, type_: type[T], what: str) -> list[T]:
    """Return the JSON document of each line. Raises UnreadableReport, naming `what` they should have been."""
    return [decode(line, type_, what) for line in text.splitlines() if line.strip()]
