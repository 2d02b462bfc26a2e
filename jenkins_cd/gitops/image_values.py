"""Where a release's image stands in the values of an environment, and how it is set there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jenkins_cd.errors import BadInput
from jenkins_cd.gitops import edit, image_names, insert
from jenkins_cd.gitops.yaml_nodes import values_of
from jenkins_cd.model import Release

Keys = tuple[str, ...]
Dependencies = Sequence[Mapping[str, Any]]


def places(depends: Dependencies, release: Release) -> list[Keys]:
    """Return the keys that may lead to the app's `image` in the values: below the dependency that deploys it."""
    names = [str(one.get("alias") or one.get("name")) for one in depends]
    own = [name for name, one in zip(names, depends, strict=True) if one.get("name") == release.chart.name]
    return [(name, "image") for name in own or names] or [("image",)]


def place(values: bytes, depends: Dependencies, file: str, release: Release) -> Keys:
    """Return the keys that lead to the app's `image` in the values. Raises BadInput unless there is one such place."""
    candidates, loaded = places(depends, release), edit.load(values, file)
    found = [keys for keys in candidates if {"tag", "digest"} & below(loaded, keys).keys()]
    if len(found) > 1 and release.image:
        found = [keys for keys in found if image_names.of(below(loaded, keys)) == release.image.repository]
    if len(found) == 1:
        return found[0]
    example = edit.show(candidates[0])
    raise BadInput(
        f"{file}: there is no {' or '.join(f'{edit.show(keys)}.tag' for keys in candidates)}, nor a digest beside it"
        if not found
        else f"{file}: {len(found)} images could be the app's",
        f"add {example}.tag or {example}.digest to it, once: a deployment sets whichever is there",
    )


def changed(values: bytes, where: Keys, file: str, release: Release) -> bytes:
    """Return values with those keys of the image set that stand there.

    Raises BadInput where one that says something else comes from elsewhere, through a merge key.
    """
    literal, effective = below(edit.load(values, file), where), below(values_of(values, file), where)
    wanted = of_release(release, effective)
    merged = [key for key in wanted if key not in literal and effective.get(key, wanted[key]) != wanted[key]]
    if merged:
        raise BadInput(
            f"{file}: {edit.show((*where, merged[0]))} comes from a merge key, and others may have it from there too",
            f"write {', '.join(merged)} out below {edit.show(where)}",
        )
    changes: dict[edit.Path, str] = {(*where, key): value for key, value in wanted.items() if key in literal}
    return edit.change(values, changes, file)


def of_release(release: Release, there: Mapping[str, Any]) -> dict[str, str]:
    """Return the release's image in the keys that values have for it whose `image` is `there` now."""
    if release.image is None:
        return {}
    name = image_names.keys(release.image.repository, there)
    return {**name, "tag": release.version, "digest": release.image.digest}


def added(values: bytes, where: Keys, release: Release, file: str) -> bytes:
    """Return values with the image of the release, its keys added where they are missing."""
    if not release.image:
        return values
    there = below(edit.load(values, file), where)
    if "repository" not in there or not {"tag", "digest"} & there.keys():
        missing = {key: one for key, one in of_release(release, there).items() if key not in there}
        values = insert.add(values, where, missing, file)
    return changed(values, where, file, release)


def forget(values: dict[str, Any], where: Keys) -> None:
    """Take out of values what names the image at `where`, and the mapping of it where nothing is left."""
    there, above = below(values, where), below(values, where[:-1])
    for key in ("registry", "repository", "tag", "digest"):
        there.pop(key, None)
    if not there:
        above.pop(where[-1], None)


def below(loaded: Any, keys: Keys) -> dict[str, Any]:
    """Return the mapping that the keys lead to, or an empty one."""
    for key in keys:
        loaded = loaded.get(key) if isinstance(loaded, dict) else None
    return loaded if isinstance(loaded, dict) else {}
