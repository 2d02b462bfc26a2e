"""Whether two names are those of one person: users of Jenkins, authors of commits, e-mail addresses.

Nobody can know it for certain. In doubt they are one: what asks wants two different people.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

_AUTHOR = re.compile(r"(?P<name>.*?)\s*<(?P<address>[^<>]*)>\s*")


def same(one: str, other: str) -> bool:
    """Tell whether two names may be one person's: letters and digits decide, of the name or of an address.

    `Jane Doe <jane@shop.example>`, `jane.doe`, `JANE` and `jane@elsewhere.example` are one.
    """
    return not _names(one).isdisjoint(_names(other))


def first_like(name: str, others: Iterable[str]) -> str:
    """Return the first of `others` that may be the same person as `name`, or an empty string."""
    return next((other for other in others if same(name, other)), "")


def _names(text: str) -> set[str]:
    return {plain for part in _parts(text) if (plain := _plain(part))}


def _parts(text: str) -> Iterator[str]:
    """Yield what may name the person: a name, an address, its local part, and what is beside a `+` in that."""
    found = _AUTHOR.fullmatch(text)
    for part in (found["name"], found["address"]) if found else (text,):
        yield part
        local, at, _ = part.rpartition("@")
        if at:
            yield from (local, *local.split("+"))


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(letter for letter in folded if letter.isalnum())
