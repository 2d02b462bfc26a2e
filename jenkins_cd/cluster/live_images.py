"""Whether the images that run are those of the release: digests against digests. States in, words out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jenkins_cd.cluster.scene import Object, containers, declarations, name, spec
from jenkins_cd.cluster.workloads import State


def differences(come_up: Iterable[tuple[Object, State]], images: Mapping[str, str]) -> list[str]:
    """Return a phrase for each container of the newest pods that runs something else than its release says.

    `come_up` is what the release says, each with its state. `images` says by repository which digest must run, also
    where the manifest names a tag.
    """
    found: list[str] = []
    for wanted, state in come_up:
        said = {one["name"]: str(one.get("image", "")) for one in declarations(_template(wanted))}
        for pod in state.pods:
            found += _of_pod(pod, said, images)
    return found


def digest(image: str) -> str:
    """Return the digest of an image's name, or an empty string."""
    return image.partition("@")[2]


def repository(image: str) -> str:
    """Return an image's name without tag and digest."""
    place, slash, last = image.partition("@")[0].rpartition("/")
    return place + slash + last.partition(":")[0]


def _of_pod(pod: Object, said: Mapping[str, str], images: Mapping[str, str]) -> list[str]:
    declared = {one["name"]: str(one.get("image", "")) for one in declarations(spec(pod))}
    found: list[str] = []
    for one in containers(pod):
        image = said.get(one["name"])
        if image is None:  # put in by somebody else, as a service mesh does
            continue
        live = declared.get(one["name"], "")
        wanted = digest(image) or images.get(repository(image), "")
        runs = digest(str(one.get("imageID", ""))) or digest(live)
        if wanted and runs != wanted:
            found.append(f"{one['name']} of pod {name(pod)} runs {runs or 'an unknown digest'}, not {wanted}")
        elif not wanted and _last(live) != _last(image):
            found.append(f"{one['name']} of pod {name(pod)} runs {live}, not {image}")
    return found


def _template(wanted: Object) -> Mapping[str, Any]:
    """Return the spec of an object's pods."""
    if wanted["kind"] == "Pod":
        return spec(wanted)
    template: Mapping[str, Any] = (spec(wanted).get("template") or {}).get("spec") or {}
    return template


def _last(image: str) -> str:
    """Return the last part of a name: a registry's mirror may stand before it."""
    return image.rpartition("/")[2]
