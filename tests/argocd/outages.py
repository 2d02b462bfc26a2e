"""What goes down in a race: for one deployment, or for several at once, each of which is judged on its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.lab.lab import Lab


@dataclass(frozen=True)
class Outages:
    """Parts of the lab that go down when all who meet are there: one of them acts, and all go on after it has."""

    lab: Lab
    meet: Callable[[], int] = lambda: 0  # waits for the others; 0 for the one who acts
    spread: int = 0  # seconds that the others may come later

    def restart(self, component: str) -> None:
        """Start a component again."""
        self._once(lambda: self.lab.restart(component))

    @contextlib.contextmanager
    def without(self, component: str) -> Iterator[None]:
        """Let a component be down until all are at the end of the block."""
        with contextlib.ExitStack() as down:
            self._once(lambda: down.enter_context(self.lab.without(component)))
            yield
            self.meet()
        self.meet()

    def _once(self, act: Callable[[], object]) -> None:
        if self.meet() == 0:
            act()
        self.meet()
