"""What a pod says of itself: how it gets on, and what of it will not heal. States in, words out.

What the reasons of waiting containers mean is said in `pod_failure`; those of pods that no node takes are the
scheduler's: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from jenkins_cd.cluster import pod_failure
from jenkins_cd.cluster.pod_failure import CRASH_LOOP, IMAGE_PULL, NEVER, PULL, PodFailure
from jenkins_cd.cluster.scene import (
    Object,
    Scene,
    condition,
    container,
    containers,
    declarations,
    going,
    name,
    said,
    spec,
    status,
    times,
    true,
)

ROOM = 20.0  # seconds for a node to be found, or to be promised by an autoscaler (which looks every 10 s)
SCALED = 5.0  # seconds in which an autoscaler that does not help may yet think otherwise
MOUNT = 30.0  # seconds for a volume, which the kubelet tries again at growing distances

_FAILED_PULL = "Failed to pull image"
_RUNTIME = re.compile(r"failed to create (containerd|shim) task: |OCI runtime create failed: |runc create failed: ")
_SCALING = frozenset({"TriggeredScaleUp", "Nominated", "WaitForPodScheduled"})  # a node is on its way


class LoggedRun(NamedTuple):
    """A run of a container whose log is of interest."""

    container: str
    previous: bool  # not the present or last one: the one before


def phrase(pod: Object, scene: Scene) -> str:
    """Return how a pod gets on, in a few words."""
    phase = status(pod).get("phase")
    if going(pod):
        return "ending"
    if phase == "Succeeded":
        return "completed"
    if phase == "Failed":
        return f"failed: {ending(pod)}"
    if true(pod, "Ready"):
        return "ready"
    if unplaced := _unplaced(pod):
        return f"no node takes it yet: {unplaced}"
    unwell = next((one for one in containers(pod) if not _well(one)), None)
    return _container_phrase(pod, unwell, scene) if unwell else "starting"


def failure(pod: Object, scene: Scene, *, crashes: bool = True) -> PodFailure | None:
    """Return what will not heal in a pod, or None. Without `crashes` it is for others to say how many are too many."""
    if going(pod) or true(pod, "Ready") or status(pod).get("phase") in ("Succeeded", "Failed"):
        return None
    if unplaced := _unplaced(pod):
        return _no_node(pod, unplaced, scene)
    for one in containers(pod):
        if found := _container_failure(pod, one, scene, crashes=crashes):
            return found
    return _unmounted(pod, scene)


def ending(pod: Object) -> str:
    """Return how a pod ended: of its containers, the first that ended badly, else what the pod itself says."""
    for one in containers(pod):
        ended = (one.get("state") or {}).get("terminated")
        if ended and ended.get("exitCode") != 0:
            return f"{one['name']} ended with {exit_of(ended)}"
    return said(f"{status(pod).get('reason', '')} {status(pod).get('message', '')}") or "no reason given"


def exit_of(ended: Mapping[str, Any]) -> str:
    """Return how a container ended, as `exit code 3` or `exit code 137, OOMKilled`."""
    reason, message = str(ended.get("reason", "")), _RUNTIME.sub("", said(ended.get("message")))
    text = f"exit code {ended.get('exitCode')}"
    text += f", {reason}" if reason not in ("", "Error", "Completed") else ""
    return f"{text}: {message}" if message else text


def waiting(one: Mapping[str, Any]) -> tuple[str, str]:
    """Return why a container waits: the kubelet's reason and message, both empty where it does not."""
    state = (one.get("state") or {}).get("waiting") or {}
    return str(state.get("reason", "")), said(state.get("message"))


def logged_runs(pod: Object) -> Iterator[LoggedRun]:
    """Yield the runs of a pod's containers whose logs tell something, in the order in which they ran."""
    for one in containers(pod):
        if not one.get("containerID") and not one.get("restartCount"):
            continue  # it has never run
        before = (one.get("lastState") or {}).get("terminated") or {}
        if before and before.get("containerID") != one.get("containerID"):  # else both logs are that run's
            yield LoggedRun(str(one.get("name")), previous=True)
        yield LoggedRun(str(one.get("name")), previous=False)


def log_title(pod: str, run: LoggedRun) -> str:
    """Return what stands above a log, as `log of web-1, app, the run before`."""
    return f"log of {pod}, {run.container}{', the run before' if run.previous else ''}"


def unhealthy(pod: Object, scene: Scene) -> str:
    """Return what the last probe that failed said, or an empty string."""
    failed = [one for one in scene.events(pod) if one.get("reason") in ("Unhealthy", "ProbeError")]
    return said(failed[-1].get("message")) if failed else ""


