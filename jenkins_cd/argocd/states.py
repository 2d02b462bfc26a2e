"""What an Application of Argo CD says of itself. Nothing is asked here; what the server leaves out is empty.

The fields are those of https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml and of
`ApplicationStatus` in the API's swagger.json. The server's times are of one second's resolution.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jenkins_cd.tools import answers

Object = Mapping[str, Any]
INFO = "jenkins-cd"  # the name of the info that an operation of ours carries
UNREADY = ("ComparisonError", "InvalidSpecError", "UnknownError")  # conditions with which nothing is known
ENDED = ("Succeeded", "Failed", "Error")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A sync: asked for, under way, waiting for its next attempt, or over."""

    phase: str  # "" where nobody has begun with it
    running: bool  # not over yet
    token: str  # what our info says, or "": the commit that is wanted, and which run wants it
    revisions: tuple[str, ...]  # one for each source; empty where it is not known (yet)
    by: str
    message: str
    started: datetime | None
    finished: datetime | None
    attempt: int  # 0: the first
    failures: tuple[str, ...]  # what became of the resources that failed

    @property
    def commit(self) -> str:
        """Return the commit that it was asked for on behalf of, by whichever run of ours, or ""."""
        return self.token.partition(" ")[0]

    @property
    def pending(self) -> bool:
        """Tell whether it was asked for and nobody has begun with it."""
        return self.running and not self.phase

    @property
    def backing_off(self) -> bool:
        """Tell whether it has failed and will be tried again."""
        return self.phase == "Running" and self.finished is not None

    @property
    def failed(self) -> bool:
        """Tell whether it is over, and not well."""
        return not self.running and self.phase in ("Failed", "Error")

    @property
    def succeeded(self) -> bool:
        """Tell whether it is over, and well."""
        return not self.running and self.phase == "Succeeded"


def operation(app: Object) -> Operation | None:
    """Return the sync that is wanted or under way, else the last one, or None.

    It is over when `operation` is gone and the phase is a last one: a retry's pause has a `finishedAt` too.
    """
    wanted, state = app.get("operation"), status(app).get("operationState") or {}
    if not wanted and not state:
        return None
    asked: Object = wanted or state.get("operation") or {}
    if wanted and state and not _same(wanted, state.get("operation") or {}):
        state = {}  # it is what was left of the one before
    phase = str(state.get("phase") or "")
    sync, result = asked.get("sync") or {}, state.get("syncResult") or {}
    by = asked.get("initiatedBy") or {}
    return Operation(
        phase=phase,
        running=bool(wanted) or phase not in ENDED,
        token=next((str(one.get("value", "")) for one in asked.get("info") or () if one.get("name") == INFO), ""),
        revisions=_revisions(sync) or _revisions(result),
        by=str(by.get("username") or "") or ("Argo CD itself" if by.get("automated") else "somebody"),
        message=str(state.get("message") or ""),
        started=moment(state.get("startedAt")),
        finished=moment(state.get("finishedAt")),
        attempt=int(state.get("retryCount") or 0),
        failures=tuple(_failures(result)),
    )


def status(app: Object) -> Object:
    """Return what the controller has found out."""
    return app.get("status") or {}


def sources(app: Object) -> list[Object]:
    """Return what the application is made from, in its order."""
    spec = app.get("spec") or {}
    several = spec.get("sources")
    return list(several) if several else [spec.get("source") or {}]


def several_sources(app: Object) -> bool:
    """Tell whether the application is of the kind with a list of sources, be it of one."""
    return bool((app.get("spec") or {}).get("sources"))


def compared_revisions(app: Object) -> tuple[str, ...]:
    """Return the revisions that the cluster was last compared to, one for each source."""
    return _revisions(status(app).get("sync") or {})


def sync_status(app: Object) -> str:
    """Return Synced, OutOfSync or Unknown."""
    return str((status(app).get("sync") or {}).get("status") or "Unknown")


def health(app: Object) -> str:
    """Return Healthy, Progressing, Degraded, Suspended, Missing or Unknown."""
    return str((status(app).get("health") or {}).get("status") or "Unknown")


