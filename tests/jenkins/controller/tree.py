"""The `tree` parameter of the remote access API: which fields of an object, and which of a list's items, are told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r"([A-Za-z_*][\w*]*)|(\[)|(\])|(,)|\{(\d*),?(\d*)\}")


@dataclass
class Wanted:
    """The fields that are wanted of an object; all of one where it has no fields of its own."""

    fields: dict[str, Wanted] = field(default_factory=dict)
    first: int = 0
    end: int | None = None


def parse(text: str) -> Wanted:
    """Return what `number,builds[number,url]{0,5}` asks for. Raises ValueError where it is no such thing."""
    stack, last = [Wanted()], Wanted()
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if not found:
            raise ValueError(f"unexpected {text[position]!r} in tree")
        position = found.end()
        name, opening, closing, comma, first, end = found.groups()
        if name:
            last = stack[-1].fields.setdefault(name, Wanted())
        elif opening:
            stack.append(last)
        elif closing:
            last = stack.pop()
        elif not comma:
            last.first, last.end = int(first or 0), int(end) if end else None
    if len(stack) != 1:
        raise ValueError("unbalanced brackets in tree")
    return stack[0]


def pick(value: Any, wanted: Wanted) -> Any:
    """Return the part of a JSON value that is wanted; `_class` is always told."""
    if isinstance(value, list):
        return [pick(item, wanted) for item in value[wanted.first : wanted.end]]
    if not isinstance(value, dict):
        return value
    if not wanted.fields:
        return {key: one for key, one in value.items() if not isinstance(one, (dict, list))}
    told = {"_class": value["_class"]} if "_class" in value else {}
    if "*" in wanted.fields:
        return {**told, **{key: pick(one, Wanted()) for key, one in value.items()}}
    return {**told, **{key: pick(value[key], one) for key, one in wanted.fields.items() if key in value}}
