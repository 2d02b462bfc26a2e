"""Follow the objects of a release until all of them are up, or it is clear that they will not be.

What the states mean is said in `workloads` and `pods`; here is how they are waited for: a trouble that may heal counts
once it has stood for its grace, an end that nobody came to is `late`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from jenkins_cd.cluster import live_images, mirror, pods, workloads
from jenkins_cd.cluster.mirror import Mirror
from jenkins_cd.cluster.pod_failure import PodFailure
from jenkins_cd.cluster.scene import Object, Scene, annotation, name, uid
from jenkins_cd.cluster.workloads import State
from jenkins_cd.errors import ExternalFailure
from jenkins_cd.masking import mask
from jenkins_cd.report.text import shown
from jenkins_cd.tools import kubernetes
from jenkins_cd.tools.kubernetes import Cluster

LOOK = 0.25  # seconds without news between two looks
SHOWN = 10  # pods of an object that are told of one by one
LONGEST = 900  # characters of a reason
HOOK = "helm.sh/hook"
Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a rollout."""

    outcome: Literal["ready", "failed", "late"]
    reason: str  # one sentence
    seconds: float

    @property
    def ready(self) -> bool:
        """Tell whether everything is up, with the images of the release."""
        return self.outcome == "ready"


@dataclass
class Patience:
    """How long each trouble has stood."""

    since: dict[tuple[str, str], float] = field(default_factory=dict)  # by what it is of, and its cause

    def worst(self, states: Iterable[State], scene: Scene, now: float) -> str:
        """Return in one sentence the first trouble that has stood for longer than its grace, or an empty string."""
        standing = {
            (what, failure.cause): (state, failure) for state in states for what, failure in state.failures.items()
        }
        self.since = {key: self.since.get(key, now) for key in standing}
        for key, (state, failure) in standing.items():
            if now - self.since[key] >= failure.grace:
                return sentence(state, key[0], failure, scene)
        return ""


@dataclass
class Course:
    """A rollout under way: what is followed, what was told, what is amiss."""

    wanted: Sequence[Object]
    images: Mapping[str, str]
    tell: Tell
    began: float = field(default_factory=time.monotonic)
    told: dict[str, str] = field(default_factory=dict)
    patience: Patience = field(default_factory=Patience)
    completed: dict[str, State] = field(default_factory=dict)  # Jobs, which may be removed once they have ended

    def look(self, scene: Scene, now: float) -> Verdict | None:
        """Return the verdict that the states allow, or None as long as they allow none; tell what has changed."""
        states = [self._state(wanted, scene) for wanted in self.wanted]
        for state in states:
            self._tell(state, scene)
        if trouble := self.patience.worst(states, scene, now):
            return self._verdict("failed", trouble)
        if not all(state.done for state in states):
            return None
        if wrong := live_images.differences(zip(self.wanted, states, strict=True), self.images):
            return self._verdict("failed", f"not everything runs what the release says: {'; '.join(wrong)}")
        return self._verdict("ready", f"{_count(len(states))} up after {now - self.began:.1f} s")

    def late(self, scene: Scene) -> Verdict:
        """Return the verdict where the time is up: what has not come up, and how it gets on."""
        states = [self._state(wanted, scene) for wanted in self.wanted]
        missing = [state for state in states if not state.done]
        if not missing:
            return self._verdict("late", "Helm had not ended when the time was up")
        words = "; ".join(_getting_on(state, scene) for state in missing[:3])
        rest = f"; and {len(missing) - 3} more" if len(missing) > 3 else ""
        return self._verdict("late", f"not up after {time.monotonic() - self.began:.0f} s: {words}{rest}")

    def _state(self, wanted: Object, scene: Scene) -> State:
        state = workloads.assess(wanted, scene)
        if state.done and wanted["kind"] == "Job":
            self.completed[state.what] = state
        gone = scene.get(wanted["kind"], name(wanted)) is None
        return self.completed.get(state.what, state) if gone else state

    def _tell(self, state: State, scene: Scene) -> None:
        self._once(state.what, state.text)
        apart = [pod for pod in state.pods if name(pod) != state.what.rpartition(" ")[2]]
        for pod in sorted(apart, key=name)[:SHOWN]:
            self._once(f"pod {name(pod)}", pods.phrase(pod, scene))
        for what, failure in state.failures.items():
            if 1 <= failure.grace < math.inf:
                limit = f"unless that ends within {failure.grace:.0f} s, it is taken for failed"
                self._once(
                    f"{what} {failure.cause}",
                    limit if _is_told(state, what, failure) else f"{failure.text}; {limit}",
                    what,
                )

    def _once(self, key: str, text: str, what: str = "") -> None:
        if self.told.get(key) != text:
            self.told[key] = text
            self.tell(mask(f"{what or key}: {text}"))

    def _verdict(self, outcome: Literal["ready", "failed", "late"], reason: str) -> Verdict:
        return Verdict(outcome=outcome, reason=shown(mask(reason), LONGEST), seconds=time.monotonic() - self.began)


