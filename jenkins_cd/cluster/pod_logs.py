"""The logs of an app's pods in an environment, whichever model deploys it there: as an account that only reads."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jenkins_cd.cluster import access, evidence, mirror, rights
from jenkins_cd.cluster.scene import Object, annotation, containers, going, label, name, uid
from jenkins_cd.config.types import HelmTarget, PlatformFile, seconds
from jenkins_cd.deploy import known_environment, unknown
from jenkins_cd.errors import BadInput, ExternalFailure, JenkinsCdError, Refused, Stopped
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.report.text import clean
from jenkins_cd.tools import kubeconfig, kubernetes, process
from jenkins_cd.tools.kubernetes import Cluster

AGAIN = 1.0  # seconds between two looks for pods that are new, or containers that were started again
LAG = 3.0  # seconds until the API server surely knows that a container whose log has ended does not run any more
RENEWED = 0.7  # of the time that a token is good for, after which there is another
INSTANCE = "app.kubernetes.io/instance"  # the label that charts give the pods of a release
RELEASE = "meta.helm.sh/release-name"  # the annotation that Helm gives its objects
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job")
Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the pods of an app are."""

    target: HelmTarget
    namespace: str
    release: str


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


@dataclass
class _Streams:
    """The logs that are followed, each by a thread, and the lines and words that they have brought."""

    brought: queue.SimpleQueue[Line | str] = field(default_factory=queue.SimpleQueue)
    begun: set[tuple[str, str, int]] = field(default_factory=set)
    running: set[tuple[str, str, int]] = field(default_factory=set)
    ended: dict[tuple[str, str, int], float] = field(default_factory=dict)  # when


def locate(platform: PlatformFile, app: str, environment: str) -> Place:
    """Return where the pods of an app are in an environment. Raises BadInput with the nearest valid names."""
    target = known_environment(platform, environment).helm
    ledger = Ledger.open(platform)
    project = ledger.project(app)
    if project is None:
        raise unknown(ledger, app, "")
    names = {"app": app.rpartition("/")[2], "project": project, "environment": environment}
    return Place(target=target, namespace=target.namespace.format(**names), release=target.release.format(**names))


@contextlib.contextmanager
def opened(place: Place) -> Iterator[Cluster]:
    """Yield access to the namespace: as the account there that only reads, else with the credential as it is given.

    A person's own kubeconfig need not have the right to make tokens. Raises BadInput without a kubeconfig.
    """
    file, target = kubeconfig.locate(), place.target
    account = rights.reader(target.service_account) if target.service_account else None
    with contextlib.ExitStack() as stack:
        asked = target.context, place.namespace
        try:
            given = stack.enter_context(access.granted(file, *asked, account, seconds(target.session)))
        except (BadInput, Refused):
            if account is None:
                raise
            given = stack.enter_context(access.granted(file, *asked, None, seconds(target.session)))
        yield given.cluster


def show(cluster: Cluster, place: Place, *, tail: int | None, previous: bool) -> Iterator[Line]:
    """Yield the last `tail` lines (None: all) of each container, pod by pod, the newest last.

    With `previous` they are those of the run before a container was restarted. Raises BadInput where there are none.
    """
    sources = find(cluster, place)
    if not sources:
        raise _none(place)
    nothing = True
    for source in sources:
        text = kubernetes.logs(
            cluster, place.namespace, name(source.pod), source.container, previous=previous, tail=tail
        )
        nothing &= text is None
        yield from (Line(source.shown, _safe(line)) for line in (text or "").splitlines())
    if nothing:
        what = "was restarted: there is no run before" if previous else "has started: there is no log yet"
        raise BadInput(f"no container of {place.release} in {place.namespace} {what}", _look(place))


def follow(place: Place, *, tail: int | None, tell: Tell, until: Callable[[], bool] = lambda: False) -> Iterator[Line]:
    """Yield the lines of all containers as they come, also of pods and restarts that come later, until `until` says so.

    `tell` is told what begins, ends and is cut off. Raises as `opened` does, Refused, and Stopped.
    """
    streams = _Streams()
    first = True
    while not until():
        with opened(place) as cluster:
            renew = time.monotonic() + RENEWED * max(seconds(place.target.session), access.SHORTEST)
            while time.monotonic() < renew and not until():
                found = _found(cluster, place, tell)
                for source in found:
                    _begin(streams, cluster, place, source, tail if first else None)
                if first and not found:
                    tell(f"no pod of {place.release} in {place.namespace} yet; waiting for one")
                first = False
                yield from _bring(streams, tell)