def reconciled(app: Object) -> datetime | None:
    """Return when the controller last compared it."""
    return moment(status(app).get("reconciledAt"))


def compared_to_spec(app: Object) -> bool:
    """Tell whether the comparison was with what the application says now, and not with an earlier spec."""
    compared = (status(app).get("sync") or {}).get("comparedTo") or {}
    spec = app.get("spec") or {}
    if spec.get("sources"):
        return bool(compared.get("sources") == spec["sources"])
    return bool(compared.get("source") == spec.get("source"))


def automated(app: Object) -> bool:
    """Tell whether Argo CD syncs it by itself."""
    policy = ((app.get("spec") or {}).get("syncPolicy") or {}).get("automated")
    return policy is not None and policy.get("enabled") is not False


def deleting(app: Object) -> bool:
    """Tell whether it is on its way out."""
    return bool((app.get("metadata") or {}).get("deletionTimestamp"))


def conditions(app: Object, *types: str) -> list[str]:
    """Return the messages of the conditions of these types."""
    found = status(app).get("conditions") or ()
    return [str(one.get("message") or one.get("type")) for one in found if one.get("type") in types]


def resources(app: Object) -> list[Object]:
    """Return its resources, as `status.resources` has them."""
    return list(status(app).get("resources") or ())


def out_of_sync(app: Object, *, prune: bool, only: Iterable[str] = ()) -> list[str]:
    """Return the resources that are not as declared, as Kind/name.

    Without `prune` those that are only in the way do not count; where `only` (group:Kind:name, or
    group:Kind:namespace/name) says anything, nothing else counts. Hooks never do.
    """
    wanted = tuple(only)
    return [
        called(one)
        for one in resources(app)
        if one.get("status") == "OutOfSync"
        and not one.get("hook")
        and (prune or not one.get("requiresPruning"))
        and (not wanted or chosen(one, wanted))
    ]


def chosen(resource: Object, only: Iterable[str]) -> bool:
    """Tell whether a resource is one of `only`: group:Kind:name, or group:Kind:namespace/name."""
    kind, name = f"{resource.get('group', '')}:{resource.get('kind', '')}", resource.get("name", "")
    return not {f"{kind}:{name}", f"{kind}:{resource.get('namespace', '')}/{name}"}.isdisjoint(only)


def unhealthy(app: Object) -> list[str]:
    """Return the resources that are not well, as `Kind/name Health: message`, the worst first."""
    order = ("Degraded", "Missing", "Unknown", "Progressing", "Suspended")
    found = [(str((one.get("health") or {}).get("status") or ""), one) for one in resources(app)]
    sick = [(order.index(state), state, one) for state, one in found if state in order]
    return [_ill(state, one) for _, state, one in sorted(sick, key=lambda each: each[0])]


def called(resource: Object) -> str:
    """Return what people call a resource."""
    return f"{resource.get('kind', '?')}/{resource.get('name', '?')}"


def moment(text: object) -> datetime | None:
    """Return a time as the server writes it (RFC 3339, UTC), or None."""
    return answers.moment(text)


def _same(wanted: Object, begun: Object) -> bool:
    """Tell whether a state belongs to the operation that is wanted. The controller drops the revision for a retry."""
    keys = ("info", "initiatedBy")
    return all((wanted.get(key) or None) == (begun.get(key) or None) for key in keys)


def _revisions(part: Object) -> tuple[str, ...]:
    several = part.get("revisions")
    if several:
        return tuple(str(one) for one in several)
    return (str(part["revision"]),) if part.get("revision") else ()


def _failures(result: Object) -> Iterator[str]:
    for one in result.get("resources") or ():
        if one.get("status") == "SyncFailed" or one.get("hookPhase") in ("Failed", "Error"):
            hook = f"{one['hookType']} hook " if one.get("hookType") else ""
            yield f"{hook}{called(one)}: {one.get('message') or one.get('hookPhase') or 'failed'}"


def _ill(state: str, one: Object) -> str:
    message = str((one.get("health") or {}).get("message") or "")
    return f"{called(one)} is {state}" + (f": {message}" if message else "")
