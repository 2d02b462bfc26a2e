"""JSON in pieces: a long list has an item a line, made as it is written: no document stands in memory whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

LONG = 1000  # items from which on a list is written so


def pieces(value: Any, whole: Callable[[Any], str], line: Callable[[Any], str], indent: str = "") -> Iterator[str]:
    """Yield the JSON of one of the model's values, which together are a document.

    `whole` makes the indented JSON of what has no long list, `line` that of an item of one, on a single line.
    """
    inner = f"{indent}  "
    if not _has_long_list(value):
        yield whole(value).replace("\n", f"\n{indent}")
    elif dataclasses.is_dataclass(value):
        for number, name in enumerate(sorted(field.name for field in dataclasses.fields(value))):
            yield f'{"," if number else "{"}\n{inner}"{name}": '
            yield from pieces(getattr(value, name), whole, line, inner)
        yield f"\n{indent}}}"
    else:
        for number, item in enumerate(value):
            yield f"{',' if number else '['}\n{inner}"
            yield from [line(item)] if len(value) > LONG else pieces(item, whole, line, inner)
        yield f"\n{indent}]"


def _has_long_list(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return len(value) > LONG or any(map(_has_long_list, value))
    if dataclasses.is_dataclass(value):
        return any(_has_long_list(getattr(value, field.name)) for field in dataclasses.fields(value))
    return False
