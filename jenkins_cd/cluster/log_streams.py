"""Lines of many containers as they come, also of pods and restarts that come later: however the logs are read."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jenkins_cd.cluster import evidence
from jenkins_cd.cluster.scene import Object, containers, going, name, uid
from jenkins_cd.errors import JenkinsCdError, Stopped
from jenkins_cd.report.text import clean
from jenkins_cd.tools import process

AGAIN = 1.0  # seconds between two looks for pods that are new, or containers that were started again
LAG = 3.0  # seconds until the API server surely knows that a container whose log has ended does not run any more
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Line:
    """A line of a log, safe to show."""

    source: str  # the pod; `pod/container` where it has several
    text: str


@dataclass(frozen=True)
class Source:
    """One run of a container."""

    pod: Object
    container: str
    run: int  # 0, and one more with each restart
    only: bool  # the pod has no other container

    @property
    def key(self) -> tuple[str, str, int]:
        """Return what tells this run from all others."""
        return uid(self.pod), self.container, self.run

    @property
    def shown(self) -> str:
        """Return what its lines begin with."""
        return name(self.pod) if self.only else f"{name(self.pod)}/{self.container}"

    @property
    def state(self) -> Mapping[str, Any]:
        """Return what the pod says of the container."""
        return next((one for one in containers(self.pod) if one.get("name") == self.container), {})


Read = Callable[[Source, int | None], Iterator[str]]  # yields the last lines (None: all) of a log, and those that come


@dataclass
class Streams:
    """The logs that are followed, each by a thread, and the lines and words that they have brought."""

    brought: queue.SimpleQueue[Line | str] = field(default_factory=queue.SimpleQueue)
    begun: set[tuple[str, str, int]] = field(default_factory=set)
    running: set[tuple[str, str, int]] = field(default_factory=set)
    ended: dict[tuple[str, str, int], float] = field(default_factory=dict)  # when

    def follow(self, sources: Iterable[Source], read: Read, tail: int | None) -> None:
        """Follow each run that is not followed yet, from its last `tail` lines on (None: all)."""
        for source in sources:
            self._begin(source, read, tail)

    def lines(self, tell: Tell) -> Iterator[Line]:
        """Yield what comes until it is time to look for new pods; `tell` is told of what was cut off."""
        deadline = time.monotonic() + AGAIN
        while time.monotonic() < deadline:
            process.pause(0.02)
            while not self.brought.empty():
                one = self.brought.get()
                if isinstance(one, Line):
                    yield one
                else:
                    tell(one)

    def _begin(self, source: Source, read: Read, tail: int | None) -> None:
        """Follow a run, once; again where the connection was cut while it ran."""
        if source.key in self.running or (going(source.pod) and source.key in self.begun):
            return
        again = source.key in self.begun
        if again and (not _runs(source) or time.monotonic() - self.ended[source.key] < LAG):
            return
        if again:
            self.brought.put(f"{source.shown} goes on; lines of the last seconds may be missing")
        self.begun.add(source.key)
        self.running.add(source.key)
        # After a cut nobody knows which lines were shown: what comes from now on.
        arguments = (source, read, 0 if again else tail)
        threading.Thread(target=self._stream, args=arguments, daemon=True, name=f"log of {source.shown}").start()

    def _stream(self, source: Source, read: Read, tail: int | None) -> None:
        try:
            for line in read(source, tail):
                self.brought.put(Line(source.shown, safe(line)))
        except Stopped:
            pass
        except JenkinsCdError as error:
            self.brought.put(f"{source.shown}: {error.message}")
        finally:
            self.ended[source.key] = time.monotonic()
            self.running.discard(source.key)


def sources(pod: Object) -> Iterator[Source]:
    """Yield the containers of a pod that have run."""
    states: list[Mapping[str, Any]] = list(containers(pod))
    for one in states:
        if one.get("containerID"):
            run = int(one.get("restartCount", 0))
            yield Source(pod, str(one["name"]), run, only=len(states) == 1)


def safe(line: str) -> str:
    """Return a line of a log as it may be shown."""
    return evidence.hidden(clean(line))


def _runs(source: Source) -> bool:
    return bool((source.state.get("state") or {}).get("running"))
