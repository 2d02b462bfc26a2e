"""The Applications of an Argo CD server: read, refresh, sync, follow, and what one looks at when it goes wrong.

Each call names the AppProject: without it a missing Application is told as a missing right. Objects are as the server
has them: https://argo-cd.readthedocs.io/en/stable/user-guide/application-specification/; it leaves out what is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from jenkins_cd.errors import JenkinsCdError
from jenkins_cd.tools import answers
from jenkins_cd.tools import argocd_failures as failures
from jenkins_cd.tools import argocd_shapes as shapes
from jenkins_cd.tools.answers import Malformed
from jenkins_cd.tools.argocd import ATTEMPTS, TIMEOUT, Ref, Server, asked, call, segment
from jenkins_cd.tools.argocd_failures import Need
from jenkins_cd.tools.argocd_streams import SILENCE, frames, never
from jenkins_cd.tools.kubernetes_objects import Kinded, Pod

Object = Mapping[str, Any]
QUIET = 3600.0  # seconds that a container whose log is followed may say nothing
_IDLE = "No operation is in progress"


@dataclass(frozen=True, kw_only=True)
class SyncOrder:
    """What to sync and how. Without a revision: what the Application follows, as it must be with automated sync."""

    revision: str = ""  # of the only source
    revisions: tuple[str, ...] = ()  # of several sources, those at `positions`, counted from 1
    positions: tuple[int, ...] = ()
    prune: bool = False
    dry_run: bool = False
    options: tuple[str, ...] = ()  # `Name=value`, in place of the Application's own; none: those
    resources: tuple[str, ...] = ()  # `group:Kind:name` or `group:Kind:namespace/name`; none: all
    retries: int = 0
    infos: Mapping[str, str] = field(default_factory=dict)  # what the operation carries, to be known again


@dataclass(frozen=True, kw_only=True)
class Window:
    """A sync window of the project that is about the Application."""

    kind: str  # allow or deny
    schedule: str  # cron
    duration: str  # as `1h30m`
    manual_sync: bool = False  # it is no obstacle for who asks for a sync
    time_zone: str = ""  # where the server tells it; UTC is the default


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Whether we could sync right now, the windows that are active, and all there are."""

    can_sync: bool
    active: tuple[Window, ...] = ()
    assigned: tuple[Window, ...] = ()


def read(
    server: Server,
    ref: Ref,
    refresh: Literal["", "normal", "hard"] = "",
    timeout: float = TIMEOUT,
    attempts: int = ATTEMPTS,
) -> dict[str, Any]:
    """Return an Application; with `refresh` once Argo CD has compared it with what Git has now (hard: past all caches).

    Raises Absent, and Away where the refresh takes longer than `timeout` seconds.
    """
    query = {"refresh": refresh or None}
    found: dict[str, Any] = _get(server, ref, "", shapes.Application, query, timeout, attempts)
    return found


def sync(server: Server, ref: Ref, order: SyncOrder) -> dict[str, Any]:
    """Ask for a sync and return the Application, whose `operation` it now is. It is not asked twice.

    Raises Blocked where a window is closed, Busy where an operation is under way, Denied, Rejected, or Away: nobody
    knows then whether it was begun, but its `infos` tell.
    """
    path = f"{_path(ref)}/sync"
    body = {**_order(order), **_named(ref), "name": ref.name}
    return dict(call(server, "POST", path, body=body, need=_need("sync", ref), shape=shapes.Application))


def terminate(server: Server, ref: Ref) -> None:
    """End the operation that is under way; nothing happens where there is none."""
    try:
        path = f"{_path(ref)}/operation"
        call(server, "DELETE", path, query=_named(ref), need=_need("sync", ref, doing="end the operation of"))
    except failures.Rejected as error:
        if _IDLE not in error.message:
            raise


