"""Text that is safe to show anywhere, and figures as people read them."""

from __future__ import annotations

import dataclasses
import re
import textwrap
import unicodedata
from datetime import datetime, timezone
from typing import TypeVar, cast

from jenkins_cd.lines import split_lines, without_escapes
from jenkins_cd.masking import mask

T = TypeVar("T")

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """Return `text` with secrets masked and nothing in it that steers a terminal, breaks XML or reorders what is read.

    Colour codes are dropped; other control and bidirectional characters are spelt out, as `<U+202E>`.
    """
    if text.isascii() and text.isprintable():
        return mask(text)
    text = without_escapes(text.replace("\r\n", "\n"))
    return _UNSAFE.sub(lambda found: f"<U+{ord(found[0]):04X}>", mask(text))


def cleaned(value: T) -> T:
    """Return a model with every text in it `clean`, however deep; what is clean already is returned as it is."""
    if isinstance(value, str):
        return cast(T, clean(value))
    if isinstance(value, tuple):
        return cast(T, tuple(map(cleaned, value)))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        before = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        changed = {name: new for name, old in before.items() if (new := cleaned(old)) != old}
        return dataclasses.replace(value, **changed) if changed else value
    return value


def one_line(text: str) -> str:
    """Return `text` with each run of white space as one blank."""
    return " ".join(text.split())


def duration(seconds: float) -> str:
    """Return seconds as `20 ms`, `3.2 s`, `2 min 05 s` or `1 h 02 min`."""
    if seconds < 0.1:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    tenths = round(seconds, 1)
    if tenths < 60:
        return f"{tenths:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def instant(at: datetime) -> str:
    """Return a moment as `2026-01-02T03:04:05Z`. One without a time zone is taken as UTC."""
    at = at if at.tzinfo else at.replace(tzinfo=timezone.utc)
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(value: float) -> str:
    """Return a figure without needless decimals: `80`, `87.5`."""
    return f"{value:.1f}".removesuffix(".0")


def cells(text: str) -> int:
    """Return how many columns of a terminal `text` takes."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def fit(text: str, columns: int) -> str:
    """Return `text`, cut with an ellipsis where it takes more than `columns`."""
    if cells(text) <= columns:
        return text
    kept = ""
    for character in text:
        if cells(kept) + _cells(character) > columns - 1:
            break
        kept += character
    return kept + "…"


def pad(text: str, columns: int, right: bool = False) -> str:
    """Return `text` filled with blanks to `columns`: behind it, or before it where it is set to the `right`."""
    blanks = " " * max(columns - cells(text), 0)
    return blanks + text if right else text + blanks


def wrapped(text: str, columns: int) -> list[str]:
    """Return the lines of `text`, none wider than `columns`; long words are broken. At least one line."""
    found: list[str] = []
    for line in split_lines(text):
        # A wide character takes two columns, which textwrap does not know.
        narrow = columns if cells(line) == len(line) else max(columns // 2, 1)
        found += textwrap.wrap(line, narrow, break_on_hyphens=False) or [""]
    return found or [""]


def shown(text: str, limit: int) -> str:
    """Return `text`, or its first `limit` characters and how many more there are."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit:,} more characters)"


def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
