"""Write YAML that each of its readers takes for what it was: text stays text, a number a number.

The readers do not agree (YAML 1.1 as PyYAML reads it, 1.2, and Go's, which Helm, Kubernetes and Argo CD have): `1e5`,
`0o17` and `y` are text to one and none to another. So text is bare only where no reader can see anything else in it.
This is the only place that writes YAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_WORD = r"[A-Za-z0-9_./@+()-]+(?::[A-Za-z0-9_./@+()-]+)*"
_WORDS = re.compile(rf"(?=[A-Za-z/(]){_WORD}(?: {_WORD})*")
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(?:[-+.][A-Za-z0-9.+-]*[A-Za-z0-9])?")  # two dots: no number, no date
_MEANINGS = frozenset({"y", "n", "yes", "no", "true", "false", "on", "off", "null"})
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_LONGEST_KEY = 1000  # bytes; a key beyond 1024 must be marked as one (YAML 1.2.2, 7.4.2)


def dump(value: Any, *, sort_keys: bool = False) -> str:
    """Return a value (mappings, lists, text, numbers, booleans, None) as a YAML document.

    What stands in several places is written out in each. Raises TypeError for anything that JSON does not know.
    """
    return "".join(f"{line}\n" for line in _lines(value, sort_keys))


def scalar(value: str) -> str:
    """Return text as one line of YAML: bare where every reader takes it for text, else in double quotes."""
    if _VERSION.fullmatch(value) or (_WORDS.fullmatch(value) and value.lower() not in _MEANINGS):
        return value
    return quoted(value)


def quoted(value: str) -> str:
    """Return text as one line of YAML in double quotes."""
    return f'"{"".join(map(_escaped, value))}"'


def _lines(value: Any, sort_keys: bool) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        entries = [(_key(key), one) for key, one in value.items()]
        for key, one in sorted(entries, key=lambda entry: entry[0]) if sort_keys else entries:
            yield from _entry(scalar(key), one, sort_keys)
    elif isinstance(value, list | tuple) and value:
        for one in value:
            yield from _hung("- ", _lines(one, sort_keys))
    elif isinstance(value, str):
        yield from _text(value)
    else:
        yield _other(value)


def _entry(key: str, value: Any, sort_keys: bool) -> Iterator[str]:
    """Yield the lines of a key and what belongs to it."""
    lines = _lines(value, sort_keys)
    if len(key.encode("utf-8", "replace")) > _LONGEST_KEY:
        yield f"? {key}"
        yield from _hung(": ", lines)
    elif isinstance(value, Mapping | list | tuple) and value:
        yield f"{key}:"
        indent = "  " if isinstance(value, Mapping) else ""
        yield from (f"{indent}{line}" if line else line for line in lines)
    else:
        yield f"{key}: {next(lines)}"
        yield from lines


def _hung(mark: str, lines: Iterator[str]) -> Iterator[str]:
    """Yield lines with a mark before the first, and the others below it."""
    yield f"{mark}{next(lines)}"
    yield from (f"  {line}" if line else line for line in lines)


def _text(value: str) -> Iterator[str]:
    """Yield text: several lines of it as people write them, where they begin and end without blanks."""
    lines = value.removesuffix("\n").split("\n")
    plain = all(line.isprintable() and (line.strip() or not line) for line in lines)
    if "\n" not in value or not plain or not lines[-1] or lines[0][:1] in ("", " "):
        yield scalar(value)
        return
    yield "|" if value.endswith("\n") else "|-"
    yield from (f"  {line}" if line else line for line in lines)


def _escaped(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _key(key: Any) -> str:
    return key if isinstance(key, str) else _other(key)


def _other(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    raise TypeError(f"{type(value).__name__} cannot be written as YAML")


def _number(value: float) -> str:
    """Return a float with a dot: without one, YAML 1.1 takes `1e+16` for text."""
    text = repr(value)
    if "n" in text:
        return {"inf": ".inf", "-inf": "-.inf"}.get(text, ".nan")
    return text if "." in text else text.replace("e", ".0e")
