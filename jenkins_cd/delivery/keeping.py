"""What the phases of one deployment hand on to each other in one process: an access, a chart, a rendering.

`deploy` has a block around them. A phase that is a process of its own (`--step`) finds none, and keeps nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, ExitStack
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass
class _Kept:
    stack: ExitStack
    things: dict[Hashable, Any] = field(default_factory=dict)


_kept: ContextVar[_Kept | None] = ContextVar("kept", default=None)


@contextlib.contextmanager
def block() -> Iterator[None]:
    """Keep what is opened and remembered in the block, in this thread; at its end all is closed, the last one first."""
    with ExitStack() as stack:
        token = _kept.set(_Kept(stack))
        try:
            yield
        finally:
            _kept.reset(token)


@contextlib.contextmanager
def opened(
    key: Hashable, make: Callable[[], AbstractContextManager[T]], good: Callable[[T], bool] = lambda _thing: True
) -> Iterator[T]:
    """Give what was opened under `key`, if that is still `good`, else what `make` opens.

    It is closed at the end of the `block`, or with this one where there is none.
    """
    kept = _kept.get()
    if kept is None:
        with make() as thing:
            yield thing
        return
    if key not in kept.things or not good(kept.things[key]):
        kept.things[key] = kept.stack.enter_context(make())
    yield kept.things[key]


def remember(key: Hashable, thing: object) -> None:
    """Remember a thing to the end of the `block`, if there is one."""
    kept = _kept.get()
    if kept is not None:
        kept.things[key] = thing


def remembered(key: Hashable, kind: type[T]) -> T | None:
    """Return what was remembered under `key`, or None."""
    kept = _kept.get()
    found = kept.things.get(key) if kept else None
    return found if isinstance(found, kind) else None
