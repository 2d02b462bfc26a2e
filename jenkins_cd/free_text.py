"""What is masked in the documents that we write: what people and programs said, not what steps go by.

A field whose annotation has `FreeText` in it is text for people: a message, a reason, a diff. Every other text is a
name, a path, a digest, a reference, and is written as it is: the next step has to find it again.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Hashable
from typing import Annotated, Any, TypeAlias, TypeVar, cast

from jenkins_cd.masking import mask

T = TypeVar("T")
FreeText: TypeAlias = Annotated[str, "free text"]
FreeTexts: TypeAlias = Annotated[Any, "free text"]  # whatever holds any
_SCALARS = frozenset(
    {"str", "str | None", "int", "int | None", "float", "float | None", "bool", "datetime"} | {"tuple[str, ...]"}
)


def masked(value: T) -> T:
    """Return a value of the model, or several, with secrets masked in its free text."""
    return mapped(value, mask)


def mapped(value: T, free: Callable[[str], str], exact: Callable[[str], str] | None = None) -> T:
    """Return a value of the model with `free` done to its free text, and `exact` to all other text."""
    return cast(T, _mapped(value, free, exact, exact))


def _mapped(
    value: object, free: Callable[[str], str], exact: Callable[[str], str] | None, here: Callable[[str], str] | None
) -> object:
    if isinstance(value, str):
        return here(value) if here else value
    if isinstance(value, tuple | list):
        return type(value)(_mapped(item, free, exact, here) for item in value)
    if isinstance(value, dict):
        return {key: _mapped(item, free, exact, here) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _model(value, free, exact, here)
    return value


def _model(
    value: Any, free: Callable[[str], str], exact: Callable[[str], str] | None, here: Callable[[str], str] | None
) -> object:
    changed = {}
    for name, is_free, is_scalar in _fields(cast(Hashable, type(value))):
        work = free if is_free or here is free else exact
        if work or not is_scalar:
            old = getattr(value, name)
            new = _mapped(old, free, exact, work)
            if new != old:
                changed[name] = new
    return dataclasses.replace(value, **changed) if changed else value


@functools.cache
def _fields(model: Any) -> tuple[tuple[str, bool, bool], ...]:
    """Return each field's name, whether it holds free text, and whether there is nothing inside it."""
    kinds = [(field.name, str(field.type)) for field in dataclasses.fields(model)]
    return tuple((name, "FreeText" in kind, kind in _SCALARS) for name, kind in kinds)
