"""Faults on demand: what a controller, or the proxy in front of it, does wrong, and to which requests."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

from tests.jenkins.controller.answers import Answer, container_error, gateway, oops, starting

EVERYTHING = r".*"


@dataclass
class Rule:
    """Answers the next `times` requests whose `METHOD /path` matches, all of them where that is None."""

    on: re.Pattern[str]
    answer: Answer | None  # None: the connection is cut
    times: int | None
    late: bool  # the request is carried out first, only its answer is lost
    silent: bool = False  # nothing is said until the faults are cleared


class Faults:
    """The faults that are switched on. Each call adds one; `clear` ends them all."""

    def __init__(self, forget_sessions: Callable[[], None]) -> None:
        self.log_delay = 0.0  # seconds until what a build logs can be read
        self.hits: list[str] = []  # `METHOD /path` of the requests that were answered by a fault
        self.cleared = threading.Event()
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._forget_sessions = forget_sessions

    def gateway(self, status: int = 502, times: int | None = 1, on: str = EVERYTHING, late: bool = False) -> None:
        """Let a proxy answer 502, 503 or 504."""
        self._add(on, gateway(status), times, late)

    def starting(self, times: int | None = 1, on: str = EVERYTHING) -> None:
        """Let the controller say that it is getting ready to work (503)."""
        self._add(on, starting(), times, late=False)

    def no_users(self, times: int | None = 1, on: str = EVERYTHING) -> None:
        """Refuse every token (401), as a controller that starts does for some seconds."""
        self._add(on, container_error(401, "Invalid password/token for user: robot").answer, times, late=False)

    def broken(self, times: int | None = 1, on: str = EVERYTHING, late: bool = False) -> None:
        """Answer an HTML page with a stack trace (500)."""
        self._add(on, oops("java.lang.IllegalStateException: kaboom").answer, times, late)

    def cut(self, times: int | None = 1, on: str = EVERYTHING, late: bool = False) -> None:
        """Cut the connection instead of an answer."""
        self._add(on, None, times, late)

    def hang(self, times: int | None = 1, on: str = EVERYTHING) -> None:
        """Say nothing at all, until the faults are cleared; then the connection is cut."""
        with self._lock:
            self.cleared.clear()
            self._rules.append(Rule(re.compile(on), None, times, late=False, silent=True))

    def answer(self, answer: Answer, times: int | None = 1, on: str = EVERYTHING, late: bool = False) -> None:
        """Answer with something of one's own."""
        self._add(on, answer, times, late)

    def stale_crumbs(self) -> None:
        """Forget all sessions, and with them the crumbs that clients hold."""
        self._forget_sessions()

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()
            self.cleared.set()
        self.log_delay = 0.0

    def strike(self, request: str) -> Rule | None:
        """Return the fault that hits a request (`METHOD /path?query`), if any, and count it."""
        with self._lock:
            rule = next((one for one in self._rules if one.on.fullmatch(request)), None)
            if rule is None:
                return None
            self.hits.append(request)
            if rule.times is not None:
                rule.times -= 1
                if rule.times <= 0:
                    self._rules.remove(rule)
            return rule

    def _add(self, on: str, answer: Answer | None, times: int | None, late: bool) -> None:
        with self._lock:
            self._rules.append(Rule(re.compile(on), answer, times, late))
