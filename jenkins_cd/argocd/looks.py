"""Looks at an Application as it changes: the server's stream, and a plain read wherever that was cut."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from jenkins_cd.argocd.states import Object
from jenkins_cd.errors import ExternalFailure, JenkinsCdError
from jenkins_cd.tools import argocd_applications
from jenkins_cd.tools.argocd import Ref, Server
from jenkins_cd.tools.argocd_failures import Expired

Refresh = Literal["", "normal", "hard"]
AGAIN = 0.5  # seconds before a cut stream is opened anew


@dataclass
class Looks:
    """What the stream has told and nobody has taken yet."""

    server: Server
    ref: Ref
    seen: Callable[[Object], None]  # is given each look in turn
    waiting: queue.SimpleQueue[Object | JenkinsCdError] = field(default_factory=queue.SimpleQueue)
    version: int = 0  # of the newest look; the server counts up

    def newest(self, seconds: float) -> Object | None:
        """Return the newest look, waited for no longer than that; None where there is nothing new.

        Raises Absent, Expired and ExternalFailure where the server says so, or does not answer.
        """
        found: Object | None = None
        with contextlib.suppress(queue.Empty):
            found = self._taken(self.waiting.get(timeout=max(seconds, 0.001)))
            while True:
                found = self._taken(self.waiting.get_nowait()) or found
        return found

    def read(self, refresh: Refresh = "", timeout: float = 30.0) -> Object:
        """Ask for the Application now, after a refresh where one is wanted."""
        app = argocd_applications.read(self.server, self.ref, refresh, timeout)
        return self._taken(app) or app

    def _taken(self, one: Object | JenkinsCdError) -> Object | None:
        if isinstance(one, JenkinsCdError):
            raise one
        version = str((one.get("metadata") or {}).get("resourceVersion", ""))
        number = int(version) if version.isdigit() else self.version
        if number < self.version:
            return None  # it was on its way while a newer one was read
        self.version = number
        self.seen(one)
        return one


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
