"""How far each object of a release has come: whether it is done, and what of it will not heal. States in, words out.

Done means what `kubectl rollout status` means, for the spec that is there now: its controller has seen it, every pod is
of the newest revision, and ready.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jenkins_cd.cluster import pods
from jenkins_cd.cluster.pod_failure import PodFailure
from jenkins_cd.cluster.pods import ROOM
from jenkins_cd.cluster.scene import (
    Object,
    Scene,
    annotation,
    condition,
    event_order,
    going,
    label,
    name,
    observed,
    said,
    spec,
    status,
    true,
)

SETTLED = 5.0  # seconds after which a Deployment that is out of time has noticed its new pods, should it get any
SOON = 10.0  # seconds in which the controller tries several times to create pods
RETRY = 45.0  # seconds until the controller has tried again to create pods, after it failed for a while
REVISION = "deployment.kubernetes.io/revision"
TEMPLATE = "deprecated.daemonset.template.generation"  # and the label of its pods; no rights on revisions are needed
_FOR_GOOD = re.compile(r"violates PodSecurity|is invalid|maximum|minimum|denied the request", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class State:
    """How far an object has come."""

    what: str  # `Deployment storefront`
    done: bool
    text: str
    failures: Mapping[str, PodFailure]  # by what they are of: the object itself, or a pod
    pods: Sequence[Object] = ()  # of the newest revision, those that are going left out


def followed(wanted: Object) -> bool:
    """Tell whether an object comes up by and by; others are what they should be once they were applied."""
    if wanted["kind"] == "Service":
        return spec(wanted).get("type") == "LoadBalancer"
    return wanted["kind"] in _KINDS


def assess(wanted: Object, scene: Scene) -> State:
    """Return how far an object has come, of which `wanted` is what the release says."""
    what = f"{wanted['kind']} {name(wanted)}"
    live = scene.get(wanted["kind"], name(wanted))
    if live is None or going(live):
        return State(what=what, done=False, text="is not there yet", failures={})
    if wanted["kind"] in ("Deployment", "StatefulSet", "DaemonSet") and not observed(live):
        return State(what=what, done=False, text="its controller has not seen it yet", failures={})
    return _KINDS[wanted["kind"]](what, live, scene)


def newest(live: Object, scene: Scene) -> list[Object]:
    """Return the pods of a workload's newest revision, those that are going left out."""
    found = _NEWEST[live["kind"]](live, scene) if live["kind"] in _NEWEST else []
    return [pod for pod in found if not going(pod)]


def newest_replica_set(live: Object, scene: Scene) -> Object | None:
    """Return the ReplicaSet of a Deployment's present template, or None as long as there is none."""
    revision = annotation(live, REVISION)
    found = (one for one in scene.owned(live, "ReplicaSet") if annotation(one, REVISION) == revision)
    return next(found, None) if revision else None


def _deployment(what: str, live: Object, scene: Scene) -> State:
    now, wanted, young = status(live), int(spec(live).get("replicas", 1)), newest(live, scene)
    updated, total = int(now.get("updatedReplicas", 0)), int(now.get("replicas", 0))
    done = updated >= wanted and total <= updated and int(now.get("availableReplicas", 0)) >= updated
    done = done and _ready(young) >= wanted
    return State(
        what=what,
        done=done,
        text=_counted(young, wanted, total - updated) + ("" if done else _steadying(live, young, wanted)),
        failures={} if done else {**_of_deployment(what, live, scene), **_of_pods(young, scene)},
        pods=young,
    )


def _of_deployment(what: str, live: Object, scene: Scene) -> dict[str, PodFailure]:
    if spec(live).get("paused"):
        return {what: PodFailure("Paused", "it is paused: nothing is rolled out until somebody resumes it")}
    replica_set = newest_replica_set(live, scene)
    if replica_set is not None and (failure := condition(replica_set, "ReplicaFailure")).get("status") == "True":
        return _uncreated(what, failure.get("message"), scene)
    progressing = condition(live, "Progressing")
    if progressing.get("status") != "False":
        return {}
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        limit = spec(live).get("progressDeadlineSeconds", 600)
        return {what: PodFailure("ProgressDeadline", f"it made no progress for {limit} s", SETTLED)}
    return {what: PodFailure(str(progressing.get("reason")), said(progressing.get("message")), SOON)}


