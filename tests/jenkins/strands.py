"""Which step runs in which blocks: the threads of a running script, and what ends when something is interrupted."""

from __future__ import annotations

import threading

from tests.jenkins.steps.errors import Thrown, interrupted
from tests.jenkins.steps.running import Body, Held, Running, Scope

SCRIPT = 0  # the strand of the script itself; the others are bodies of steps


class Strands:
    """The script's threads. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scopes: dict[int, Scope] = {SCRIPT: Scope()}
        self._calls: dict[int, int] = {}  # a strand, and the call whose body it is
        self._callers: dict[int, int] = {}  # a call, and the strand that called it
        self._bodies: dict[int, Body] = {}  # those that have not ended
        self._flying: dict[int, Running] = {}  # by strand: a strand is in one step at a time
        self._late: dict[int, Thrown] = {}  # interruptions that met a strand between two steps

    def scope(self, strand: int) -> Scope:
        """Return the blocks around what the strand does."""
        return self._scopes[strand]

    def start(self, call: int, scope: Scope) -> tuple[int, Body]:
        """Note a new body of a call: return the number of its strand, and what to wait for."""
        with self._lock:
            strand, body = len(self._scopes), Body()
            self._scopes[strand], self._calls[strand], self._bodies[strand] = scope, call, body
        return strand, body

    def ended(self, strand: int, value: Held, error: Thrown | None) -> None:
        """Note how a body ended."""
        with self._lock:
            body = self._bodies.pop(strand)
            self._late.pop(strand, None)
        body.end(value, error)

    def take_off(self, running: Running) -> None:
        """Note a step that begins; it is stopped at once if its strand was interrupted before."""
        with self._lock:
            self._callers[running.number] = running.strand
            self._flying[running.strand] = running
            late = self._late.pop(running.strand, None)
        if late:
            running.stop(late)

    def landed(self, running: Running) -> None:
        """Note a step that is over."""
        with self._lock:
            del self._flying[running.strand]

    def interrupt(self, error: Thrown, call: int | None = None) -> None:
        """End what runs inside the bodies of a call (of the whole build for None) with this error.

        Each strand gets it once: in the step that it is in, else in its next one.
        """
        with self._lock:
            waiting = {self._calls[strand] for strand in self._bodies}
            inside = [strand for strand in (SCRIPT, *self._bodies) if self._inside(strand, call)]
            leaves = [self._flying[each] for each in inside if each in self._flying]
            leaves = [each for each in leaves if each.number not in waiting]
            self._late.update({strand: error for strand in inside if strand not in self._flying})
        for leaf in leaves:
            leaf.stop(error)

    def end(self) -> None:
        """Stop every step, and let nobody wait for a body any more: the program has gone."""
        over = interrupted("The build is over")
        with self._lock:
            flying, bodies = list(self._flying.values()), list(self._bodies.values())
        for running in flying:
            running.stop(over)
        for body in bodies:
            body.end(Held(0), over)

    def _inside(self, strand: int, outer: int | None) -> bool:
        if outer is None:
            return True
        while strand in self._calls:
            if self._calls[strand] == outer:
                return True
            strand = self._callers[self._calls[strand]]
        return False
