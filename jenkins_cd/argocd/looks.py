"""Looks at an Application as it changes: the server's stream, and a plain read wherever that was cut."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from jenkins_cd.argocd.states import Object
from jenkins_cd.errors import ExternalFailure, JenkinsCdError
from jenkins_cd.tools import argocd_applications
from jenkins_cd.tools.answers import whole_number
from jenkins_cd.tools.argocd import ATTEMPTS, TIMEOUT, Ref, Server
from jenkins_cd.tools.argocd_failures import Expired

Refresh = Literal["", "normal", "hard"]
AGAIN = 0.5  # seconds before a cut stream is opened anew


@dataclass
class Looks:
    """The newest look, and what the stream has told and nobody has taken yet."""

    server: Server
    ref: Ref
    seen: Callable[[Object], None]  # is given each look in turn
    app: Object | None = None  # the newest
    version: int = 0  # of it; the server counts up
    at: float = 0.0  # when it was taken, of the monotonic clock
    waiting: queue.SimpleQueue[Object | JenkinsCdError] = field(default_factory=queue.SimpleQueue)

    def wait(self, seconds: float) -> None:
        """Take what the stream has told, waited for no longer than that.

        Raises Absent, Expired and ExternalFailure where the server says so, or does not answer.
        """
        with contextlib.suppress(queue.Empty):
            self.take(self.waiting.get(timeout=max(seconds, 0.001)))
            while True:
                self.take(self.waiting.get_nowait())

    def read(self, refresh: Refresh = "", timeout: float = TIMEOUT, attempts: int = ATTEMPTS) -> None:
        """Ask for the Application now, after a refresh where one is wanted."""
        self.take(argocd_applications.read(self.server, self.ref, refresh, timeout, attempts))

    def take(self, one: Object | JenkinsCdError) -> None:
        """Take a look, or raise what came instead. One that was on its way while a newer was taken is nothing."""
        if isinstance(one, JenkinsCdError):
            raise one
        version = str((one.get("metadata") or {}).get("resourceVersion", ""))
        number = whole_number(version) or self.version
        if number >= self.version:
            self.app, self.version, self.at = one, number, time.monotonic()
            self.seen(one)


@contextlib.contextmanager
def opened(server: Server, ref: Ref, seen: Callable[[Object], None]) -> Iterator[Looks]:
    """Look for the length of a block."""
    looks, ended = Looks(server=server, ref=ref, seen=seen), threading.Event()
    thread = threading.Thread(target=_pump, args=(looks, ended), name="argocd-stream", daemon=True)
    thread.start()
    try:
        yield looks
    finally:
        ended.set()


def _pump(looks: Looks, ended: threading.Event) -> None:
    """Pass on what the stream says; after a cut what the Application is like now, as some may have been missed."""
    version = ""
    while not ended.is_set():
        try:
            for kind, app in argocd_applications.watch(looks.server, looks.ref, version, ended.is_set):
                version = str((app.get("metadata") or {}).get("resourceVersion", ""))
                looks.waiting.put(ExternalFailure("the Application was deleted") if kind == "DELETED" else app)
            if not ended.wait(AGAIN):
                looks.waiting.put(argocd_applications.read(looks.server, looks.ref))
        except Expired as error:
            looks.waiting.put(error)
            return
        except JenkinsCdError as error:
            looks.waiting.put(error)
            ended.wait(AGAIN * 2)
