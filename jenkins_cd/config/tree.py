"""Plain values under the keys of the file: laid over one another, found wanting, and built into dataclasses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, cast

from jenkins_cd.config.shape import Shape, keys_of

T = TypeVar("T")
INVALID: Any = object()  # stands where a value was wrong: it is there, but cannot be used


def merge(low: Any, high: Any) -> Any:
    """Return `high` laid over `low`: mappings key by key, everything else whole."""
    if not isinstance(low, Mapping) or not isinstance(high, Mapping):
        return high
    return {**low, **{key: merge(low[key], value) if key in low else value for key, value in high.items()}}


def absent(type_: type, value: Any, key: str = "") -> Iterator[tuple[str, str, Shape]]:
    """Yield each required key that is not there: the dotted mapping, the dotted key, and what it may be."""
    if not isinstance(value, Mapping):
        return
    for name, known in keys_of(type_).items():
        dotted = f"{key}.{name}" if key else name
        if name in value:
            yield from _absent_below(known.shape, value[name], dotted)
        elif known.default is None:
            yield key, dotted, known.shape


def _absent_below(shape: Shape, value: Any, key: str) -> Iterator[tuple[str, str, Shape]]:
    if shape.table:
        yield from absent(shape.kind, value, key)
    elif shape.item and isinstance(value, Mapping):
        for name, one in value.items():
            yield from _absent_below(shape.item, one, f"{key}.{name}")
    elif shape.item and isinstance(value, tuple):
        for index, one in enumerate(value):
            yield from _absent_below(shape.item, one, f"{key}[{index}]")


def build(type_: type[T], value: Mapping[str, Any], base: T | None = None) -> T:
    """Return the dataclass that checked values make. What they leave out is as in `base`, else as by default."""
    arguments, table = {}, cast(type, type_)
    for name, known in keys_of(table).items():
        low = getattr(base, known.attribute) if base is not None else None
        if name in value:
            if known.shape.table and base is None and known.default:
                low = known.default()  # its own defaults may differ, as those of `gate` in dead-code do
            arguments[known.attribute] = _build(known.shape, value[name], low)
        elif base is not None:
            arguments[known.attribute] = low
    return type_(**arguments)


def _build(shape: Shape, value: Any, base: Any) -> Any:
    if value is None:
        return None
    if shape.table:
        return build(shape.kind, value, base)
    if shape.item and isinstance(value, tuple):
        return tuple(_build(shape.item, one, None) for one in value)
    if shape.item:
        return {name: _build(shape.item, one, None) for name, one in value.items()}
    return value


def leaves(type_: type, value: Any, key: str = "") -> Iterator[tuple[str, Any, Shape]]:
    """Yield each value below a dataclass by its dotted key. Plain lists and empty ones are values."""
    for name, known in keys_of(type_).items():
        dotted = f"{key}.{name}" if key else name
        yield from _leaves(known.shape, getattr(value, known.attribute), dotted)


def _leaves(shape: Shape, value: Any, key: str) -> Iterator[tuple[str, Any, Shape]]:
    if shape.table and value is not None:
        yield from leaves(shape.kind, value, key)
    elif isinstance(value, Mapping) and value:
        for name, one in value.items():
            yield from _leaves(shape.item or shape, one, f"{key}.{name}")
    elif shape.item and shape.item.table and value:
        for index, one in enumerate(value):
            yield from _leaves(shape.item, one, f"{key}[{index}]")
    else:
        yield key, value, shape


def plain(type_: type, value: Any) -> dict[str, Any]:
    """Return a dataclass under the keys of the file, for JSON."""
    return {name: _plain(known.shape, getattr(value, known.attribute)) for name, known in keys_of(type_).items()}


def _plain(shape: Shape, value: Any) -> Any:
    if shape.table and value is not None:
        return plain(shape.kind, value)
    if shape.item and isinstance(value, Mapping):
        return {name: _plain(shape.item, one) for name, one in value.items()}
    if shape.item and isinstance(value, tuple):
        return [_plain(shape.item, one) for one in value]
    return value
