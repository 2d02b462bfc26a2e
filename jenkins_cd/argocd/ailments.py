"""What will not heal by itself, and so makes waiting for the timeout needless: from the resource tree alone.

Reasons are the kubelet's (`pkg/kubelet/container`, `pkg/kubelet/images`) as they arrive in `Status Reason`, with
`Init:` before those of init containers: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jenkins_cd.argocd.nodes import Node, cause, newest, owner
from jenkins_cd.report.text import clean

CRASHES = 2  # restarts after which a container that crashes again is given up
SLOW = 20.0  # seconds: the kubelet tries again within about as many what may have been a hiccup
SKEW = timedelta(seconds=2)  # between Argo CD's clock and the API server's, both of whole seconds
_NEVER = frozenset({"InvalidImageName", "ErrImageNeverPull"})
_PULL = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"})
_CREATE = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
_FINAL = re.compile(
    r"not found|manifest unknown|does not exist|unauthorized|authentication required|denied|forbidden"
    r"|no basic auth credentials|no match for platform|invalid reference format",
    re.IGNORECASE,
)
_IMAGE = re.compile(r'image "(?P<image>[^"]+)"')


@dataclass(frozen=True, kw_only=True)
class Ailment:
    """Something that will not heal, unless it does within its `patience` (seconds)."""

    node: Node
    reason: str  # one sentence
    patience: float = 0.0

    @property
    def certain(self) -> bool:
        """Tell whether there is nothing to wait for."""
        return self.patience == 0


def ailments(nodes: Sequence[Node], since: datetime) -> list[Ailment]:
    """Return what will not heal of that which was made since then, what is certain first.

    Of a Deployment, StatefulSet or DaemonSet only the pods of its newest revision count. What was there before says
    nothing of what is deployed now: its controller may not have acted yet.
    """
    young = [one for one in newest(nodes) if _since(one, since)]
    found = [ill for pod in young if (ill := _of_pod(pod, nodes))]
    found += [ill for one in nodes if one.kind == "Job" and _since(one, since) and (ill := _of_job(one, nodes))]
    return sorted(found, key=lambda one: one.patience)


def _since(node: Node, since: datetime) -> bool:
    return node.created is not None and node.created >= since - SKEW


def _of_job(job: Node, nodes: Sequence[Node]) -> Ailment | None:
    if job.health != "Degraded" or owner(job, nodes).kind == "CronJob":
        return None  # a CronJob's next run may go well
    return Ailment(node=job, reason=clean(f"{job.called} has failed: {cause(job.message) or 'no reason is given'}"))


def _of_pod(pod: Node, nodes: Sequence[Node]) -> Ailment | None:
    above = owner(pod, nodes)
    if above.kind == "CronJob":
        return None
    for text, patience in _illness(pod, crashes=not _is_of_job(pod, nodes)):
        return Ailment(
            node=pod, reason=clean(f"{above.called}: {text} ({pod.status_reason}, {pod.called})"), patience=patience
        )
    return None


def _illness(pod: Node, *, crashes: bool) -> Iterator[tuple[str, float]]:
    """Yield what is wrong, if anything, and for how long it may be. A Job says itself how many crashes are too many."""
    reason = pod.status_reason.removeprefix("Init:")
    why = cause(pod.message).removeprefix(f"{_image(pod)}: ")
    if reason in _NEVER:
        yield f"{_image(pod)} can never be pulled" + (f": {why}" if why else ""), 0.0
    elif reason in _PULL:
        final = reason == "ImagePullBackOff" and _FINAL.search(why)
        yield f"{_image(pod)} cannot be pulled" + (f": {why}" if why else ""), 0.0 if final else SLOW
    elif reason in _CREATE:
        yield "a container cannot be created" + (f": {why}" if why else ""), SLOW
    elif reason == "CrashLoopBackOff" and crashes:
        often = (
            f"restarted {pod.restarts} time{'' if pod.restarts == 1 else 's'}" if pod.restarts else "it ends at once"
        )
        yield f"a container crashes again and again, {often}", 0.0 if pod.restarts >= CRASHES else SLOW


def _is_of_job(pod: Node, nodes: Sequence[Node]) -> bool:
    return any(one.kind == "Job" and one.uid in pod.parents for one in nodes)


def _image(pod: Node) -> str:
    if found := _IMAGE.search(pod.message):
        return found["image"]
    return " or ".join(pod.images) if pod.images else "an image"
