"""The logs of an app's pods in an environment, whichever model deploys it there: as an account that only reads."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from jenkins_cd.cluster import access, log_streams, mirror, rights
from jenkins_cd.cluster.log_streams import Line, Source, Streams, Tell
from jenkins_cd.cluster.scene import Object, annotation, label, name, uid
from jenkins_cd.config.types import HelmTarget, PlatformFile, seconds
from jenkins_cd.deploy import known_environment, unknown
from jenkins_cd.errors import BadInput, ExternalFailure, Refused
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.lines import split_lines
from jenkins_cd.tools import kubeconfig, kubernetes
from jenkins_cd.tools.kubernetes import Cluster

RENEWED = 0.7  # of the time that a token is good for, after which there is another
INSTANCE = "app.kubernetes.io/instance"  # the label that charts give the pods of a release
RELEASE = "meta.helm.sh/release-name"  # the annotation that Helm gives its objects
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the pods of an app are."""

    target: HelmTarget
    namespace: str
    release: str


def locate(platform: PlatformFile, app: str, environment: str) -> Place:
    """Return where the pods of an app are in an environment. Raises BadInput with the nearest valid names."""
    target = known_environment(platform, environment).helm
    ledger = Ledger.open(platform)
    project = ledger.project(app)
    if project is None:
        raise unknown(ledger, app, "")
    names = {"app": app.rpartition("/")[2], "project": project, "environment": environment}
    return Place(target=target, namespace=target.namespace.format(**names), release=target.release.format(**names))


def lines(
    platform: PlatformFile, app: str, environment: str, *, tail: int | None, previous: bool, follows: bool, tell: Tell
) -> Iterator[Line]:
    """Yield the lines of an app's logs as `follow` or `show` do, as the account that reads."""
    place = locate(platform, app, environment)
    if follows:
        yield from follow(place, tail=tail, tell=tell)
        return
    with opened(place) as cluster:
        yield from show(cluster, place, tail=tail, previous=previous)


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
        yield from (Line(source.shown, log_streams.safe(line)) for line in split_lines(text or ""))
    if nothing:
        what = "was restarted: there is no run before" if previous else "has started: there is no log yet"
        raise BadInput(f"no container of {place.release} in {place.namespace} {what}", _look(place))


def follow(place: Place, *, tail: int | None, tell: Tell, until: Callable[[], bool] = lambda: False) -> Iterator[Line]:
    """Yield the lines of all containers as they come, also of pods and restarts that come later, until `until` says so.

    `tell` is told what begins, ends and is cut off. Raises as `opened` does, Refused, and Stopped.
    """
    streams = Streams()
    first = True
    while not until():
        with opened(place) as cluster:
            renew = time.monotonic() + RENEWED * max(seconds(place.target.session), access.SHORTEST)
            while time.monotonic() < renew and not until():
                found = _found(cluster, place, tell)
                streams.follow(found, functools.partial(_followed, cluster, place.namespace), tail if first else None)
                if first and not found:
                    tell(f"no pod of {place.release} in {place.namespace} yet; waiting for one")
                first = False
                yield from streams.lines(tell)


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
    return [source for pod in ours for source in log_streams.sources(pod)]


def _found(cluster: Cluster, place: Place, tell: Tell) -> list[Source]:
    """Return what there is to follow; nothing new where the API server is away for a while."""
    try:
        return find(cluster, place)
    except ExternalFailure as error:
        tell(f"{error.message}; looking again")
        return []


def _followed(cluster: Cluster, namespace: str, source: Source, tail: int | None) -> Iterator[str]:
    with contextlib.suppress(kubernetes.Absent):
        yield from kubernetes.follow_logs(cluster, namespace, name(source.pod), source.container, tail=tail)


def _owner(one: Object) -> str:
    owners = one["metadata"].get("ownerReferences") or ()
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "-")


def _none(place: Place) -> BadInput:
    return BadInput(f"there is no pod of {place.release} in the namespace {place.namespace}", _look(place))


def _look(place: Place) -> str:
    return f"kubectl --namespace {place.namespace} get pods --selector {INSTANCE}={place.release} shows what is there"
