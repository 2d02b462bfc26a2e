"""What a step is: a function whose parameters are those that Jenkins documents, by name, type and default."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.jenkins.steps.errors import WrongArguments


@dataclass(frozen=True)
class Closure:
    """A closure among the arguments: the number under which the program holds it."""

    number: int


@dataclass(frozen=True)
class Foreign:
    """An argument that is nothing a step takes: an object of this Java class."""

    kind: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: `work` gets the running call and the arguments."""

    name: str
    work: Callable[..., Any]
    parameters: Mapping[str, inspect.Parameter]
    types: Mapping[str, Any]
    block: bool  # it takes a body
    node: bool  # it works on an agent
    describes: bool  # no step, but a value for one

    @property
    def open(self) -> bool:
        """Whether it takes whatever name it is given, as `parallel` does."""
        return any(each.kind is inspect.Parameter.VAR_KEYWORD for each in self.parameters.values())

    @property
    def sole(self) -> bool:
        """Whether it has one parameter and no other, which may itself be a map."""
        return len(self.parameters) == 1 and not self.open

    def bound(self, arguments: list[Any]) -> tuple[dict[str, Any], Closure | None]:
        """Return named arguments and the body of what the script wrote. Raises WrongArguments."""
        body = None
        if self.block and arguments and isinstance(arguments[-1], Closure):
            *arguments, body = arguments
        named = self._named(arguments)
        if unknown := [name for name in named if name not in self.parameters and not self.open]:
            raise WrongArguments(
                f"Unknown parameter(s) found for class type {self.name}: {', '.join(unknown)} "
                f"(it has {', '.join(self.parameters)})"
            )
        for name, value in named.items():
            if not self.open and not fits(value, self.types[name]):
                raise WrongArguments(f"{self.name}: {name} is {value!r}, and should be {self.types[name]}")
        self._complete(named, body)
        return named, body

    def _named(self, arguments: list[Any]) -> dict[str, Any]:
        if not arguments:
            return {}
        if len(arguments) > 1:
            raise WrongArguments(f"{self.name}: Expected named arguments but got {arguments}")
        (argument,) = arguments
        named = isinstance(argument, dict) and "$class" not in argument
        if named and (not self.sole or list(argument) == list(self.parameters)):
            return dict(argument)
        if not self.parameters:
            raise WrongArguments(f"{self.name} takes no argument, and got {argument!r}")
        return {next(iter(self.parameters)): argument}

    def _complete(self, named: Mapping[str, Any], body: Closure | None) -> None:
        for name, parameter in self.parameters.items():
            if parameter.default is inspect.Parameter.empty and name not in named and not self.open:
                raise WrongArguments(f"{self.name}: {name} is missing")
        if self.block and body is None:
            raise WrongArguments(f"{self.name} step must be called with a body")


def step(
    name: str = "", *, block: bool = False, node: bool = False, describes: bool = False
) -> Callable[[Callable[..., Any]], Step]:
    """Make a step of a function, which is called as the step is unless `name` says otherwise."""

    def made(work: Callable[..., Any]) -> Step:
        _, *parameters = inspect.signature(work).parameters.values()
        return Step(
            name=name or work.__name__,
            work=work,
            parameters={parameter.name: parameter for parameter in parameters},
            types=typing.get_type_hints(work),
            block=block,
            node=node,
            describes=describes,
        )

    return made


def not_here(at: Any, **options: Any) -> None:
    """Refuse documented options that the runner does not act upon. Raises WrongArguments."""
    if given := [name for name, value in options.items() if value]:
        raise WrongArguments(f"{at.name}: the runner does not act upon {', '.join(given)}")


def fits(value: Any, kind: Any) -> bool:
    """Tell whether a value that a script gave is of the annotated type."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(value, Foreign):
        return False
    if kind is Any:
        return True
    if origin is Literal:
        return value in inner
    if origin in (types.UnionType, typing.Union):
        return any(fits(value, each) for each in inner)
    if origin is list:
        return isinstance(value, list) and all(fits(each, inner[0]) for each in value)
    if origin is dict:
        return isinstance(value, dict) and all(fits(each, inner[1]) for each in value.values())
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)
