"""The logs of an app's pods, read through Argo CD: no account in the cluster, but the right `logs, get`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from jenkins_cd.argocd import managed, site
from jenkins_cd.argocd.states import Object
from jenkins_cd.cluster import log_streams
from jenkins_cd.cluster.log_streams import Line, Source, Streams, Tell
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.deploy import known_environment, unknown
from jenkins_cd.errors import BadInput, ExternalFailure
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.tools import argocd, argocd_applications, argocd_failures
from jenkins_cd.tools.argocd import Ref, Server
from jenkins_cd.tools.argocd_failures import Expired, Need
from jenkins_cd.tools.argocd_streams import never


@dataclass
class Pods:
    """The pods of an Application; each is asked for again only when it has changed."""

    server: Server
    ref: Ref
    _known: dict[str, tuple[str, Object]] = field(default_factory=dict)  # by uid: its version, and the pod

    def find(self) -> list[Source]:
        """Return the containers that have run, those of the newest pod last. Raises Absent, Denied, Away."""
        nodes = argocd_applications.tree(self.server, self.ref).get("nodes") or ()
        pods = [one for one in nodes if one.get("kind") == "Pod" and not one.get("group") and one.get("uid")]
        pods.sort(key=lambda one: (str(one.get("createdAt", "")), str(one.get("name", ""))))
        found = [(str(one["uid"]), str(one.get("resourceVersion", "")), one) for one in pods]
        self._known = {uid: (version, pod) for uid, version, one in found if (pod := self._read(uid, version, one))}
        return [source for _, pod in self._known.values() for source in log_streams.sources(pod)]

    def _read(self, uid: str, version: str, node: Object) -> Object | None:
        known = self._known.get(uid)
        return known[1] if known and known[0] == version else managed.live_object(self.server, self.ref, node)


def lines(
    platform: PlatformFile, app: str, environment: str, *, tail: int | None, previous: bool, follows: bool, tell: Tell
) -> Iterator[Line]:
    """Yield the lines of an app's logs, as cluster/pod_logs.py does.

    Raises BadInput for names that are not known and where there is no log, Denied, Expired and Away as the server says.
    """
    pods = locate(platform, app, environment)
    return follow(pods, tail=tail, tell=tell) if follows else show(pods, tail=tail, previous=previous)


def locate(platform: PlatformFile, app: str, environment: str) -> Pods:
    """Return where to look for the pods of an app. Raises BadInput with the nearest valid names."""
    rules, ledger = known_environment(platform, environment), Ledger.open(platform)
    project = ledger.project(app)
    if project is None:
        raise unknown(ledger, app, "")
    ref = site.ref_of(environment, rules, project, app.rpartition("/")[2])
    return Pods(site.server_of(platform), ref)


def show(pods: Pods, *, tail: int | None, previous: bool) -> Iterator[Line]:
    """Yield the last `tail` lines (None: all) of each container, pod by pod, the newest last.

    With `previous` they are those of the run before a container was restarted. Raises BadInput where there are none.
    """
    found = pods.find()
    if not found:
        raise BadInput(f"Argo CD knows no pod of {pods.ref.name} that has run", _look(pods))
    found = [one for one in found if not previous or one.run]
    if not found:
        raise BadInput(f"no container of {pods.ref.name} was restarted: there is no run before", _look(pods))
    for source in found:
        for line in read(pods, source, tail, previous=previous):
            yield Line(source.shown, log_streams.safe(line))


def follow(pods: Pods, *, tail: int | None, tell: Tell, until: Callable[[], bool] = lambda: False) -> Iterator[Line]:
    """Yield the lines of all containers as they come, also of pods and restarts that come later, until `until` says so.

    `tell` is told what begins and is cut off. Raises Absent, Denied, Expired, and Stopped.
    """
    if not argocd.may(pods.server, "logs", "get", pods.ref.rbac):
        raise argocd_failures.told(403, "no right", argocd.asked(pods.server, _need(pods, "read the logs of")))
    streams, first = Streams(), True
    while not until():
        found = _found(pods, tell, first)
        streams.follow(found, lambda source, last: read(pods, source, last, follows=until), tail if first else None)
        if first and not found:
            tell(f"no pod of {pods.ref.name} yet; waiting for one")
        first = False
        yield from streams.lines(tell)


def read(
    pods: Pods, source: Source, tail: int | None, *, previous: bool = False, follows: Callable[[], bool] | None = None
) -> Iterator[str]:
    """Yield the last lines of a container's log, and with `follows` those that come until it says so.

    Raises Denied, Expired, and Away where it is cut.
    """
    metadata = source.pod["metadata"]
    return argocd_applications.logs(
        pods.server,
        pods.ref,
        pod=str(metadata["name"]),
        namespace=str(metadata.get("namespace") or ""),
        container=source.container,
        tail=tail,
        previous=previous,
        follow=follows is not None,
        stop=follows or never,
    )


def _found(pods: Pods, tell: Tell, first: bool) -> list[Source]:
    """Return what there is to follow; nothing new where the server is away for a while."""
    try:
        return pods.find()
    except Expired:
        raise
    except ExternalFailure as error:
        if first:
            raise
        tell(f"{error.message}; looking again")
        return []


def _need(pods: Pods, doing: str) -> Need:
    return Need(doing=f"{doing} {pods.ref.rbac}", permission="logs, get", what=pods.ref.rbac)


def _look(pods: Pods) -> str:
    return f"look at {argocd_applications.page(pods.server.url, pods.ref)}"
