"""What an Argo CD server promises of the answers that are read here.

They are those of the API's swagger.json, and of the kinds in
https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/. The server leaves out what is empty, and
writes null for some of it: what may be missing may be null.
"""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from msgspec import Meta

from jenkins_cd.tools.kubernetes_objects import Event, Metadata

Number = int | Annotated[str, Meta(pattern=r"^[0-9]{1,18}$")]  # gateways write large ones as text


class Version(TypedDict, total=False):
    """What stands there; anybody may ask."""

    Version: str | None


class User(TypedDict, total=False):
    """Whom the server takes us for."""

    loggedIn: bool | None
    username: str | None


class Answer(TypedDict):
    """Whether we may do something."""

    value: str


class Session(TypedDict):
    """A token, of a login or of a role."""

    token: str


class _Source(TypedDict, total=False):
    repoURL: str | None
    path: str | None
    chart: str | None
    ref: str | None


class _Automated(TypedDict, total=False):
    enabled: bool | None


class _Policy(TypedDict, total=False):
    automated: _Automated | None


class _Destination(TypedDict, total=False):
    namespace: str | None


class _Spec(TypedDict, total=False):
    project: str | None
    source: _Source | None
    sources: list[_Source] | None
    destination: _Destination | None
    syncPolicy: _Policy | None


class _Revisions(TypedDict, total=False):
    revision: str | None
    revisions: list[str] | None


class _Pair(TypedDict, total=False):
    name: str | None
    value: str | None


class _By(TypedDict, total=False):
    username: str | None
    automated: bool | None


class _Backoff(TypedDict, total=False):
    duration: str | None
    maxDuration: str | None
    factor: Number | None


class _Retry(TypedDict, total=False):
    limit: int | None
    backoff: _Backoff | None


class _Operation(TypedDict, total=False):
    sync: _Revisions | None
    info: list[_Pair] | None
    initiatedBy: _By | None
    retry: _Retry | None


class _Health(TypedDict, total=False):
    status: str | None
    message: str | None


class Named(TypedDict, total=False):
    """What tells an object from all others of a cluster."""

    group: str | None
    version: str | None
    kind: str | None
    namespace: str | None
    name: str | None


class _Resource(Named, total=False):
    status: str | None
    health: _Health | None
    hook: bool | None
    requiresPruning: bool | None
    syncWave: int | None


class _Result(Named, total=False):
    status: str | None
    message: str | None
    hookType: str | None
    hookPhase: str | None
    syncPhase: str | None


class _SyncResult(_Revisions, total=False):
    resources: list[_Result] | None


class _OperationState(TypedDict, total=False):
    operation: _Operation | None
    phase: str | None
    message: str | None
    startedAt: str | None
    finishedAt: str | None
    retryCount: int | None
    syncResult: _SyncResult | None


class _Compared(TypedDict, total=False):
    source: dict[str, Any] | None
    sources: list[dict[str, Any]] | None


class _Sync(_Revisions, total=False):
    status: str | None
    comparedTo: _Compared | None


class _Condition(TypedDict, total=False):
    type: str | None
    message: str | None


class _Deployed(_Revisions, total=False):
    id: Number
    deployedAt: str | None


class _Summary(TypedDict, total=False):
    images: list[str] | None


class _Status(TypedDict, total=False):
    sync: _Sync | None
    health: _Health | None
    reconciledAt: str | None
    conditions: list[_Condition] | None
    resources: list[_Resource] | None
    history: list[_Deployed] | None
    operationState: _OperationState | None
    summary: _Summary | None


class _Application(TypedDict):
    metadata: Metadata
    spec: _Spec


class Application(_Application, total=False):
    """An Application."""

    status: _Status | None
    operation: _Operation | None


class Applications(TypedDict):
    """A list of Applications."""

    items: list[Application] | None


class _Change(TypedDict):
    type: str
    application: Application


class Change(TypedDict):
    """A frame of a stream of Applications."""

    result: _Change


class _Line(TypedDict, total=False):
    content: str | None
    last: bool | None


class Line(TypedDict):
    """A frame of a stream of a log."""

    result: _Line


class _Window(TypedDict, total=False):
    kind: str | None
    schedule: str | None
    duration: str | None
    manualSync: bool | None
    timeZone: str | None


class Windows(TypedDict, total=False):
    """The sync windows of an Application, or of a project."""

    canSync: bool | None
    activeWindows: list[_Window] | None
    assignedWindows: list[_Window] | None
    windows: list[_Window] | None


class _Parent(Named, total=False):
    uid: str | None


class _Networking(TypedDict, total=False):
    labels: dict[str, str] | None


class _Node(_Parent, total=False):
    parentRefs: list[_Parent] | None
    info: list[_Pair] | None
    networkingInfo: _Networking | None
    health: _Health | None
    images: list[str] | None
    createdAt: str | None


class Tree(TypedDict, total=False):
    """All that belongs to an Application."""

    nodes: list[_Node] | None
    orphanedNodes: list[_Node] | None


class _Managed(Named, total=False):
    hook: bool | None
    liveState: str | None
    targetState: str | None
    normalizedLiveState: str | None
    predictedLiveState: str | None


class ManagedResources(TypedDict, total=False):
    """What is declared of an Application, and what lives; the states are objects as JSON text."""

    items: list[_Managed] | None


class Events(TypedDict):
    """The events of an object."""

    items: list[Event] | None


class Manifest(TypedDict, total=False):
    """A live object as JSON text."""

    manifest: str | None


class Manifests(TypedDict, total=False):
    """What is rendered, objects as JSON text."""

    manifests: list[str] | None


class Commit(TypedDict, total=False):
    """What is known of a commit."""

    author: str | None
    date: str | None
    message: str | None


class Failure(TypedDict, total=False):
    """What a stream tells where it fails, and what stands in a refusal."""

    error: str | None
    message: str | None
    code: int | None
    grpc_code: int | None
    http_code: int | None