def find(cluster: Cluster, place: Place) -> list[Source]:
    """Return the containers of a release's pods that have run, those of the newest pod last.

    They are those of the objects that Helm says belong to the release, or that carry its name in the label that charts
    give them. Raises Refused where pods may not be read.
    """
    found = kubernetes.list_(cluster, mirror.path(place.namespace, "Pod")).items
    kinds = ("ReplicaSet", *WORKLOADS)
    scene = mirror.read(cluster, place.namespace, kinds, lambda _text: None)  # an account need not read all kinds
    owners = {uid(one) for kind in WORKLOADS for one in scene.all(kind) if annotation(one, RELEASE) == place.release}
    owners |= {uid(one) for one in scene.all("ReplicaSet") if _owner(one) in owners}
    ours = [
        pod
        for pod in found
        if _owner(pod) in owners or place.release in (label(pod, INSTANCE), annotation(pod, RELEASE))
    ]
    ours.sort(key=lambda pod: (str(pod["metadata"].get("creationTimestamp", "")), name(pod)))
    return [source for pod in ours for source in _sources(pod)]


def _found(cluster: Cluster, place: Place, tell: Tell) -> list[Source]:
    """Return what there is to follow; nothing new where the API server is away for a while."""
    try:
        return find(cluster, place)
    except ExternalFailure as error:
        tell(f"{error.message}; looking again")
        return []


def _sources(pod: Object) -> Iterator[Source]:
    states: list[Mapping[str, Any]] = list(containers(pod))
    for one in states:
        if one.get("containerID"):
            run = int(one.get("restartCount", 0))
            yield Source(pod, str(one["name"]), run, only=len(states) == 1)


def _begin(streams: _Streams, cluster: Cluster, place: Place, source: Source, tail: int | None) -> None:
    """Follow a run, once; again where the connection was cut while it ran."""
    if source.key in streams.running or (going(source.pod) and source.key in streams.begun):
        return
    again = source.key in streams.begun
    if again and (not _runs(source) or time.monotonic() - streams.ended[source.key] < LAG):
        return
    if again:
        streams.brought.put(f"{source.shown} goes on; lines of the last seconds may be missing")
    streams.begun.add(source.key)
    streams.running.add(source.key)
    # After a cut nobody knows which lines were shown: what comes from now on.
    arguments = (streams, cluster, place.namespace, source, 0 if again else tail)
    threading.Thread(target=_stream, args=arguments, daemon=True, name=f"log of {source.shown}").start()


def _stream(streams: _Streams, cluster: Cluster, namespace: str, source: Source, tail: int | None) -> None:
    try:
        for line in kubernetes.follow_logs(cluster, namespace, name(source.pod), source.container, tail=tail):
            streams.brought.put(Line(source.shown, _safe(line)))
    except (kubernetes.Absent, Stopped):
        pass
    except JenkinsCdError as error:
        streams.brought.put(f"{source.shown}: {error.message}")
    finally:
        streams.ended[source.key] = time.monotonic()
        streams.running.discard(source.key)


def _bring(streams: _Streams, tell: Tell) -> Iterator[Line]:
    """Yield what comes until it is time to look for new pods."""
    deadline = time.monotonic() + AGAIN
    while time.monotonic() < deadline:
        process.pause(0.02)
        while not streams.brought.empty():
            one = streams.brought.get()
            if isinstance(one, Line):
                yield one
            else:
                tell(one)


def _runs(source: Source) -> bool:
    state = next((one for one in containers(source.pod) if one.get("name") == source.container), {})
    return bool((state.get("state") or {}).get("running"))


def _owner(one: Object) -> str:
    owners = one["metadata"].get("ownerReferences") or ()
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "-")


def _safe(line: str) -> str:
    return evidence.hidden(clean(line))


def _none(place: Place) -> BadInput:
    return BadInput(f"there is no pod of {place.release} in the namespace {place.namespace}", _look(place))


def _look(place: Place) -> str:
    return f"kubectl --namespace {place.namespace} get pods --selector {INSTANCE}={place.release} shows what is there"
