"""Wait for a server that may go away and come back, as long as the time allows, and tell each once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from jenkins_cd.errors import ExternalFailure
from jenkins_cd.report.text import duration
from jenkins_cd.tools import process
from jenkins_cd.tools.jenkins_failures import NotAccepted, Unavailable

T = TypeVar("T")
CONTACT = 120.0  # seconds that a server may be away that has never answered: it may be the wrong address
# Seconds after which a token that was never accepted is tried again. Few: where a directory has the users, each is a
# failed login there, and some directories lock an account after a few.
DOUBTS = (1.0, 3.0, 6.0)
STARTING = 5.0  # the same while a server comes up
FIRST, SLOWER, LONGEST = 0.2, 1.3, 2.0  # seconds between two looks: the first, times this for each next, at most


class OutOfTime(ExternalFailure):
    """The time is over. `away` says why the server does not answer, where it does not."""

    def __init__(self, message: str, away: str = "") -> None:
        """Keep what to tell of the server."""
        super().__init__(message)
        self.away = away


@dataclass
class Patience:
    """How long to wait still, and what was told of it. `tell` gets sentences for people."""

    seconds: float
    tell: Callable[[str], None]
    _pause: float = FIRST
    _away: str = ""
    _met: bool = False  # whether the server has answered anything yet
    _doubts: Iterator[float] = field(default_factory=lambda: iter(DOUBTS))
    _told: set[str] = field(default_factory=set)
    _since: float = field(default_factory=time.monotonic)

    @property
    def spent(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self._since

    @property
    def _allowed(self) -> float:
        return self.seconds if self._met else min(self.seconds, CONTACT)

    def ask(self, work: Callable[[], T], *, once: bool = False) -> T:
        """Return what `work` answers, however often the server has to be asked until it is there.

        With `once` it is asked again only where it certainly did nothing. Raises OutOfTime, and at once what is no
        matter of waiting: bad input, a refusal, an answer that was lost. A server that has never answered must be known
        to be down or starting to be waited for: it may be the wrong one. One that starts refuses every token for some
        seconds: a token that was never accepted is tried a few times.
        """
        while True:
            try:
                answer = work()
            except NotAccepted as error:
                self._doubt(error)
                continue
            except ExternalFailure as error:
                if not isinstance(error, Unavailable) and (once or not (self._met and error.retryable)):
                    raise
                self._is_away(error.message)
            else:
                self._is_there()
                return answer
            self.pause()

    def once(self, text: str, key: str) -> None:
        """Tell something unless the same `key` was told before."""
        if key not in self._told:
            self._told.add(key)
            self.tell(text)

    def hurry(self) -> None:
        """Look as often as at the start: something new has begun."""
        self._pause = FIRST

    def pause(self) -> None:
        """Wait a little, longer each time. Raises OutOfTime where the time is over."""
        allowed = self._allowed
        left = allowed - self.spent
        if left <= 0:
            raise OutOfTime(f"not ended after {duration(allowed)}", self._away)
        process.pause(min(self._pause, left))
        self._pause = min(self._pause * SLOWER, LONGEST)

    def _doubt(self, error: NotAccepted) -> None:
        """Wait before a token is tried again. Raises the error where that was done often enough."""
        wait = STARTING if self._away else next(self._doubts, self._allowed)
        if self.spent + wait > self._allowed:
            raise error
        self.once(f"{error.message}; asking again, for a server that has just started knows nobody", "doubt")
        process.pause(wait)

    def _is_away(self, why: str) -> None:
        if not self._away:
            self.tell(f"{why}; waiting for it, {duration(max(self._allowed - self.spent, 0))} at most")
        self._away = why

    def _is_there(self) -> None:
        if self._away:
            self.tell("the server is back")
            self.hurry()
        self._away, self._met = "", True
