"""The forms in which a secret turns up in text: written raw, or as URLs, JSON, XML, shells and base64 write it.

A form is a regular expression made character by character, so that any mixture is found: `p%40ss/w` as well as `p@ss/w`
and `p%40ss%2fw`. Letters and digits stay what they are in all of these (but for base64, and URLs that encode all);
each form has a gate, a short piece that must be there, so that text without secrets is passed over quickly.
"""

from __future__ import annotations

import base64
import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

SHORTEST = 4  # characters of base64 that are looked for
SHORTEST_LINE = 8  # characters of a line of a secret that is masked on its own
GATE = 10  # characters of a gate: two next to one another, as a line break may go through one
_BREAK = r"(?:\s|\\{1,4}[nr]){0,40}"  # what may stand between two letters of base64: MIME breaks lines at 76, PEM at 64
_BASE64 = {  # both alphabets (RFC 4648, sections 4 and 5), raw or in a URL or JSON
    "+": r"(?:[+-]|%2[Bb])",
    "/": r"(?:\\?/|_|%2[Ff])",
    "=": r"(?:=|%3[Dd])",
}
_ENTITIES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_ENCODED_BYTE = re.compile(r"%(?:25){0,3}[0-9A-Fa-f]{2}")
_ARMOUR = re.compile(r"-{4,}.*-{4,}")  # of PEM: the same in each key