def follow(
    cluster: Cluster,
    namespace: str,
    objects: Sequence[Object],
    deadline: float,
    tell: Tell,
    images: Mapping[str, str] | None = None,
) -> Verdict:
    """Follow the objects of a release that was applied, until they are up, will not be, or `deadline` has come.

    `objects` are those of the release's manifest; hooks in it, and objects of other namespaces, are passed over.
    `deadline` is a moment of `time.monotonic()`. `tell` is told in a line what has changed. `images` says by repository
    which digest must run; images that the manifest itself names by digest are checked anyway.

    Raises Refused and BadInput where the account may not look, ExternalFailure where the API server is away at the
    deadline, so that nothing is known, and Stopped.
    """
    coming = [one for one in objects if workloads.followed(one) and not annotation(one, HOOK)]
    wanted = [one for one in coming if _ours(one, namespace)]
    for one in coming:
        if not _ours(one, namespace):
            tell(f"{one['kind']} {name(one)} is in the namespace {one['metadata']['namespace']}: it is not followed")
    course = Course(wanted, images or {}, tell)
    if not wanted:
        return course._verdict("ready", "nothing in the release has to come up")
    with mirror.kept(cluster, namespace, kinds_of(wanted), tell) as copy:
        while True:
            known = copy.complete
            copy.take(LOOK)
            if copy.complete:
                if not known:
                    copy.scene.remember_the_well()
                if verdict := course.look(copy.scene, time.monotonic()):
                    return verdict
            if time.monotonic() >= deadline:
                return _at_the_end(copy, course)


def present(cluster: Cluster, namespace: str, objects: Sequence[Object]) -> frozenset[str]:
    """Return the unique IDs of the hooks that are there already: those of a release before this one.

    To be asked before Helm starts. Raises as `follow` does.
    """
    found = set()
    for one in _hooks(objects, namespace):
        live = kubernetes.get(cluster, f"{mirror.path(namespace, one['kind'])}/{name(one)}")
        found |= {uid(live)} if live else set()
    return frozenset(found)


def hooks(
    cluster: Cluster,
    namespace: str,
    objects: Sequence[Object],
    before: frozenset[str],
    deadline: float,
    tell: Tell,
    running: Callable[[], bool],
) -> Verdict | None:
    """Follow the hooks of a release as long as Helm, which waits for them, is `running`.

    Returns a verdict once one of them will not end well or the deadline has come, None once Helm has ended. `before` is
    what `present` said. Raises as `follow` does.
    """
    wanted = _hooks(objects, namespace)
    course = Course(wanted, {}, lambda _text: None)
    with mirror.kept(cluster, namespace, kinds_of(wanted) if wanted else (), tell, before) as copy:
        while running():
            copy.take(LOOK)
            there = [one for one in wanted if copy.scene.get(one["kind"], name(one))]
            course.wanted, course.tell = there, tell
            verdict = course.look(copy.scene, time.monotonic()) if copy.complete and there else None
            if verdict and verdict.outcome == "failed":
                return Verdict(outcome="failed", reason=f"hook: {verdict.reason}", seconds=verdict.seconds)
            if time.monotonic() >= deadline:
                return course.late(copy.scene)
    return None


def kinds_of(wanted: Iterable[Object]) -> frozenset[str]:
    """Return the kinds to read to know how these objects get on."""
    found = {str(one["kind"]) for one in wanted}
    return frozenset(found | {"Event", "Pod"} | ({"ReplicaSet"} if "Deployment" in found else set()))


def sentence(state: State, what: str, failure: PodFailure, scene: Scene) -> str:
    """Return in one sentence why an object will not come up; `what` is what fails, the object itself or its pod."""
    if what != state.what:
        return f"{state.what}: {what}: {failure.text}"
    text = f"{what} {failure.text[3:]}" if failure.text.startswith("it ") else f"{what}: {failure.text}"
    return text if state.text == failure.text else f"{text} ({_getting_on(state, scene).removeprefix(f'{what}: ')})"


def _at_the_end(copy: Mirror, course: Course) -> Verdict:
    if copy.trouble is not None or not copy.complete:
        why = copy.trouble.message if copy.trouble else "the API server has not told everything in time"
        raise ExternalFailure(
            f"it is not known whether the release is up: {why}",
            "run it again once the API server answers; what was applied stays as it is",
        )
    return course.late(copy.scene)


def _getting_on(state: State, scene: Scene) -> str:
    unready = [pod for pod in state.pods if (pods.phrase(pod, scene)) not in ("ready", "completed")]
    text = f"{state.what}: {state.text}"
    first = unready[0] if unready and name(unready[0]) != state.what.rpartition(" ")[2] else None
    return f"{text}, pod {name(first)}: {pods.phrase(first, scene)}" if first else text


def _hooks(objects: Sequence[Object], namespace: str) -> list[Object]:
    """Return the hooks that Helm waits for."""
    return [one for one in objects if annotation(one, HOOK) and one["kind"] in ("Job", "Pod") and _ours(one, namespace)]


def _is_told(state: State, what: str, failure: PodFailure) -> bool:
    """Tell whether the trouble stands in what is told of the object or the pod anyway."""
    return what != state.what or failure.text == state.text


def _ours(one: Object, namespace: str) -> bool:
    return (one["metadata"].get("namespace") or namespace) == namespace


def _count(number: int) -> str:
    return f"{number} object{'' if number == 1 else 's'}"
