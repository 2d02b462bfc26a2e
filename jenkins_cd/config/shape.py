"""What the annotations of a dataclass say, in a form that the checker, the schema and the reference can walk."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from jenkins_cd.config.kinds import Meta
from jenkins_cd.config.record import record


@record(frozen=True)
class Shape:
    """What one value may be. `kind` is str, int, float, bool, Any, Literal, tuple, Mapping or a dataclass."""

    kind: Any
    optional: bool = False  # nothing (null) is allowed as well
    metas: tuple[Meta, ...] = ()
    item: Shape | None = None  # of the values of a tuple or Mapping
    name: Shape | None = None  # of the keys of a Mapping
    choices: tuple[str, ...] = ()  # of a Literal

    @property
    def table(self) -> bool:
        """Tell whether the value is a mapping with known keys."""
        return is_dataclass(self.kind)

    def meta(self, name: str) -> Any:
        """Return the first thing other than nothing that the annotations say of `name`, else None."""
        found = (getattr(meta, name) for meta in self.metas)
        return next((one for one in found if one not in (None, "")), None)


@record(frozen=True)
class Key:
    """One key of a mapping with known keys."""

    attribute: str  # the dataclass's field
    shape: Shape
    default: Callable[[], Any] | None  # None: the key is required


@cache
def shape_of(annotation: Any) -> Shape:
    """Return what an annotation allows. Raises TypeError for one that the configuration does not know."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = shape_of(arguments[0])
        return replace(inner, metas=inner.metas + annotation.__metadata__)
    if origin in (Union, types.UnionType):
        (inner,) = (shape_of(one) for one in arguments if one is not types.NoneType)
        return replace(inner, optional=True)
    if origin is Literal:
        return Shape(Literal, choices=arguments)
    if origin is tuple:
        return Shape(tuple, item=shape_of(arguments[0]))
    if origin is Mapping:
        return Shape(Mapping, name=shape_of(arguments[0]), item=shape_of(arguments[1]))
    if annotation in (str, int, float, bool, Any) or is_dataclass(annotation):
        return Shape(annotation)
    raise TypeError(f"a configuration cannot hold {annotation}")


@cache
def keys_of(type_: type) -> Mapping[str, Key]:
    """Return the keys that the dataclass `type_` allows, by their names in the file and in its order."""
    annotations: dict[str, Any] = {one.name: one.type for one in fields(type_)}
    if any(isinstance(annotation, str) for annotation in annotations.values()):
        annotations = get_type_hints(type_, include_extras=True)
    shapes = {one: shape_of(annotations[one.name]) for one in fields(type_)}
    return {shape.meta("key") or one.name: Key(one.name, shape, _default(one)) for one, shape in shapes.items()}


def _default(field: Field[Any]) -> Callable[[], Any] | None:
    if field.default is not MISSING:
        return lambda: field.default
    return None if field.default_factory is MISSING else field.default_factory
