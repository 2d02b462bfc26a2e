"""What a Kubernetes API server promises of the objects that are read here; by their paths: kubernetes_shapes.py.

https://kubernetes.io/docs/reference/kubernetes-api/. The server leaves out what is empty, and writes null for some of
it: what may be missing may be null, but for numbers, which never are.
"""

from __future__ import annotations

from typing import Any, TypedDict


class _Owner(TypedDict):
    uid: str


class Owner(_Owner, total=False):
    """What an object belongs to."""

    controller: bool | None


class _Manager(TypedDict, total=False):
    manager: str | None
    operation: str | None
    time: str | None
    fieldsV1: dict[str, dict[str, Any]] | None
    subresource: str | None


class _Name(TypedDict):
    name: str


class Metadata(_Name, total=False):
    """What every object says of itself."""

    namespace: str | None
    uid: str
    resourceVersion: str
    generation: int
    creationTimestamp: str | None
    deletionTimestamp: str | None
    labels: dict[str, str] | None
    annotations: dict[str, str] | None
    ownerReferences: list[Owner] | None
    managedFields: list[_Manager] | None


class Object(TypedDict):
    """An object of any kind."""

    metadata: Metadata


class Kinded(Object, total=False):
    """An object of any kind that says of which."""

    apiVersion: str
    kind: str


class _Condition(TypedDict):
    type: str


class Condition(_Condition, total=False):
    """Something that holds of an object, or not."""

    status: str | None
    reason: str | None
    message: str | None


class _Conditioned(TypedDict, total=False):
    conditions: list[Condition] | None


class _Waiting(TypedDict, total=False):
    reason: str | None
    message: str | None


class _Running(TypedDict, total=False):
    startedAt: str | None


class _Terminated(_Waiting, total=False):
    exitCode: int
    finishedAt: str | None
    containerID: str | None


class _State(TypedDict, total=False):
    waiting: _Waiting | None
    running: _Running | None
    terminated: _Terminated | None


class Container(_Name, total=False):
    """The state of a container."""

    ready: bool | None
    restartCount: int
    image: str | None
    imageID: str | None
    containerID: str | None
    state: _State | None
    lastState: _State | None


class _Resources(TypedDict, total=False):
    limits: dict[str, str | int | float] | None


class _Declared(_Name, total=False):
    image: str | None
    resources: _Resources | None


class _PodSpec(TypedDict, total=False):
    nodeName: str | None
    initContainers: list[_Declared] | None
    containers: list[_Declared] | None


class _PodStatus(_Conditioned, total=False):
    phase: str | None
    reason: str | None
    message: str | None
    initContainerStatuses: list[Container] | None
    containerStatuses: list[Container] | None


class Pod(Kinded, total=False):
    """A pod."""

    spec: _PodSpec | None
    status: _PodStatus | None


class _Rolling(TypedDict, total=False):
    partition: int


class _Strategy(TypedDict, total=False):
    type: str | None
    rollingUpdate: _Rolling | None


class _WorkloadSpec(TypedDict, total=False):
    replicas: int
    paused: bool | None
    minReadySeconds: int
    progressDeadlineSeconds: int
    podManagementPolicy: str | None
    updateStrategy: _Strategy | None
    suspend: bool | None
    backoffLimit: int


class _WorkloadStatus(_Conditioned, total=False):
    observedGeneration: int
    replicas: int
    readyReplicas: int
    updatedReplicas: int
    availableReplicas: int
    updateRevision: str | None
    desiredNumberScheduled: int
    updatedNumberScheduled: int
    numberAvailable: int
    failed: int


class Workload(Kinded, total=False):
    """A Deployment, ReplicaSet, StatefulSet, DaemonSet or Job."""

    spec: _WorkloadSpec | None
    status: _WorkloadStatus | None


class _ClaimStatus(TypedDict, total=False):
    phase: str | None


class Claim(Kinded, total=False):
    """A PersistentVolumeClaim."""

    status: _ClaimStatus | None


class _Balancer(TypedDict, total=False):
    ingress: list[Any] | None


class _ServiceSpec(TypedDict, total=False):
    type: str | None
    externalIPs: list[Any] | None


class _ServiceStatus(_Conditioned, total=False):
    loadBalancer: _Balancer | None


class Service(Kinded, total=False):
    """A Service."""

    spec: _ServiceSpec | None
    status: _ServiceStatus | None


class Secret(Kinded, total=False):
    """A Secret."""

    data: dict[str, str] | None


class _Series(TypedDict, total=False):
    count: int | None
    lastObservedTime: str | None


class _About(TypedDict):
    kind: str
    name: str


class About(_About, total=False):
    """What an event is about."""

    uid: str | None


class _Event(Object):
    involvedObject: About


class Event(_Event, total=False):
    """Something that happened to an object."""

    type: str | None
    reason: str | None
    message: str | None
    count: int | None
    series: _Series | None
    lastTimestamp: str | None
    eventTime: str | None