def _container_phrase(pod: Object, one: Mapping[str, Any], scene: Scene) -> str:
    reason, message = waiting(one)
    last = (one.get("lastState") or {}).get("terminated")
    if reason in PULL | NEVER:
        return f"cannot pull {one.get('image')}: {_pull_cause(pod, message, scene)}"
    if reason == "CrashLoopBackOff" and last:
        return f"{one['name']} crashed with {exit_of(last)}; restarts: {one.get('restartCount', 0)}"
    if reason in ("ContainerCreating", "PodInitializing"):
        return _starting(pod, scene)
    if reason:
        return f"{one['name']}: {reason}: {message}"
    if ended := (one.get("state") or {}).get("terminated"):
        return f"{one['name']} ended with {exit_of(ended)}; restarts: {one.get('restartCount', 0)}"
    probe = unhealthy(pod, scene)
    return f"{one['name']} runs, not ready{f': {probe}' if probe else ''}"


def _starting(pod: Object, scene: Scene) -> str:
    """Return what the kubelet is about, as its events tell."""
    events = scene.events(pod)
    last = next((one for one in reversed(events) if one.get("reason") not in ("Scheduled", "TriggeredScaleUp")), None)
    if last is None:
        return "starting"
    if last.get("reason") == "Pulling" or last.get("type") == "Warning":
        text = said(last.get("message"))
        return text[:1].lower() + text[1:]
    return "starting"


def _well(one: Mapping[str, Any]) -> bool:
    ended = (one.get("state") or {}).get("terminated")
    return bool(one.get("ready")) or bool(ended and ended.get("exitCode") == 0)


def _unplaced(pod: Object) -> str:
    placed = condition(pod, "PodScheduled")
    if placed.get("status") != "False" or placed.get("reason") == "SchedulingGated":
        return ""
    return said(placed.get("message")).partition(" preemption:")[0] or "the scheduler does not say why"


def _no_node(pod: Object, message: str, scene: Scene) -> PodFailure | None:
    reasons = {str(one.get("reason")) for one in scene.events(pod)}
    if reasons & _SCALING or scene.leaving() or "unbound immediate PersistentVolumeClaims" in message:
        return None
    final = "NotTriggerScaleUp" in reasons
    return PodFailure("Unschedulable", f"no node takes it: {message}", SCALED if final else ROOM)


def _container_failure(pod: Object, one: Mapping[str, Any], scene: Scene, *, crashes: bool) -> PodFailure | None:
    reason, message = waiting(one)
    why = _pull_cause(pod, message, scene) if reason in PULL else message
    restarts = one.get("restartCount", 0) - scene.restarts.get(container(pod, one), 0)
    failed_pulls = _failed_pulls(pod, one, scene) if reason in PULL else None
    found = pod_failure.judge(reason, why, restarts=restarts, failed_pulls=failed_pulls, crashes=crashes)
    if found is None:
        return None
    if found.cause == CRASH_LOOP:
        text = _crash_text(pod, one, restarts)
    elif found.cause == IMAGE_PULL or reason in NEVER:
        text = f"{one.get('image')} cannot be pulled: {why or reason}"
    else:
        text = f"{one['name']} cannot be created ({reason}): {message}"
    return PodFailure(found.cause, text, found.grace)


def _failed_pulls(pod: Object, one: Mapping[str, Any], scene: Scene) -> int | None:
    """Return how often the image of a container could not be pulled, or None where no event tells."""
    events = [event for event in scene.events(pod) if _is_failed_pull(event, str(one.get("image", "")))]
    return sum(map(times, events)) or None


def _is_failed_pull(event: Object, image: str) -> bool:
    text = str(event.get("message", ""))
    return event.get("reason") == "Failed" and text.startswith(_FAILED_PULL) and image in text


def _pull_cause(pod: Object, message: str, scene: Scene) -> str:
    """Return why an image cannot be pulled, which some versions of the kubelet tell in an event alone."""
    failed = [one for one in reversed(scene.events(pod)) if str(one.get("message", "")).startswith(_FAILED_PULL)]
    messages = [message, *(said(one.get("message")) for one in failed)]
    return next(filter(None, map(pod_failure.pull_cause, messages)), "the kubelet does not say why")


def _crash_text(pod: Object, one: Mapping[str, Any], restarts: int) -> str:
    last = (one.get("lastState") or {}).get("terminated") or {}
    text = f"{one['name']} crashes again and again, last with {exit_of(last)} (restarts: {restarts})"
    limit = _limit(pod, str(one["name"]))
    if last.get("reason") == "OOMKilled" and limit:
        text += f": it takes more memory than its limit of {limit}"
    return text


def _limit(pod: Object, called: str) -> str:
    every = declarations(spec(pod))
    found: Mapping[str, Any] = next((one for one in every if one.get("name") == called), {})
    return str(((found.get("resources") or {}).get("limits") or {}).get("memory", ""))


def _unmounted(pod: Object, scene: Scene) -> PodFailure | None:
    if not any(waiting(one)[0] in ("ContainerCreating", "PodInitializing") for one in containers(pod)):
        return None
    for event in reversed(scene.events(pod)):
        if event.get("reason") in ("Pulling", "Pulled", "Created", "Started"):
            return None
        if event.get("reason") == "FailedMount" and "not found" in str(event.get("message")):
            return PodFailure("FailedMount", f"{name(pod)} misses a volume: {said(event.get('message'))}", MOUNT)
    return None
