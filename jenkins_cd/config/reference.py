"""The reference of the two files in Markdown: a table of every key, from the types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

from jenkins_cd.config.schema import FILES, TITLES, default_of
from jenkins_cd.config.shape import Key, Shape, keys_of
from jenkins_cd.config.words import expected
from jenkins_cd.lines import split_lines


def markdown(file: str) -> str:
    """Return the reference of `app` (cd.yaml) or `platform` (platform.yaml)."""
    type_ = FILES[file]
    about = split_lines(type_.__doc__ or "")[0]
    head = [f"# {TITLES[file]}", "", about, "", "| key | holds | default | meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *_rows(type_, "")]) + "\n"


def _rows(type_: type, prefix: str) -> Iterator[str]:
    for name, key in keys_of(type_).items():
        path = f"{prefix}{name}"
        cells = (f"`{path}`", _holds(key.shape), _default(key), key.shape.meta("description") or "")
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
        if key.shape.table:
            yield from _rows(key.shape.kind, f"{path}.")
        elif key.shape.item and key.shape.item.table:
            yield from _rows(key.shape.item.kind, f"{path}[]." if key.shape.kind is tuple else f"{path}.<name>.")


def _holds(shape: Shape) -> str:
    if shape.kind is tuple and shape.item:
        return f"a list: each {_holds(shape.item)}"
    if shape.kind is Literal:
        return ", ".join(f"`{choice}`" for choice in shape.choices)
    return expected(shape)


def _default(key: Key) -> str:
    if key.default is None:
        return "**required**"
    default: Any = default_of(key)
    return "" if default in (None, {}, []) else f"`{default if isinstance(default, str) else json.dumps(default)}`"