@dataclass(frozen=True)
class Forms:
    """A secret; `whole` false: a line of one, which is looked for without base64 (the whole one's has it)."""

    secret: str
    whole: bool = True

    def may_be_in(self, text: str, percent: bool) -> bool:
        """Tell whether a gate is in `text`; without one it has the secret in no form. `percent`: it has such bytes."""
        literals, patterns = self._gates
        return (
            any(literal in text for literal in literals)
            or (percent and self._first_bytes.search(text) is not None)
            or any(pattern.search(text) for pattern in patterns)
        )

    @functools.cached_property
    def _first_bytes(self) -> re.Pattern[str]:
        return re.compile(_percent(_bytes(self.secret)[:3]))

    @functools.cached_property
    def _gates(self) -> tuple[tuple[str, ...], tuple[re.Pattern[str], ...]]:
        """Return what is looked for first: text, which is found many times faster, and patterns where it must be."""
        core = max(re.findall(r"[A-Za-z0-9]+", self.secret), key=len, default="")
        literals = [core] if len(core) >= 3 else []
        patterns = [] if literals else [_written(self.secret)]
        for encoded in self._encoded:
            pair = _neighbours(encoded)
            literals += [piece for piece in pair if piece.isalnum()]
            patterns += [_stiff(piece) for piece in pair if not piece.isalnum()]
        return tuple(dict.fromkeys(literals)), tuple(map(re.compile, dict.fromkeys(patterns)))

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where the secret stands in `text`, in whatever form."""
        for pattern in self._patterns:
            yield from (found.span() for found in pattern.finditer(text))

    @functools.cached_property
    def _patterns(self) -> tuple[re.Pattern[str], ...]:
        encoded = (_BREAK.join(_BASE64.get(letter, letter) for letter in one) for one in self._encoded)
        return tuple(map(re.compile, (_written(self.secret), _percent(_bytes(self.secret)), *encoded)))

    @functools.cached_property
    def _encoded(self) -> tuple[str, ...]:
        """Return its base64 at each of the three offsets in a group, without what depends on its neighbours."""
        if not self.whole:
            return ()
        raws = {_bytes(self.secret)}
        raws |= {self.secret.encode("latin-1")} if max(self.secret) < "\u0100" else set()  # as HTTP's Basic once was
        found = {_stable(raw, offset) for raw in raws for offset in range(3)}
        return tuple(sorted(one for one in found if len(one) >= SHORTEST))


def forms(secret: str) -> list[Forms]:
    """Return the secret, and each of its lines where it has several: a log or a diff may show one alone."""
    lines = {line.strip() for line in re.split(r"[\r\n]+", secret)} - {secret}
    telling = sorted(line for line in lines if len(line) >= SHORTEST_LINE and not _ARMOUR.fullmatch(line))
    # What is typed as one letter some keep as two, a letter and its accent.
    spelt = {unicodedata.normalize(form, secret) for form in ("NFC", "NFD")} - {secret}
    return [Forms(secret), *map(Forms, sorted(spelt)), *(Forms(line, whole=False) for line in telling)]


def has_percent_encoding(text: str) -> bool:
    """Tell whether `text` has any percent-encoded byte."""
    return "%" in text and _ENCODED_BYTE.search(text) is not None


def _neighbours(encoded: str) -> tuple[str, str]:
    """Return two neighbouring pieces of base64, as a line break goes through one at most; without signs if possible."""
    size = min(GATE, len(encoded) // 2)
    starts = range(len(encoded) - 2 * size + 1)
    start = next((at for at in starts if encoded[at : at + 2 * size].isalnum()), 0)
    return encoded[start : start + size], encoded[start + size : start + 2 * size]


def _stable(raw: bytes, offset: int) -> str:
    text = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
    return text[(0, 2, 3)[offset] : -1 if (len(raw) + offset) % 3 else None]


def _bytes(secret: str) -> bytes:
    """Return what the environment or the file had: odd bytes are kept as surrogates (PEP 383)."""
    return secret.encode("utf-8", "surrogatepass" if _pairs(secret) else "surrogateescape")


def _pairs(secret: str) -> bool:
    return any("\ud800" <= letter <= "\udc7f" or (letter > "\udcff" and letter < "\ue000") for letter in secret)


def _written(secret: str) -> str:
    return "".join(map(_letter, secret))


def _stiff(encoded: str) -> str:
    return "".join(_BASE64.get(letter, letter) for letter in encoded)


def _percent(raw: bytes) -> str:
    """Return the pattern of bytes that are all percent-encoded (RFC 3986, section 2.1), once or several times."""
    return "".join(f"%(?:25){{0,3}}{_hexadecimal(f'{byte:02x}')}" for byte in raw)


def _hexadecimal(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


def _letter(letter: str) -> str:
    """Return a pattern of all that is written for a letter."""
    if letter.isascii() and letter.isalnum():
        return letter
    code, raw = ord(letter), _bytes(letter)
    ways = [_percent(raw), _escaped(letter)]
    ways.append(rf"&(?:amp;){{0,3}}#(?:0{{0,5}}{code}|[xX]0{{0,5}}{_hexadecimal(f'{code:x}')});")
    if letter in _ENTITIES:
        ways.append(f"&(?:amp;){{0,3}}{_ENTITIES[letter]};")
    if not letter.isascii():  # UTF-8 that was taken for Latin-1, or could not be read
        ways += [re.escape(raw.decode("latin-1")), r"\ufffd{1,4}"]
    return f"(?:{'|'.join([*ways, _raw(letter)])})"  # the letter last: it may begin its own encoding, as % does


def _raw(letter: str) -> str:
    """Return a pattern of the letter itself, with what shells, JSON and regular expressions put before it."""
    if letter == " ":
        return r"\\{0,4}\s{1,80}|\+"
    if letter in "\r\n":
        return r"\s{1,80}|\\{1,8}[nr]"
    if letter == "\t":
        return r"\s{1,80}|\\{1,8}t"
    if letter == "'":  # '\'' and '"'"' of shells
        return r"""'"'"'|'\\''|\\{0,8}'"""
    return r"\\{1,8}" if letter == "\\" else rf"\\{{0,8}}{re.escape(letter)}"


def _escaped(letter: str) -> str:
    r"""Return a pattern of `\u00f6` as JSON has it, `\xf6` and `\U000000f6` of Python, and `\303\266` of Git."""
    code, raw = ord(letter), _bytes(letter)
    points = [code] if code < 0x10000 else [0xD800 + (code - 0x10000 >> 10), 0xDC00 + (code - 0x10000 & 0x3FF)]
    ways = [
        "".join(rf"\\{{1,4}}u{_hexadecimal(f'{point:04x}')}" for point in points),
        "".join(rf"\\{{1,4}}x{_hexadecimal(f'{byte:02x}')}" for byte in raw),
        "".join(rf"\\{{1,4}}{byte:03o}" for byte in raw),
        rf"\\{{1,4}}U{_hexadecimal(f'{code:08x}')}",
    ]
    if 0x7F < code < 0x100:
        ways.append(rf"\\{{1,4}}x{_hexadecimal(f'{code:02x}')}")
    return "|".join(ways)
