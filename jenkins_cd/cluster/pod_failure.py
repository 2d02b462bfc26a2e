"""What will not heal of a pod, read the same way for every delivery model: one table of the kubelet's reasons.

A model brings a container's reason and message, from the cluster or as Argo CD tells them, and words what comes of it.
Reasons are those of `pkg/kubelet/container` and `pkg/kubelet/images`, messages those of the container runtimes:
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import NamedTuple

PULL = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"})
NEVER = frozenset({"InvalidImageName", "ErrImageNeverPull"})
CREATE = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
CRASH = frozenset({"CrashLoopBackOff", "RunContainerError"})

MAX_RESTARTS = 2  # after which a container that crashes again is given up
MAX_PULLS = 2  # failed attempts after which an image is given up
CREATE_GRACE = 20.0  # seconds for a container that cannot be created: the kubelet tries again after 10 to 15
PULL_GRACE = 60.0  # seconds for an image that cannot be pulled where nobody tells how often it was tried
CRASH_GRACE = 20.0  # seconds for a container that crashes where nobody tells how often it was restarted

IMAGE_PULL, CRASH_LOOP = "ImagePull", "CrashLoop"

_FINAL = re.compile(
    r"not found|manifest unknown|does not exist|unauthorized|authentication required|denied|forbidden"
    r"|no basic auth credentials|no match for platform|invalid reference format",
    re.IGNORECASE,
)
_UNREACHED = re.compile(r"dial tcp|lookup |i/o timeout|TLS handshake|\bEOF\b|connection re")
_NAMES = re.compile(r'"[^"]*"|\bhttps?://\S+|\S+/\S+[:@]\S+')  # of images and places: they may say anything
_LAYERS = re.compile(
    r'rpc error: code = \w+ desc = |Back-off pulling image "[^"]*":? ?|ErrImagePull: |Failed to pull image "[^"]*": '
    r'|failed to pull and unpack image "[^"]*": |failed to resolve reference "[^"]*": '
)
_IMAGE = re.compile(r"[\w.-]+[:/@][\w.:/@-]*: (?=\S)")


@dataclass(frozen=True)
class PodFailure:
    """What will not heal of a pod, or of what makes it, unless it does within its `grace` (seconds)."""

    cause: str  # one word that stays as long as the trouble does
    text: str
    grace: float = 0.0

    @property
    def final(self) -> bool:
        """Tell whether there is nothing to wait for."""
        return self.grace == 0


class Judgement(NamedTuple):
    """What a container's reason for waiting comes to: the cause and the grace of a PodFailure."""

    cause: str
    grace: float


def judge(
    reason: str, why: str, *, restarts: int | None, failed_pulls: int | None = None, crashes: bool = True
) -> Judgement | None:
    """Return what comes of a container that waits for this reason, or None where nothing is to be feared yet.

    `why` is what its message tells. `restarts` and `failed_pulls` are None where nobody tells them.
    Without `crashes` it is for others to say how many are too many: a Job does.
    """
    if reason in NEVER:
        return Judgement(reason, 0.0)
    if reason in PULL:
        return Judgement(IMAGE_PULL, _pull_grace(why, failed_pulls))
    if crashes and reason in CRASH and (restarts or 0) >= MAX_RESTARTS:
        return Judgement(CRASH_LOOP, 0.0)
    if reason in CREATE:
        return Judgement(reason, CREATE_GRACE)
    if crashes and reason in CRASH and restarts is None:
        return Judgement(CRASH_LOOP, CRASH_GRACE)
    return None


def is_final(text: str) -> bool:
    """Tell whether a registry has said for good that it has no such image for us; one that was not reached has not."""
    said = _NAMES.sub("", text)
    return bool(_FINAL.search(said)) and not _UNREACHED.search(said)


def without_layers(message: str) -> str:
    """Return what a message tells, without what the kubelet and the container runtime put around it, layer by layer."""
    return _LAYERS.sub("", message).strip()


def pull_cause(message: str) -> str:
    """Return why an image cannot be pulled; empty where the message does not say. Its name is not said once more."""
    why = without_layers(message)
    named = _IMAGE.match(why)
    return why[named.end() :] if named and is_final(why) else why


def _pull_grace(why: str, failed_pulls: int | None) -> float:
    if is_final(why) or (failed_pulls or 0) >= MAX_PULLS:
        return 0.0
    return PULL_GRACE if failed_pulls is None else math.inf  # the next attempt may be slow: its end is waited for