def _stateful_set(what: str, live: Object, scene: Scene) -> State:
    now, wanted, young = status(live), int(spec(live).get("replicas", 1)), newest(live, scene)
    strategy = spec(live).get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return State(what=what, done=True, text="updates pods when somebody deletes them", failures={}, pods=young)
    kept = int((strategy.get("rollingUpdate") or {}).get("partition", 0))
    ready = int(now.get("availableReplicas", now.get("readyReplicas", 0)))
    done = int(now.get("updatedReplicas", 0)) >= wanted - kept and ready >= wanted == int(now.get("replicas", 0))
    done = done and _ready(young) >= wanted - kept
    failures = _of_events(what, live, scene) | _of_pods(young, scene)
    if not done and not failures:
        failures = _blocked(live, young, scene)
    old = int(now.get("replicas", 0)) - len(young)
    text = _counted(young, wanted - kept, old - kept)
    return State(what=what, done=done, text=text, failures={} if done else failures, pods=young)


def _blocked(live: Object, young: Sequence[Object], scene: Scene) -> dict[str, PodFailure]:
    """Return the old pod that never gets ready, and that the controller waits for before it replaces any.

    https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
    """
    if spec(live).get("podManagementPolicy") == "Parallel":
        return {}
    for pod in scene.owned(live, "Pod"):
        failure = None if pod in young else pods.failure(pod, scene)
        if failure:
            text = f"an older revision's pod holds up the update: {failure.text}; delete the pod {name(pod)}"
            return {f"pod {name(pod)}": PodFailure("Blocked", text, max(ROOM, failure.grace))}
    return {}


def _daemon_set(what: str, live: Object, scene: Scene) -> State:
    now, young = status(live), newest(live, scene)
    wanted = int(now.get("desiredNumberScheduled", 0))
    if (spec(live).get("updateStrategy") or {}).get("type") == "OnDelete":
        return State(what=what, done=True, text="updates pods when somebody deletes them", failures={}, pods=young)
    updated = int(now.get("updatedNumberScheduled", 0))
    done = updated >= wanted and int(now.get("numberAvailable", 0)) >= wanted and _ready(young) >= wanted
    failures = {} if done else _of_events(what, live, scene) | _of_pods(young, scene)
    return State(what=what, done=done, text=_counted(young, wanted, wanted - updated), failures=failures, pods=young)


def _job(what: str, live: Object, scene: Scene) -> State:
    young = newest(live, scene)
    if true(live, "Complete"):
        return State(what=what, done=True, text="completed", failures={}, pods=young)
    failure = next((condition(live, type_) for type_ in ("Failed", "FailureTarget") if true(live, type_)), None)
    if failure:
        ended = next((f"; {pods.ending(pod)}" for pod in young if status(pod).get("phase") == "Failed"), "")
        text = f"it failed: {said(failure.get('message')) or failure.get('reason')}{ended}"
        return State(what=what, done=False, text=text, failures={what: PodFailure("JobFailed", text)}, pods=young)
    failures = _of_events(what, live, scene) | _of_pods(young, scene, crashes=False)
    failed = int(status(live).get("failed", 0))
    text = "is suspended" if spec(live).get("suspend") else "runs"
    if failed:
        text += f", failed attempts: {failed} (of {int(spec(live).get('backoffLimit', 6)) + 1})"
    return State(what=what, done=False, text=text, failures=failures, pods=young)


def _pod(what: str, live: Object, scene: Scene) -> State:
    phase = status(live).get("phase")
    done = phase == "Succeeded" or true(live, "Ready")
    failures = _of_pods([live], scene)
    if phase == "Failed":
        failures = {what: PodFailure("PodFailed", f"it failed: {pods.ending(live)}")}
    return State(what=what, done=done, text=pods.phrase(live, scene), failures={} if done else failures, pods=[live])


def _claim(what: str, live: Object, scene: Scene) -> State:
    phase, told = str(status(live).get("phase", "Pending")), scene.events(live)
    last = told[-1] if told else None
    waits = last is not None and last.get("reason") in ("WaitForFirstConsumer", "WaitForPodScheduled")
    if phase == "Bound" or waits:
        return State(what=what, done=True, text="bound" if phase == "Bound" else "waits for its pod", failures={})
    if phase == "Lost":
        failures = {what: PodFailure("Lost", "its volume is lost")}
    elif last is not None and last.get("reason") in ("FailedBinding", "ProvisioningFailed"):
        failures = {what: PodFailure("Unbound", f"it gets no volume: {said(last.get('message'))}", ROOM)}
    else:
        failures = {}
    text = failures[what].text if failures else "waits for a volume"
    return State(what=what, done=False, text=text, failures=failures)


