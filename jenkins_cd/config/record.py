"""Frozen dataclasses that are quick to declare.

`dataclass` writes and compiles six methods for each class, half a millisecond a class, and every start declares some
thirty types of configuration: these share one set of methods. To mypy they are dataclasses, and at run time to
`fields`, `replace` and `is_dataclass`.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError
from typing import TYPE_CHECKING, Any, NoReturn

__all__ = ["record"]

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:
    from dataclasses import dataclass

    def record(*, frozen: bool, kw_only: bool = False) -> Any:  # noqa: ARG001 - what mypy reads
        """Declare a class as `dataclass(frozen=True)` would, whose values are equal where all their fields are."""

        def declare(cls: type) -> type:
            for name, method in _METHODS.items():
                setattr(cls, name, method)
            return dataclass(init=False, repr=False, eq=False)(cls)

        return declare


def _init(self: Any, *arguments: Any, **named: Any) -> None:
    fields = type(self).__dataclass_fields__
    given = {**dict(zip(fields, arguments, strict=False)), **named}
    if len(given) != len(arguments) + len(named) or not given.keys() <= fields.keys():
        raise TypeError(f"{type(self).__name__} has {', '.join(fields)}; got {', '.join(given)}")
    for name, field in fields.items():
        self.__dict__[name] = given[name] if name in given else _default(self, field)


def _default(self: Any, field: Any) -> Any:
    if field.default is not MISSING:
        return field.default
    if field.default_factory is MISSING:
        raise TypeError(f"{type(self).__name__} needs {field.name}")
    return field.default_factory()


def _repr(self: Any) -> str:
    values = (f"{name}={value!r}" for name, value in self.__dict__.items())
    return f"{type(self).__qualname__}({', '.join(values)})"


def _eq(self: Any, other: object) -> Any:
    return self.__dict__ == other.__dict__ if type(self) is type(other) else NotImplemented


def _hash(self: Any) -> int:
    return hash(tuple(self.__dict__.values()))


def _frozen(self: Any, name: str, *_value: Any) -> NoReturn:
    raise FrozenInstanceError(f"cannot change {name} of {type(self).__name__}")


_METHODS = {
    "__init__": _init,
    "__repr__": _repr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__setattr__": _frozen,
    "__delattr__": _frozen,
}
