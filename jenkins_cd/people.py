"""Whether two names are those of one person: users of Jenkins, authors of commits, e-mail addresses.

Nobody can know it for certain. In doubt they are one: what asks wants two different people.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

# How names are written where a keyboard has no such letter; NFKD makes `a` of `ä`, as others do.
_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe"})
_BARE = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"}
)  # which NFKD leaves as they are
_AUTHOR = re.compile(r"(?P<name>.*?)\s*<(?P<address>[^<>]*)>\s*")


def same(one: str, other: str) -> bool:
    """Tell whether two names may be one person's: letters and digits decide, of the name or of an address.

    `Jane Doe <jane@shop.example>`, `jane.doe`, `doe, jane`, `JANE` and `jane@elsewhere.example` are one.
    """
    return not _names(one).isdisjoint(_names(other))


def first_like(name: str, others: Iterable[str]) -> str:
    """Return the first of `others` that may be the same person as `name`, or an empty string."""
    return next((other for other in others if same(name, other)), "")


def _names(text: str) -> set[str]:
    return {name for part in _parts(text) for name in _spellings(part) if name}


def _parts(text: str) -> Iterator[str]:
    """Yield what may name the person: a name, an address, its local part, and what is beside a `+` in that."""
    found = _AUTHOR.fullmatch(text)
    for part in (found["name"], found["address"]) if found else (text,):
        yield part
        local, at, _ = part.rpartition("@")
        if at:
            yield from (local, *local.split("+"))


def _spellings(text: str) -> Iterator[str]:
    """Yield the ways in which a name may be written in plain letters, with the words in order and sorted."""
    small = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    for plain in (small, small.translate(_LETTERS)):
        folded = unicodedata.normalize("NFKD", plain.translate(_BARE))
        words = ("".join(filter(str.isalnum, word)) for word in re.split(r"[\s.,_-]+", folded))
        ordered = [word for word in words if word]
        yield from ("".join(ordered), "".join(sorted(ordered)))