def watch(
    server: Server, ref: Ref, resource_version: str, stop: Callable[[], bool]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (ADDED, MODIFIED or DELETED, the Application) from a version on; the first comes at once.

    It ends when the connection is cut, nothing has come for half a minute, or `stop` says so, which is asked several
    times a second. What happens between two streams, or while one begins, can be missed: read the Application then.
    Raises Expired where the token is not accepted any more and cannot be renewed.
    """
    query = {"name": ref.name, "projects": ref.project, "resourceVersion": resource_version or None}
    path = "/api/v1/stream/applications"
    need = _need("get", ref, doing="follow")
    for frame in frames(server, path, query=query | _named(ref), stop=stop, need=need, shape=shapes.Change):
        yield frame["type"], frame["application"]


def windows(server: Server, ref: Ref) -> Windows:
    """Return the sync windows. Their time zones are known where we may read the project."""
    found = _get(server, ref, "syncwindows", shapes.Windows)
    assigned = tuple(_window(one) for one in found.get("assignedWindows") or ())
    active = tuple(_window(one) for one in found.get("activeWindows") or ())
    can_sync = bool(found.get("canSync"))
    zones = {} if can_sync or not assigned else _zones(server, ref)
    return Windows(
        can_sync=can_sync,
        active=tuple(_zoned(one, zones) for one in active),
        assigned=tuple(_zoned(one, zones) for one in assigned),
    )


def tree(server: Server, ref: Ref) -> dict[str, Any]:
    """Return all that belongs to an Application, pods too: `nodes`, `orphanedNodes` and `hosts`."""
    return dict(_get(server, ref, "resource-tree", shapes.Tree))


def managed(server: Server, ref: Ref) -> list[dict[str, Any]]:
    """Return what Git declares: `liveState`, `targetState` and others are objects as JSON text, Secrets masked."""
    found = _get(server, ref, "managed-resources", shapes.ManagedResources).get("items") or ()
    for one in found:
        for state in ("liveState", "targetState", "normalizedLiveState", "predictedLiveState"):
            _manifest(server, _need("get", ref), one.get(state))
    return list(found)


def events(server: Server, ref: Ref, uid: str = "", name: str = "", namespace: str = "") -> list[dict[str, Any]]:
    """Return the events of an Application, or of one object that belongs to it (all three are needed then)."""
    query = {"resourceUID": uid or None, "resourceName": name or None, "resourceNamespace": namespace or None}
    return list(_get(server, ref, "events", shapes.Events, query).get("items") or ())


def logs(
    server: Server,
    ref: Ref,
    *,
    pod: str,
    namespace: str,
    container: str,
    tail: int | None,
    previous: bool = False,
    follow: bool = False,
    stop: Callable[[], bool] = never,
) -> Iterator[str]:
    """Yield the lines of a container's log: the last `tail` (None: all), those of the run before with `previous`.

    With `follow` also those that come, until `stop` says so. Nothing comes where the pod does not belong to the
    Application; where the log cannot be read, a line says so. Raises Denied without the right `logs, get`, and Away
    where it is cut: then nobody knows which lines are missing.
    """
    if tail == 0 and not follow:
        return
    query = {
        "podName": pod,
        "namespace": namespace,
        "container": container,
        "tailLines": max(tail, 1) if tail is not None else None,  # 0 means all to the server
        "previous": "true" if previous else None,
        "follow": "true" if follow else None,
    }
    need = _need("get", ref, resource="logs", doing=f"read the logs of {pod} of")
    query |= _named(ref)
    begun, silence = 0, QUIET if follow else SILENCE
    path = f"{_path(ref)}/logs"
    how: dict[str, Any] = {"stop": stop, "cut_is_end": False, "silence": silence, "need": need}
    for begun, frame in enumerate(frames(server, path, query=query, shape=shapes.Line, **how), 1):
        if frame.get("last"):
            return
        if begun > 1 or tail != 0:
            yield (frame.get("content") or "").rstrip("\n")
    if begun and not stop():
        raise failures.Away(f"cannot {need.doing}: the stream has ended before the log", "try again")


def live(server: Server, ref: Ref, about: Mapping[str, Any]) -> Object | None:
    """Return a live object that belongs to an Application, None where the server has nothing of it.

    `about` says group, version, kind, namespace and name, as a node of the tree does.
    Raises Rejected where it does not belong to the Application (any more).
    """
    query = {
        "namespace": about.get("namespace"),
        "resourceName": about.get("name"),
        "group": about.get("group") or "",
        "version": about.get("version"),
        "kind": about.get("kind"),
        **_named(ref),
    }
    need = _need("get", ref, doing=f"read {about.get('kind')}/{about.get('name')} of")
    told = call(server, "GET", f"{_path(ref)}/resource", query=query, need=need, shape=shapes.Manifest)
    return _manifest(server, need, told.get("manifest"), str(about.get("kind")))


def metadata(server: Server, ref: Ref, revision: str, source: int = 0) -> dict[str, Any]:
    """Return `author`, `date` and `message` of a commit in the source of that index, counted from 0."""
    return dict(_get(server, ref, f"revisions/{segment(revision)}/metadata", shapes.Commit, {"sourceIndex": source}))


def manifests(server: Server, ref: Ref, revision: str = "") -> list[str]:
    """Return what Argo CD renders, objects as JSON text, of a revision or of what the Application follows."""
    found = _get(server, ref, "manifests", shapes.Manifests, {"revision": revision or None}).get("manifests") or ()
    for one in found:
        _manifest(server, _need("get", ref), one)
    return list(found)


def page(server_url: str, ref: Ref) -> str:
    """Return the address of an Application's page."""
    place = f"{segment(ref.namespace)}/{segment(ref.name)}" if ref.namespace else segment(ref.name)
    return f"{server_url.rstrip('/')}/applications/{place}"


def _get(
    server: Server,
    ref: Ref,
    below: str,
    shape: Any,
    query: Object | None = None,
    timeout: float = TIMEOUT,
    attempts: int = ATTEMPTS,
) -> Any:
    path, query = f"{_path(ref)}/{below}" if below else _path(ref), {**(query or {}), **_named(ref)}
    how: dict[str, Any] = {"timeout": timeout, "attempts": attempts, "need": _need("get", ref), "shape": shape}
    return call(server, "GET", path, query=query, **how)


def _manifest(server: Server, need: Need, text: str | None, kind: str = "") -> Object | None:
    """Return the object that a text holds, None where there is none. Raises Away where it holds something else."""
    try:
        found: Object | None = answers.document(text or "null", (Pod if kind == "Pod" else Kinded) | None)
    except Malformed as error:
        raise failures.no_argocd(asked(server, need), str(error)) from error
    return found


def _path(ref: Ref) -> str:
    return f"/api/v1/applications/{segment(ref.name)}"


def _named(ref: Ref) -> dict[str, str]:
    return {"project": ref.project, **({"appNamespace": ref.namespace} if ref.namespace else {})}


def _need(action: str, ref: Ref, *, resource: str = "applications", doing: str = "") -> Need:
    verb = doing or {"get": "read"}.get(action, action)
    return Need(doing=f"{verb} {ref.rbac}", permission=f"{resource}, {action}", what=ref.rbac)


def _order(order: SyncOrder) -> dict[str, Any]:
    body: dict[str, Any] = {
        "prune": order.prune,
        "dryRun": order.dry_run,
        "strategy": {"hook": {}},
        "retryStrategy": {"limit": order.retries},
        "infos": [{"name": name, "value": value} for name, value in order.infos.items()],
    }
    if order.revision:
        body["revision"] = order.revision
    if order.revisions:
        body |= {"revisions": list(order.revisions), "sourcePositions": list(order.positions)}
    if order.options:
        body["syncOptions"] = {"items": list(order.options)}
    if order.resources:
        body["resources"] = [_resource(one) for one in order.resources]
    return body


def _resource(text: str) -> dict[str, str]:
    group, kind, name = text.split(":", 2)
    namespace, _, short = name.rpartition("/")
    return {"group": group, "kind": kind, "name": short, **({"namespace": namespace} if namespace else {})}


def _window(found: Object) -> Window:
    return Window(
        kind=found.get("kind") or "",
        schedule=found.get("schedule") or "",
        duration=found.get("duration") or "",
        manual_sync=bool(found.get("manualSync")),
        time_zone=found.get("timeZone") or "",
    )


def _zones(server: Server, ref: Ref) -> dict[tuple[str, str, str], str]:
    """Return the time zones of the project's windows: those of an Application come without."""
    try:
        path = f"/api/v1/projects/{segment(ref.project)}/syncwindows"
        found = call(
            server, "GET", path, need=Need(doing=f"read the sync windows of {ref.project}"), shape=shapes.Windows
        )
    except JenkinsCdError:  # we may not, or it has gone: then the zones are not known
        return {}
    listed = [_window(one) for one in found.get("windows") or ()]
    return {(one.kind, one.schedule, one.duration): one.time_zone for one in listed}


def _zoned(window: Window, zones: Mapping[tuple[str, str, str], str]) -> Window:
    import dataclasses

    zone = window.time_zone or zones.get((window.kind, window.schedule, window.duration), "")
    return dataclasses.replace(window, time_zone=zone)
