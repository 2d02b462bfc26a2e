"""A step that was called and is under way: what it may see, do and wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tests.jenkins.model import Build, Controller
from tests.jenkins.steps.environment import Layer, overridden
from tests.jenkins.steps.errors import Thrown
from tests.jenkins.steps.step import Closure

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The blocks around a step."""

    path: tuple[str, ...] = ()  # stages and parallel branches
    workspace: Path | None = None  # of the node; None outside one
    folder: Path | None = None  # where steps work: the workspace, or what `dir` chose
    node_env: Mapping[str, str] | None = None  # what the agent gives
    layers: tuple[Layer, ...] = ()


@dataclass(frozen=True)
class Held:
    """A value that stays in the program: what a body returned."""

    number: int


@dataclass(frozen=True)
class Remote:
    """An object that the script asks member by member."""

    name: str


class Run(Protocol):
    """The build that the step is part of."""

    build: Build
    controller: Controller
    result: str | None
    display_name: str
    description: str
    env: dict[str, str]  # what the script set: env.X = …
    remotes: dict[str, Callable[[str, str, list[Any], Scope], Any]]
    parameters: dict[str, Any]
    shelf: Path  # files of the build: stashes, secrets, scripts

    def log(self, text: str) -> None:
        """Write lines to the console."""

    def worsen(self, result: str) -> None:
        """Set the result, which can only get worse."""

    def start_body(self, call: int, closure: int, scope: Scope) -> Body:
        """Run a closure among the arguments of a call in blocks of its own."""

    def interrupt(self, error: Thrown, call: int | None = None) -> None:
        """End what runs inside the bodies of a call (of the whole build for None) with this error."""


class Body:
    """A closure that runs: ended, it has a value or an error."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self.value: Held | None = None
        self.error: Thrown | None = None

    def end(self, value: Held, error: Thrown | None) -> None:
        """Note how it ended."""
        self.value, self.error = value, error
        self._ended.set()

    def result(self) -> Held:
        """Wait for its end and return the value. Raises what it threw."""
        self._ended.wait()
        if self.error:
            raise self.error
        assert self.value
        return self.value


class Running:
    """The call of a step."""

    def __init__(self, run: Run, call: int, strand: int, scope: Scope, body: Closure | None, name: str) -> None:
        self.run = run
        self.build = run.build
        self.controller = run.controller
        self.scope = scope
        self.number = call
        self.strand = strand
        self.name = name
        self._body = body
        self._stopping = threading.Event()
        self._on_stop: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self.stopped: Thrown | None = None

    @property
    def folder(self) -> Path:
        """Where it works. Only for steps that need a node."""
        assert self.scope.folder
        return self.scope.folder

    @property
    def temporary(self) -> Path:
        """The folder beside the workspace, for files that are no part of it."""
        assert self.scope.workspace
        return self.scope.workspace.with_name(self.scope.workspace.name + "@tmp")

    @property
    def environment(self) -> dict[str, str]:
        """All variables that it sees."""
        return environment(self.run, self.scope)

    def path(self, relative: str) -> Path:
        """Return a file of the folder in which it works."""
        return self.folder / relative

    def log(self, text: str) -> None:
        """Write lines to the console."""
        self.run.log(text)

    def body(self, scope: Scope | None = None, **changes: Any) -> Held:
        """Run the body, with these changes of the blocks around it, and return its value. Raises what it threw."""
        assert self._body
        return self.start(self._body, replace(scope or self.scope, **changes)).result()

    def start(self, closure: Closure, scope: Scope) -> Body:
        """Start a closure among the arguments; several may run at once."""
        if self.stopped:
            raise self.stopped
        return self.run.start_body(self.number, closure.number, scope)

    def stop(self, error: Thrown) -> None:
        """End it with this error as soon as it can."""
        with self._lock:
            if self.stopped:
                return
            self.stopped = error
            callbacks = list(self._on_stop)
        self._stopping.set()
        for callback in callbacks:
            callback()

    def wait(self, seconds: float) -> bool:
        """Wait; return whether it is to stop."""
        return self._stopping.wait(seconds)

    def on_stop(self, callback: Callable[[], None]) -> None:
        """Have the callback called, once, when it is to stop."""
        with self._lock:
            self._on_stop.append(callback)
            now = self.stopped is not None
        if now:
            callback()

    def interruptible(self, work: Callable[[], T]) -> T:
        """Return what the work returns, or raise the error with which the step is stopped before that."""
        done = threading.Event()
        outcome: list[T] = []
        failure: list[BaseException] = []

        def working() -> None:
            try:
                outcome.append(work())
            except BaseException as error:  # raised below, in the step's own thread
                failure.append(error)
            done.set()

        self.on_stop(done.set)
        threading.Thread(target=working, daemon=True).start()
        done.wait()
        if outcome:
            return outcome[0]
        if failure:
            raise failure[0]
        assert self.stopped
        raise self.stopped


def environment(run: Run, scope: Scope) -> dict[str, str]:
    """Return the variables that a step in these blocks sees."""
    parameters = {name: _text(value) for name, value in run.parameters.items()}
    base = {**(scope.node_env or {}), **run.build.env, **parameters, **run.env}
    return overridden(base, scope.layers)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
