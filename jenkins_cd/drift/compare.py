"""What an object lacks, has otherwise or has besides what a manifest says. Pure: no cluster is asked here.

Only what the manifest sets is compared: defaults, status and whatever else the API server and its controllers fill in
is theirs. What somebody other than Helm, Argo CD or a controller set besides is told from the managed fields. Drift and
evidence of every delivery model come from here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jenkins_cd.drift import Change, Kind, owners, values
from jenkins_cd.drift.paths import Key, Path, find, first_missing, keys, overlap, show

Object = Mapping[str, Any]

_IDENTITY = ("namespace", "name")
_KINDS: tuple[Kind, ...] = ("changed", "removed", "added", "missing", "extra")
_ANNOTATIONS = ("kubectl.kubernetes.io/", "deployment.kubernetes.io/", "deprecated.daemonset.template.generation")


@dataclass(frozen=True)
class Difference:
    """A field that is not as a manifest says."""

    path: Path
    kind: Kind
    wanted: Any = None
    live: Any = None


OneWay = Callable[[Object, Object], Sequence[Difference]]  # what is wanted, what lives: what is not as wanted


def fields(manifest: Object, live: Object) -> list[Difference]:
    """Return the fields of a live object that are not as its manifest says, whoever set them."""
    return list(_mapping(_normal(manifest), _normal(live), ()))


def both_ways(wanted: Object, live: Object, one_way: OneWay = fields) -> list[Difference]:
    """Return what differs of two whole objects: also the fields that the live one has and the wanted one has not."""
    gone = [one for one in one_way(live, wanted) if one.kind == "removed"]
    return distinct(one_way(wanted, live), [Difference(one.path, "added", None, one.wanted) for one in gone])


def distinct(*founds: Iterable[Difference]) -> list[Difference]:
    """Return differences one after the other, but for those of a part or the whole of what was told before."""
    told: list[Difference] = []
    for one in itertools.chain(*founds):
        if not any(overlap(one.path, known.path) for known in told):
            told.append(one)
    return told


def differences(manifest: Object, live: Object, scaled: bool = False) -> list[Difference]:
    """Return the fields of a live object that are not as its manifest says.

    `scaled`: an autoscaler sets the replicas. What Kubernetes itself set is as it should be.
    """
    found = owners.owners(live)
    told = [one for one in fields(manifest, live) if not _systems(found, one.path)]
    told += _added(_normal(manifest), live, found)
    return [one for one in told if not (scaled and one.path == ("spec", "replicas"))]


def confirmed(found: Sequence[Difference], resolved: Object, live: Object) -> list[Difference]:
    """Return the differences that are still there where the API server has written the manifest its own way."""
    resolved, live = _normal(resolved), _normal(live)
    return [one for one in found if one.kind == "added" or find(resolved, one.path) != find(live, one.path)]


def changes(found: Iterable[Difference], live: Object) -> list[Change]:
    """Return differences of an object as people read them, with who made them and when."""
    known, kind = owners.owners(live), str(live.get("kind"))
    told = []
    for one in found:
        by = owners.changed_by(known, one.path) if one.kind != "removed" else None
        told.append(
            Change(
                object=title(live),
                kind=one.kind,
                field=show(one.path),
                wanted=values.shown(one.wanted, one.path, kind),
                live=values.shown(one.live, one.path, kind),
                by=by.manager if by else "",
                at=by.at if by else None,
            )
        )
    return told


def missing(manifest: Object) -> Change:
    """Return the change that an object of the release is gone."""
    return Change(object=title(manifest), kind="missing")


def stray(live: Object) -> Change:
    """Return the change that an object says it belongs to the release, and does not."""
    by = owners.made_by(owners.owners(live))
    made = owners.instant((live.get("metadata") or {}).get("creationTimestamp"))
    return Change(object=title(live), kind="extra", by=by.manager if by else "", at=made)


def title(one: Object) -> str:
    """Return an object as `Kind/name`."""
    return f"{one.get('kind')}/{(one.get('metadata') or {}).get('name')}"


def scaled(manifests: Iterable[Object]) -> frozenset[str]:
    """Return the titles of what autoscalers among some objects scale."""
    targets = [
        (one.get("spec") or {}).get("scaleTargetRef") or {}
        for one in manifests
        if one.get("kind") in ("HorizontalPodAutoscaler", "ScaledObject")
    ]
    return frozenset(f"{one.get('kind', 'Deployment')}/{one.get('name')}" for one in targets)


def sentence(changes: Sequence[Change], objects: int, hidden: Mapping[str, str]) -> str:
    """Return what came of comparing objects; `hidden` are those that could not be seen, and why."""
    said = []
    if changes:
        counts = {kind: sum(one.kind == kind for one in changes) for kind in _KINDS}
        listed = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
        touched = len({one.object for one in changes})
        said.append(f"{touched} object{'s' if touched != 1 else ''} not as deployed: {listed}")
    elif not hidden:
        said.append(f"all {objects} objects are as deployed" if objects != 1 else "its one object is as deployed")
    if hidden:
        said.append(f"it cannot be known of {', '.join(hidden)}: {next(iter(hidden.values()))}")
    return "; ".join(said)


def alike(wanted: Any, live: Any, path: Path) -> bool:
    """Tell whether two values mean the same at `path`, as far as the first one says anything."""
    return not any(True for _ in _value(wanted, live, path))


def _normal(one: Object) -> Object:
    return values.decoded(one) if one.get("kind") == "Secret" else one


def _mapping(wanted: Mapping[str, Any], live: Mapping[str, Any], path: Path) -> Iterator[Difference]:
    for name, value in wanted.items():
        here = (*path, name)
        if _servers(here):
            continue
        if name in live:
            yield from _value(value, live[name], here)
        elif not values.dropped(value, here):
            yield Difference(here, "removed", value)


def _value(wanted: Any, live: Any, path: Path) -> Iterator[Difference]:
    if wanted is None or (not live and values.dropped(wanted, path)):
        return
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        yield from _mapping(wanted, live, path)
    elif isinstance(wanted, list) and isinstance(live, list):
        yield from _list(wanted, live, path)
    elif not values.same(wanted, live, path):
        yield Difference(path, "changed", wanted, live)


def _list(wanted: Sequence[Any], live: Sequence[Any], path: Path) -> Iterator[Difference]:
    names = keys(path, wanted, live)
    if names:
        for item in wanted:
            key = Key.of(item, names)
            there = next((one for one in live if key.fits(one)), None)
            if there is None:
                yield Difference((*path, key), "removed", item)
            else:
                yield from _value(item, there, (*path, key))
    elif len(wanted) != len(live):
        yield Difference(path, "changed", wanted, live)
    else:
        for index, (one, other) in enumerate(zip(wanted, live, strict=True)):
            yield from _value(one, other, (*path, index))


def _added(wanted: Object, live: Object, found: Sequence[owners.Owner]) -> list[Difference]:
    """Return what people set besides the manifest, the largest parts that it does not know.

    Of an object that Helm or Argo CD has no part in any more nobody can tell what is a default and what was set.
    """
    if not any(one.deploys for one in found):
        return []
    told: dict[Path, Difference] = {}
    for owner in found:
        if owner.deploys or owner.controller:
            continue
        for leaf in owners.leaves(owner):
            if leaf[0] == "metadata" or _servers(leaf):
                continue
            path, value = first_missing(wanted, leaf), find(_normal(live), leaf)
            if path and value is not None:
                told.setdefault(path, Difference(path, "added", None, find(_normal(live), path)))
    return list(told.values())


def _systems(found: Sequence[owners.Owner], path: Path) -> bool:
    owner = owners.changed_by(list(found), path)
    return owner is not None and owner.system


def _servers(path: Path) -> bool:
    """Tell whether a field is the API server's or a controller's own."""
    if path[0] in ("status", "apiVersion", "kind"):
        return True
    if path[0] == "metadata" and len(path) == 2:
        return path[1] in values.SERVER_FIELDS or path[1] in _IDENTITY
    last, before = path[-1], path[-2] if len(path) > 1 else ""
    return last == "creationTimestamp" or (
        before == "annotations" and isinstance(last, str) and last.startswith(_ANNOTATIONS)
    )
