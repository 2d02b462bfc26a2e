"""What will not heal by itself, and so makes waiting for the timeout needless: from the resource tree alone.

What the kubelet's reasons mean is said in `cluster/pod_failure.py`. They arrive in `Status Reason`, with `Init:` before
those of init containers: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from jenkins_cd.argocd.nodes import Node, cause, newest, owner
from jenkins_cd.cluster import pod_failure
from jenkins_cd.cluster.pod_failure import CRASH_LOOP, IMAGE_PULL, NEVER, PULL, Judgement, PodFailure
from jenkins_cd.report.text import clean, one_line

SKEW = timedelta(seconds=2)  # between Argo CD's clock and the API server's, both of whole seconds
_IMAGE = re.compile(r'image "(?P<image>[^"]+)"')


def failures(nodes: Sequence[Node], since: datetime) -> dict[Node, PodFailure]:
    """Return what will not heal of that which was made since then, what is final first.

    Of a Deployment, StatefulSet or DaemonSet only the pods of its newest revision count. What was there before says
    nothing of what is deployed now: its controller may not have acted yet.
    """
    young = [one for one in newest(nodes) if _since(one, since)]
    found = {pod: failure for pod in young if (failure := _of_pod(pod, nodes))}
    jobs = [one for one in nodes if one.kind == "Job" and _since(one, since)]
    found |= {job: failure for job in jobs if (failure := _of_job(job, nodes))}
    return dict(sorted(found.items(), key=lambda item: item[1].grace))


def _since(node: Node, since: datetime) -> bool:
    return node.created is not None and node.created >= since - SKEW


def _of_job(job: Node, nodes: Sequence[Node]) -> PodFailure | None:
    if job.health != "Degraded" or owner(job, nodes).kind == "CronJob":
        return None  # a CronJob's next run may go well
    return PodFailure("JobFailed", clean(f"{job.called} has failed: {cause(job.message) or 'no reason is given'}"))


def _of_pod(pod: Node, nodes: Sequence[Node]) -> PodFailure | None:
    """Return what will not heal of a pod. A Job says itself how many crashes are too many."""
    above = owner(pod, nodes)
    if above.kind == "CronJob":
        return None
    reason = pod.status_reason.removeprefix("Init:")
    why = pod_failure.pull_cause(one_line(pod.message)) if reason in PULL else cause(pod.message)
    # Restarts are not told where there were none, and may not be told yet.
    found = pod_failure.judge(reason, why, restarts=pod.restarts or None, crashes=not _is_of_job(pod, nodes))
    if found is None:
        return None
    text = _text(pod, reason, why, found)
    return PodFailure(found.cause, clean(f"{above.called}: {text} ({pod.status_reason}, {pod.called})"), found.grace)


def _text(pod: Node, reason: str, why: str, found: Judgement) -> str:
    if found.cause == CRASH_LOOP:
        again = (
            f"restarted {pod.restarts} time{'' if pod.restarts == 1 else 's'}" if pod.restarts else "it ends at once"
        )
        return f"a container crashes again and again, {again}"
    if reason in NEVER:
        text = f"{_image(pod)} can never be pulled"
    elif found.cause == IMAGE_PULL:
        text = f"{_image(pod)} cannot be pulled"
    else:
        text = "a container cannot be created"
    return f"{text}: {why}" if why else text


def _is_of_job(pod: Node, nodes: Sequence[Node]) -> bool:
    return any(one.kind == "Job" and one.uid in pod.parents for one in nodes)


def _image(pod: Node) -> str:
    if found := _IMAGE.search(pod.message):
        return found["image"]
    return " or ".join(pod.images) if pod.images else "an image"
