"""What a sync would make of a live object, before it is asked for: merged by its three states, and shown as a diff.

Argo CD says that of what Git declares. For what it does not declare yet it is worked out here as `kubectl apply` does:
what is wanted is set, what was declared and is not wanted any more goes, all else stays.
https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from jenkins_cd.argocd.states import Object
from jenkins_cd.drift import compare, values
from jenkins_cd.drift.paths import Key, Path, keys
from jenkins_cd.lines import split_lines
from jenkins_cd.tools.yaml_writer import dump

CHANGED = f"{values.HIDDEN}, another one"
_SERVERS = ("managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink")
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def merged(wanted: Object, declared: Object, live: Object) -> dict[str, Any]:
    """Return a live object as it would be where `wanted` is applied, and `declared` was before."""
    return _mapping(wanted, declared, live, ())


def heeded(wanted: Object, declared: Object, predicted: Object) -> dict[str, Any]:
    """Return of what is wanted what a sync would heed: `ignoreDifferences` leaves fields out of the prediction."""
    found = {}
    for name, value in wanted.items():
        before = declared.get(name)
        if name not in predicted and before is not None and not values.dropped(before, (name,)):
            continue
        if all(isinstance(one, Mapping) for one in (value, before, predicted.get(name))):
            value = heeded(value, declared[name], predicted[name])
        found[name] = value
    return found


def diff(title: str, before: Object | None, after: Object | None) -> str:
    """Return the unified diff of an object as YAML, without what the server keeps for itself; secrets are hidden."""
    old, new = _clean(before), _clean(after)
    names = f"live/{title}" if before else "/dev/null", f"wanted/{title}" if after else "/dev/null"
    shown = _dump(_veiled(old, None, ())), _dump(_veiled(new, old, ()))
    lines = [split_lines(one, keep_ends=True) for one in shown]
    return "".join(difflib.unified_diff(lines[0], lines[1], *names))


def _mapping(wanted: Object, declared: Object, live: Object, path: Path) -> dict[str, Any]:
    kept = {name: value for name, value in live.items() if name in wanted or name not in declared}
    for name, value in wanted.items():
        here = (*path, name)
        if value is None or value == []:
            kept.pop(name, None)
        elif name in live or not values.dropped(value, here):
            kept[name] = _value(value, declared.get(name), live.get(name), here)
    return kept


def _value(wanted: Any, declared: Any, live: Any, path: Path) -> Any:
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        return _mapping(wanted, declared if isinstance(declared, Mapping) else {}, live, path)
    if isinstance(wanted, list) and isinstance(live, list):
        return _list(wanted, declared if isinstance(declared, list) else [], live, path)
    return live if live is not None and values.same(wanted, live, path) else wanted


def _list(wanted: Sequence[Any], declared: Sequence[Any], live: Sequence[Any], path: Path) -> list[Any]:
    """Return a list: by the keys of its items where it has such, else as it is wanted."""
    names = keys(path, wanted, declared, live)
    if not names:
        return list(live if len(wanted) == len(live) and compare.alike(wanted, live, path) else wanted)
    ours = {Key.of(one, names): one for one in wanted}
    before = {Key.of(one, names): one for one in declared}
    there = {Key.of(one, names): one for one in live}
    kept = [key for key in there if key in ours or key not in before]
    return [
        _value(ours[key], before.get(key), there.get(key), (*path, key)) if key in ours else there[key]
        for key in [*kept, *(key for key in ours if key not in there)]
    ]


def _clean(one: Object | None) -> dict[str, Any]:
    """Return an object without what the server and its controllers fill in."""
    if not one:
        return {}
    metadata = {name: value for name, value in (one.get("metadata") or {}).items() if name not in _SERVERS}
    marks = {name: value for name, value in (metadata.pop("annotations", None) or {}).items() if name != _APPLIED}
    metadata = {**metadata, **({"annotations": marks} if marks else {})}
    return {**{name: value for name, value in one.items() if name != "status"}, "metadata": metadata}


def _veiled(value: Any, other: Any, path: Path, kind: str = "") -> Any:
    """Return a value with its secrets hidden; where `other` has another one, that is said."""
    if values.hidden(path, kind) and not isinstance(value, Mapping):
        return CHANGED if other is not None and other != value else values.HIDDEN
    if isinstance(value, Mapping):
        kind = kind or str(value.get("kind") or "")
        step = Key((("name", value["name"]),)) if path[-1:] == ("env",) and "name" in value else None
        place, there = (*path, step) if step else path, other if isinstance(other, Mapping) else {}
        return {name: _veiled(one, there.get(name), (*place, name), kind) for name, one in value.items()}
    if isinstance(value, list):
        others = _beside(value, other if isinstance(other, list) else [], path)
        return [_veiled(one, beside, path, kind) for one, beside in zip(value, others, strict=True)]
    return value


def _beside(value: Sequence[Any], other: Sequence[Any], path: Path) -> list[Any]:
    """Return for each item of a list the one of another list that it stands for, or None."""
    names = keys(path, value, other)
    if not names:
        return [other[index] if index < len(other) else None for index in range(len(value))]
    there = {Key.of(one, names): one for one in other}
    return [there.get(Key.of(one, names)) for one in value]


def _dump(one: Object) -> str:
    return dump(one, sort_keys=True) if one else ""
