"""A copy of what is in a namespace, kept up to date by watches; where they do not work, by looking again and again.

A thread for each kind lists, watches for a while, and lists again, whatever becomes of its connection: what a watch
missed is known no later than a round after it happened.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from jenkins_cd.cluster.scene import Object, Scene, uid
from jenkins_cd.errors import BadInput, JenkinsCdError, Refused, Stopped
from jenkins_cd.tools import kubernetes, process
from jenkins_cd.tools import kubernetes_kinds as kinds
from jenkins_cd.tools.kubernetes import Cluster

ROUND = 10.0  # seconds of one watch
POLL = 1.0  # seconds between two lists where watches do not work, and until a server that is away is asked again
PATIENCE = 2.0  # seconds that a read goes on by itself before it is told that the server is away
LOCKED_OUT = 30.0  # seconds that a server that has just restarted may refuse what it allowed before
API_VERSIONS: Mapping[str, str] = {
    "DaemonSet": "apps/v1",
    "Deployment": "apps/v1",
    "Event": "v1",
    "Job": "batch/v1",
    "PersistentVolumeClaim": "v1",
    "Pod": "v1",
    "ReplicaSet": "apps/v1",
    "Service": "v1",
    "StatefulSet": "apps/v1",
}
OPTIONAL = frozenset({"Event"})  # what we go on without where we may not read it


@dataclass(frozen=True)
class _News:
    kind: str
    what: str  # all, changed, gone, lost
    objects: tuple[Object, ...] = ()
    error: JenkinsCdError | None = None


@dataclass
class Mirror:
    """The copy. `take` brings it up to date; the objects with the unique IDs in `ignored` are left out."""

    kinds: frozenset[str]
    tell: Callable[[str], None]
    ignored: frozenset[str] = frozenset()
    scene: Scene = field(default_factory=Scene)
    news: queue.SimpleQueue[_News] = field(default_factory=queue.SimpleQueue)
    lost: dict[str, JenkinsCdError] = field(default_factory=dict)  # by kind: why it cannot be read just now
    told: str = ""  # last
    since: float = 0.0  # when the first of them was lost

    @property
    def complete(self) -> bool:
        """Tell whether every kind was read at least once."""
        return self.kinds <= self.scene.objects.keys()

    @property
    def trouble(self) -> JenkinsCdError | None:
        """Return why the copy may be old, or None."""
        return next(iter(self.lost.values()), None)

    def take(self, seconds: float) -> None:
        """Wait for news, so long at most, and take in all that is there.

        Raises Refused and BadInput where something may not be read, and Stopped.
        """
        deadline = time.monotonic() + seconds
        while self.news.empty() and time.monotonic() < deadline:
            process.pause(0.02)
        process.pause(0.0)
        while not self.news.empty():
            self._apply(self.news.get())

    def _apply(self, news: _News) -> None:
        if news.error is not None:
            self._lose(news.kind, news.error)
            return
        objects = [one for one in news.objects if uid(one) not in self.ignored]
        if news.what == "all":
            self._find_again(news.kind)
            self.scene.replace(news.kind, objects)
        for one in objects:
            if news.what == "changed":
                self.scene.put(one)
            elif news.what == "gone":
                self.scene.drop(one)

    def _lose(self, kind: str, error: JenkinsCdError) -> None:
        refused = isinstance(error, (Refused, BadInput))
        if refused and kind in OPTIONAL and kind not in self.scene.objects:
            self.tell(f"going on without {kinds.plural(kind)}: {error.message}")
            self.scene.replace(kind, ())
            return
        away = bool(self.lost)  # a server that comes back knows who may what a moment after it answers
        if not away:
            self.since = time.monotonic()
        self.lost[kind] = error
        allowed = away or kind in self.scene.objects
        if refused and (not allowed or time.monotonic() - self.since > LOCKED_OUT):
            raise error
        if len(self.lost) == 1:
            self._once(f"{error.message}; asking again")

    def _once(self, text: str) -> None:
        if text != self.told:
            self.told = text
            self.tell(text)

    def _find_again(self, kind: str) -> None:
        if self.lost.pop(kind, None) and not self.lost:
            self._once("the API server answers again")


@contextlib.contextmanager
def kept(
    cluster: Cluster,
    namespace: str,
    wanted: Iterable[str],
    tell: Callable[[str], None],
    ignored: frozenset[str] = frozenset(),
) -> Iterator[Mirror]:
    """Yield a copy of the objects of these kinds (those of API_VERSIONS), kept up to date as long as the block runs."""
    mirror = Mirror(frozenset(wanted), tell, ignored)
    ended = threading.Event()
    hasty = replace(cluster, patience=PATIENCE)
    for kind in sorted(mirror.kinds):
        arguments = (hasty, namespace, kind, mirror.news, ended)
        threading.Thread(target=_keep, args=arguments, daemon=True, name=f"watch {kind}").start()
    try:
        yield mirror
    finally:
        ended.set()  # a watch that hears nothing ends with its round


def read(cluster: Cluster, namespace: str, wanted: Iterable[str], tell: Callable[[str], None]) -> Scene:
    """Return the objects of these kinds as they are now; `tell` is told of each kind that cannot be read."""
    scene = Scene()
    for kind in sorted(wanted):
        try:
            scene.replace(kind, kubernetes.list_(cluster, path(namespace, kind)).items)
        except Stopped:
            raise
        except JenkinsCdError as error:
            tell(error.message)
    return scene


def path(namespace: str, kind: str) -> str:
    """Return where the objects of a kind are listed."""
    version = API_VERSIONS[kind]
    return kinds.collection(version, kinds.Resource(kinds.group(version), kinds.plural(kind), True), namespace)


def _keep(cluster: Cluster, namespace: str, kind: str, news: queue.SimpleQueue[_News], ended: threading.Event) -> None:
    place, known = path(namespace, kind), False
    while not ended.is_set():
        try:
            listing = kubernetes.list_(cluster, place)
            known = True
            news.put(_News(kind, "all", listing.items))
        except Stopped:
            return
        except JenkinsCdError as error:
            news.put(_News(kind, "lost", error=error))
            if not known and kind in OPTIONAL and isinstance(error, (Refused, BadInput)):
                return
            ended.wait(POLL)
            continue
        _watch(cluster, place, kind, listing.resource_version, news, ended)


def _watch(
    cluster: Cluster, place: str, kind: str, version: str, news: queue.SimpleQueue[_News], ended: threading.Event
) -> None:
    """Tell what changes for a round. A watch that is refused, or ends at once, is as long as a pause."""
    began = time.monotonic()
    api_version = API_VERSIONS[kind]
    with contextlib.suppress(JenkinsCdError):  # the list that follows tells what is wrong
        for event in kubernetes.watch(cluster, place, version, ROUND):
            if ended.is_set():
                return
            one = {"apiVersion": api_version, "kind": kind, **event["object"]}
            news.put(_News(kind, "gone" if event["type"] == "DELETED" else "changed", (one,)))
    if time.monotonic() - began < POLL:
        ended.wait(POLL)
