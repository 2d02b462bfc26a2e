"""How a type of `types.py` looks from a file: its keys, what each may hold, and which must be there."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Union

from jenkins_cd.config.types import Meta


@dataclass(frozen=True)
class Shape:
    """A type, freed of its wrapping."""

    base: Any  # str, int, float, bool, Any, a dataclass, Mapping[K, V], tuple[T, ...] or Literal[…]
    optional: bool  # null is allowed
    metas: tuple[Meta, ...]

    @property
    def origin(self) -> Any:
        """Return what `base` is made of: Mapping, tuple, Literal, or None."""
        return typing.get_origin(self.base)

    @property
    def arguments(self) -> tuple[Any, ...]:
        """Return what stands in the brackets of `base`."""
        return typing.get_args(self.base)

    def meta(self, name: str) -> Any:
        """Return the last value that the annotations give for `name`, or the empty one."""
        empty = getattr(Meta(), name)
        return next((value for meta in reversed(self.metas) if (value := getattr(meta, name)) != empty), empty)


@dataclass(frozen=True)
class Key:
    """One key of a mapping in a file."""

    attribute: str
    shape: Shape
    required: bool
    default: Any


def keys(type_: Any) -> Mapping[str, Key]:
    """Return the keys that a dataclass allows, by their name in the file."""
    return _keys(type_)


@functools.cache
def _keys(type_: Any) -> Mapping[str, Key]:
    hints = typing.get_type_hints(type_, include_extras=True)
    found = {}
    for field in dataclasses.fields(type_):
        shape = of(hints[field.name])
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        found[shape.meta("key") or field.name] = Key(field.name, shape, required, _default(field))
    return found


def of(hint: Any) -> Shape:
    """Return the shape of an annotation."""
    metas: tuple[Meta, ...] = ()
    optional = False
    while True:
        origin = typing.get_origin(hint)
        if origin is Annotated:
            metas = (*(meta for meta in hint.__metadata__ if isinstance(meta, Meta)), *metas)
            hint = hint.__origin__
        elif origin in (Union, types.UnionType):
            hint = next(one for one in typing.get_args(hint) if one is not type(None))
            optional = True
        else:
            return Shape(hint, optional, metas)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None if field.default is dataclasses.MISSING else field.default
