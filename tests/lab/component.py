"""What the lab is made of: programs that are started in order, told ready by their own word, and stopped whole."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jenkins_cd.errors import ExternalFailure
from jenkins_cd.tools import process

PATIENCE = 60.0  # seconds that one may take to be ready
POLL = 0.03


def nothing() -> None:
    """Do nothing: what most components have to do before their start and once they are ready."""


@dataclass(frozen=True, kw_only=True)
class Component:
    """A server that can be started. `prepare` writes its files, `then` uses it, before those that need it start."""

    name: str
    argv: Sequence[str]
    ready: Callable[[], bool]
    after: Sequence[str] = ()  # names of those that must be ready before
    prepare: Callable[[], None] = nothing
    then: Callable[[], None] = nothing
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Running:
    """A component that was started. Its log is appended to at each start."""

    component: Component
    service: process.Service
    log: Path

    @property
    def last_words(self) -> str:
        """Return the last lines of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:])

    def stop(self) -> None:
        """End it with everything that it started."""
        self.service.stop()

    def check(self) -> bool:
        """Tell whether it is ready. Raises ExternalFailure with its last words where it has ended."""
        if self.service.exit_code is not None:
            raise ExternalFailure(
                f"{self.component.name} ended with exit code {self.service.exit_code}: {self.last_words}",
                f"read its log: {self.log}",
            )
        return self.component.ready()


def start(component: Component, logs: Path) -> Running:
    """Start one and return at once."""
    log = logs / f"{component.name}.log"
    component.prepare()
    return Running(component=component, service=process.serve(component.argv, log=log, env=component.env), log=log)


def bring_up(
    components: Sequence[Component],
    logs: Path,
    *,
    tell: Callable[[str], None],
    known: dict[str, Running],
    ready: Collection[str] = (),
) -> None:
    """Start all, each as soon as those that it needs are ready, and wait for the last one.

    Each goes into `known` as it is started, so that the caller can stop it whatever happens; `ready` are the names of
    others that are ready already; `tell` gets the name of each that becomes so. Raises ExternalFailure where one ends
    or is not ready in time.
    """
    deadline = time.monotonic() + PATIENCE
    waiting = {one.name: one for one in components}
    while waiting:
        done = (set(known) | set(ready)) - set(waiting)
        for name, one in list(waiting.items()):
            if name not in known and done.issuperset(one.after):
                known[name] = start(one, logs)
            elif name in known and known[name].check():
                one.then()
                del waiting[name]
                done.add(name)
                tell(name)
        _in_time([known[name] for name in waiting if name in known], deadline)
        process.pause(POLL)


def _in_time(awaited: Sequence[Running], deadline: float) -> None:
    if awaited and time.monotonic() > deadline:
        told = "\n".join(f"{one.component.name} ({one.log}): {one.last_words}" for one in awaited)
        raise ExternalFailure(f"not ready after {PATIENCE:.0f} s: {told}", "the machine may be too busy: try again")


def ask(url: str, *, authority: str = "", token: str = "") -> str | None:
    """Return the body of an answer with status 200, else None. Without `authority` a certificate is not checked."""
    context = ssl.create_default_context(cafile=authority or None)
    if not authority:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=5, context=context) as answer:
        return str(answer.read().decode("utf-8", "replace"))
    return None


def answers(url: str) -> Callable[[], bool]:
    """Return a function that tells whether the URL answers with status 200."""
    return lambda: ask(url) is not None


def accepts(address: str | tuple[str, int]) -> Callable[[], bool]:
    """Return a function that tells whether something listens there: a path (a Unix socket) or host and port."""

    def tried() -> bool:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        with contextlib.suppress(OSError), socket.socket(family) as one:
            one.connect(address)
            return True
        return False

    return tried