def _service(what: str, live: Object, scene: Scene) -> State:
    balancer = (status(live).get("loadBalancer") or {}).get("ingress")
    done = bool(balancer) or bool(spec(live).get("externalIPs")) or spec(live).get("type") != "LoadBalancer"
    told = [one for one in scene.events(live) if one.get("type") == "Warning"]
    why = f": {said(told[-1].get('message'))}" if told else ""
    text = "has its address" if done else f"waits for a load balancer{why}"
    return State(what=what, done=done, text=text, failures={})


def _uncreated(what: str, message: Any, scene: Scene) -> dict[str, PodFailure]:
    """Return why no pods are created. Room in a quota may be made by pods that go."""
    text = re.sub(r'"[\w.-]+" is forbidden', "is forbidden", said(message).removeprefix("Error creating: "), count=1)
    grace = SOON
    if "exceeded quota" in text:
        if scene.leaving():
            return {}
        grace = RETRY if scene.made_room else SOON
    elif _FOR_GOOD.search(text):
        grace = 0.0
    return {what: PodFailure("FailedCreate", f"its pods cannot be created: {text}", grace)}


def _of_events(what: str, live: Object, scene: Scene) -> dict[str, PodFailure]:
    """Return why no pods are created where only events tell; one that was created since means that they are."""
    about = [one for one in scene.events(live) if one.get("reason") in ("FailedCreate", "SuccessfulCreate")]
    last = max(about, key=event_order, default=None)
    if last is None or last.get("reason") != "FailedCreate":
        return {}
    return _uncreated(what, last.get("message"), scene)


def _of_pods(young: Sequence[Object], scene: Scene, *, crashes: bool = True) -> dict[str, PodFailure]:
    found = ((f"pod {name(pod)}", pods.failure(pod, scene, crashes=crashes)) for pod in young)
    return {what: failure for what, failure in found if failure}


def _ready(young: Sequence[Object]) -> int:
    """Return how many pods are ready. What counts them may be known before they are."""
    return sum(true(pod, "Ready") for pod in young)


def _counted(young: Sequence[Object], wanted: int, old: int) -> str:
    return f"{_ready(young)} of {wanted} new pods ready" + (f", {old} old still there" if old > 0 else "")


def _steadying(live: Object, young: Sequence[Object], wanted: int) -> str:
    """Return what is waited for where all pods are ready: they must stay so for a while."""
    least = spec(live).get("minReadySeconds")
    return f", for {least} s" if least and _ready(young) >= wanted else ""


def _of_replica_set(live: Object, scene: Scene) -> list[Object]:
    replica_set = newest_replica_set(live, scene)
    return scene.owned(replica_set, "Pod") if replica_set is not None else []


def _of_stateful_set(live: Object, scene: Scene) -> list[Object]:
    revision = status(live).get("updateRevision")
    return [pod for pod in scene.owned(live, "Pod") if label(pod, "controller-revision-hash") == revision]


def _of_daemon_set(live: Object, scene: Scene) -> list[Object]:
    generation = annotation(live, TEMPLATE)
    return [pod for pod in scene.owned(live, "Pod") if label(pod, "pod-template-generation") == generation]


def _of_job(live: Object, scene: Scene) -> list[Object]:
    """Return a Job's pods, newest first."""
    return sorted(scene.owned(live, "Pod"), key=lambda pod: str(pod["metadata"].get("creationTimestamp")), reverse=True)


def _itself(live: Object, _scene: Scene) -> list[Object]:
    return [live]


_KINDS: Mapping[str, Callable[[str, Object, Scene], State]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "Pod": _pod,
    "PersistentVolumeClaim": _claim,
    "Service": _service,
}
_NEWEST: Mapping[str, Callable[[Object, Scene], list[Object]]] = {
    "Deployment": _of_replica_set,
    "StatefulSet": _of_stateful_set,
    "DaemonSet": _of_daemon_set,
    "Job": _of_job,
    "Pod": _itself,
}
