"""What is in a namespace, as far as is known: the objects that a verdict rests on. Nothing is read or waited for here.

Objects are those of https://kubernetes.io/docs/reference/kubernetes-api/, as the API server sends them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jenkins_cd.report.text import clean, one_line
from jenkins_cd.tools.answers import whole_number

Object = Mapping[str, Any]
LONGEST = 600  # characters of what a server says that are kept of one sentence


@dataclass
class Scene:
    """The objects of one namespace by kind and name."""

    objects: dict[str, dict[str, Object]] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)  # of containers that were well when we came, by `container`
    made_room: bool = False  # pods have gone while we looked

    @classmethod
    def of(cls, objects: Iterable[Object]) -> Scene:
        """Return a scene of these objects."""
        scene = cls()
        for one in objects:
            scene.put(one)
        return scene

    def put(self, one: Object) -> None:
        """Add an object, or the newer state of one."""
        self.objects.setdefault(one["kind"], {})[name(one)] = one

    def drop(self, one: Object) -> None:
        """Forget an object that was deleted, unless another of its name has taken its place."""
        known = self.get(one["kind"], name(one))
        if known is not None and uid(known) == uid(one):
            del self.objects[one["kind"]][name(one)]

    def replace(self, kind: str, objects: Iterable[Object]) -> None:
        """Take these for all objects of a kind."""
        self.objects[kind] = {name(one): one for one in objects}

    def all(self, kind: str) -> Iterable[Object]:
        """Return the objects of a kind."""
        return self.objects.get(kind, {}).values()

    def get(self, kind: str, called: str) -> Object | None:
        """Return the object of that kind and name, or None."""
        return self.objects.get(kind, {}).get(called)

    def owned(self, owner: Object, kind: str) -> list[Object]:
        """Return the objects of a kind that another one controls."""
        return [one for one in self.all(kind) if controller(one) == uid(owner)]

    def events(self, about: Object) -> list[Object]:
        """Return the events about an object, newest last."""
        found = (one for one in self.all("Event") if one.get("involvedObject", {}).get("uid") == uid(about))
        return sorted(found, key=event_order)

    def leaving(self) -> bool:
        """Tell whether pods are on their way out, which may make room for others."""
        self.made_room |= (found := any(going(pod) for pod in self.all("Pod")))
        return found

    def remember_the_well(self) -> None:
        """Note how often the containers of pods that are ready now were restarted: what crashes later counts."""
        for pod in self.all("Pod"):
            if true(pod, "Ready"):
                for one in containers(pod):
                    self.restarts[container(pod, one)] = one.get("restartCount", 0)


def name(one: Object) -> str:
    """Return an object's name."""
    return str(one["metadata"]["name"])


def uid(one: Object) -> str:
    """Return an object's unique ID."""
    return str(one["metadata"].get("uid", ""))


def status(one: Object) -> Mapping[str, Any]:
    """Return an object's status, empty where it has none yet."""
    return one.get("status") or {}


def spec(one: Object) -> Mapping[str, Any]:
    """Return an object's spec."""
    return one.get("spec") or {}


def annotation(one: Object, key: str) -> str:
    """Return an annotation, or an empty string."""
    return str((one["metadata"].get("annotations") or {}).get(key, ""))


def label(one: Object, key: str) -> str:
    """Return a label, or an empty string."""
    return str((one["metadata"].get("labels") or {}).get(key, ""))


def controller(one: Object) -> str:
    """Return the unique ID of what controls an object, or an empty string."""
    owners = one["metadata"].get("ownerReferences") or ()
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")


def condition(one: Object, type_: str) -> Mapping[str, Any]:
    """Return a condition of an object, empty where it has none of that type."""
    return next((each for each in status(one).get("conditions") or () if each.get("type") == type_), {})


def true(one: Object, type_: str) -> bool:
    """Tell whether a condition holds."""
    return condition(one, type_).get("status") == "True"


def observed(one: Object) -> bool:
    """Tell whether the object's controller has seen its present spec."""
    return int(status(one).get("observedGeneration", 0)) >= int(one["metadata"].get("generation", 0))


def going(one: Object) -> bool:
    """Tell whether an object is being deleted."""
    return bool(one["metadata"].get("deletionTimestamp"))


def containers(pod: Object) -> Iterator[Mapping[str, Any]]:
    """Yield the states of a pod's containers in the order in which they start."""
    yield from status(pod).get("initContainerStatuses") or ()
    yield from status(pod).get("containerStatuses") or ()


def declarations(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what the spec of a pod says of its containers, in the order in which they start."""
    return [*(pod.get("initContainers") or ()), *(pod.get("containers") or ())]


def container(pod: Object, one: Mapping[str, Any]) -> str:
    """Return what tells a container of a pod from all others."""
    return f"{uid(pod)}/{one.get('name', '')}"


def times(event: Object) -> int:
    """Return how often an event was seen."""
    return int((event.get("series") or {}).get("count") or event.get("count") or 1)


def event_time(event: Object) -> str:
    """Return when an event was seen last, as the API server writes it (RFC 3339, UTC)."""
    last = (event.get("series") or {}).get("lastObservedTime") or event.get("lastTimestamp")
    return str(last or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")


def event_order(event: Object) -> tuple[str, int]:
    """Return a key that sorts events by time; those of the same second by what the server wrote first."""
    version = str(event["metadata"].get("resourceVersion", ""))
    return event_time(event)[:19], whole_number(version)


def said(text: object) -> str:
    """Return what a server says as one safe line, without the parts that differ each time."""
    line = re.sub(r"\(combined from similar events\): |_[\w.-]+\([0-9a-f]{8}-[0-9a-f-]{27}\)", "", str(text or ""))
    line = one_line(clean(line))
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
