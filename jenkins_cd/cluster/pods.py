"""What a pod says of itself: how it gets on, and what of it will not heal. States in, words out.

Reasons of waiting containers are the kubelet's (`pkg/kubelet/container`, `pkg/kubelet/images`), those of pods that no
node takes the scheduler's: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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

CRASHES = 2  # restarts after which a container that crashes again is given up
PULLS = 2  # failed attempts to pull an image after which it is given up
ROOM = 20.0  # seconds for a node to be found, or to be promised by an autoscaler (which looks every 10 s)
SCALED = 5.0  # seconds in which an autoscaler that does not help may yet think otherwise
AGAIN = 20.0  # seconds for a container that cannot be created: the kubelet tries again after 10 to 15
MOUNT = 30.0  # seconds for a volume, which the kubelet tries again at growing distances
UNTOLD = 60.0  # seconds for an image that cannot be pulled where nobody tells how often it was tried

_PULL = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"})
_PULL_NEVER = frozenset({"InvalidImageName", "ErrImageNeverPull"})
_CREATE = frozenset({"CreateContainerConfigError", "CreateContainerError"})
_FINAL = re.compile(
    r"not found|manifest unknown|does not exist|unauthorized|authentication required|access denied|forbidden|denied:"
    r"|no basic auth credentials|no match for platform|invalid reference format",
    re.IGNORECASE,
)
_UNREACHED = re.compile(r"dial tcp|lookup |i/o timeout|TLS handshake|EOF|connection re", re.IGNORECASE)
_WRAPPING = re.compile(
    r'rpc error: code = \w+ desc = |Back-off pulling image "[^"]*":? ?|ErrImagePull: |Failed to pull image "[^"]*": '
    r'|failed to pull and unpack image "[^"]*": |failed to resolve reference "[^"]*": '
)
_RUNTIME = re.compile(r"failed to create (containerd|shim) task: |OCI runtime create failed: |runc create failed: ")
_SCALING = frozenset({"TriggeredScaleUp", "Nominated", "WaitForPodScheduled"})  # a node is on its way


@dataclass(frozen=True)
class Ailment:
    """What will not heal by itself, unless it does within its `patience` (seconds)."""

    cause: str  # one word that stays as long as the trouble does
    text: str
    patience: float = 0.0


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


def ailment(pod: Object, scene: Scene, *, crashes: bool = True) -> Ailment | None:
    """Return what will not heal in a pod, or None. Without `crashes` it is for others to say how many are too many."""
    if going(pod) or true(pod, "Ready") or status(pod).get("phase") in ("Succeeded", "Failed"):
        return None
    if unplaced := _unplaced(pod):
        return _no_node(pod, unplaced, scene)
    for one in containers(pod):
        found = _waits(pod, one, scene) or (_crashes(pod, one, scene) if crashes else None)
        if found:
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


def unhealthy(pod: Object, scene: Scene) -> str:
    """Return what the last probe that failed said, or an empty string."""
    failed = [one for one in scene.events(pod) if one.get("reason") in ("Unhealthy", "ProbeError")]
    return said(failed[-1].get("message")) if failed else ""


def _container_phrase(pod: Object, one: Mapping[str, Any], scene: Scene) -> str:
    reason, message = waiting(one)
    last = (one.get("lastState") or {}).get("terminated")
    if reason in _PULL or reason in _PULL_NEVER:
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


def _no_node(pod: Object, message: str, scene: Scene) -> Ailment | None:
    reasons = {str(one.get("reason")) for one in scene.events(pod)}
    if reasons & _SCALING or scene.leaving() or "unbound immediate PersistentVolumeClaims" in message:
        return None
    final = "NotTriggerScaleUp" in reasons
    return Ailment("Unschedulable", f"no node takes it: {message}", SCALED if final else ROOM)


def _waits(pod: Object, one: Mapping[str, Any], scene: Scene) -> Ailment | None:
    reason, message = waiting(one)
    if reason in _PULL_NEVER:
        return Ailment(reason, f"{one.get('image')} cannot be pulled: {message or reason}")
    if reason in _PULL:
        return _unpulled(pod, one, message, scene)
    if reason in _CREATE:
        return Ailment(reason, f"{one['name']} cannot be created ({reason}): {message}", AGAIN)
    return None


def _unpulled(pod: Object, one: Mapping[str, Any], message: str, scene: Scene) -> Ailment:
    cause = _pull_cause(pod, message, scene)
    events = [each for each in scene.events(pod) if _is_failed_pull(each, str(one.get("image", "")))]
    final = _FINAL.search(cause) and not _UNREACHED.search(cause)
    again = math.inf if events else UNTOLD  # the next attempt may be slow: its end is waited for
    patience = 0.0 if final or sum(map(times, events)) >= PULLS else again
    return Ailment("ImagePull", f"{one.get('image')} cannot be pulled: {cause}", patience)


def _is_failed_pull(event: Object, image: str) -> bool:
    text = str(event.get("message", ""))
    return event.get("reason") == "Failed" and text.startswith("Failed to pull image") and image in text


def _pull_cause(pod: Object, message: str, scene: Scene) -> str:
    """Return why an image cannot be pulled, without what each layer of the kubelet puts around it."""
    cause = _WRAPPING.sub("", message).strip()
    if not cause:
        told = [one for one in scene.events(pod) if str(one.get("message", "")).startswith("Failed to pull image")]
        cause = _WRAPPING.sub("", said(told[-1].get("message"))) if told else ""
    cause = re.sub(r"^[\w.:/@-]+: (?=\S)", "", cause) if _FINAL.search(cause) else cause  # the image's name once more
    return cause or "the kubelet does not say why"


def _crashes(pod: Object, one: Mapping[str, Any], scene: Scene) -> Ailment | None:
    restarts = one.get("restartCount", 0) - scene.restarts.get(container(pod, one), 0)
    if restarts < CRASHES or waiting(one)[0] not in ("CrashLoopBackOff", "RunContainerError"):
        return None
    last = (one.get("lastState") or {}).get("terminated") or {}
    text = f"{one['name']} crashes again and again, last with {exit_of(last)} (restarts: {restarts})"
    limit = _limit(pod, str(one["name"]))
    if last.get("reason") == "OOMKilled" and limit:
        text += f": it takes more memory than its limit of {limit}"
    return Ailment("CrashLoop", text)


def _limit(pod: Object, called: str) -> str:
    every = declarations(spec(pod))
    found: Mapping[str, Any] = next((one for one in every if one.get("name") == called), {})
    return str(((found.get("resources") or {}).get("limits") or {}).get("memory", ""))


def _unmounted(pod: Object, scene: Scene) -> Ailment | None:
    if not any(waiting(one)[0] in ("ContainerCreating", "PodInitializing") for one in containers(pod)):
        return None
    for event in reversed(scene.events(pod)):
        if event.get("reason") in ("Pulling", "Pulled", "Created", "Started"):
            return None
        if event.get("reason") == "FailedMount" and "not found" in str(event.get("message")):
            return Ailment("FailedMount", f"{name(pod)} misses a volume: {said(event.get('message'))}", MOUNT)
    return None
