"""What of an object that we set up is ours, and how one that is there differs from it.

Of a specification that is all that we write, with everything below; what else is there is left alone. What a server
fills in is no difference, nor is order: no list here has a meaning in its order.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from jenkins_cd.lines import split_lines
from jenkins_cd.tools.yaml_writer import dump

Object = Mapping[str, Any]
_OURS = {  # keys of `spec`; where we do not write one, it must not be there
    "AppProject": (
        "description",
        "sourceRepos",
        "sourceNamespaces",
        "destinations",
        "clusterResourceWhitelist",
        "clusterResourceBlacklist",
        "namespaceResourceWhitelist",
        "namespaceResourceBlacklist",
        "orphanedResources",
        "roles",
        "syncWindows",
    ),
    "Application": ("project", "source", "sources", "sourceHydrator", "destination", "syncPolicy"),
    "ApplicationSet": ("goTemplate", "goTemplateOptions", "generators", "syncPolicy", "template", "templatePatch"),
}
_MARKS = ("labels", "annotations")


def merged(wanted: Object, there: Object) -> dict[str, Any]:
    """Return what to write over an object that is there: ours as it is wanted, all else as it is."""
    spec = {key: value for key, value in (there.get("spec") or {}).items() if key not in _OURS[wanted["kind"]]}
    metadata, present = wanted["metadata"], there.get("metadata") or {}
    marks = {name: {**(present.get(name) or {}), **metadata[name]} for name in _MARKS if name in metadata}
    kept = {name: present[name] for name in ("annotations", "finalizers") if present.get(name)}
    return {**wanted, "metadata": {**kept, **metadata, **marks}, "spec": {**spec, **wanted["spec"]}}


def widened(wanted: Object, there: Object) -> dict[str, Any]:
    """Return an AppProject that also allows the sources and destinations that it allows now.

    Argo CD refuses to take away what an Application still has: the Applications must change before it is taken away.
    """
    spec, present = wanted["spec"], there.get("spec") or {}
    both = {
        key: [*spec[key], *(one for one in present.get(key) or () if one not in spec[key])]
        for key in ("sourceRepos", "destinations")
    }
    return {**wanted, "spec": {**spec, **both}}


def diff(wanted: Object, there: Object | None) -> str:
    """Return how an object that is there must change, as a unified diff of YAML; empty where it need not."""
    name = f"{wanted['kind']}/{wanted['metadata']['name']}"
    before = _shown(there, wanted) if there is not None else ""
    lines = difflib.unified_diff(
        split_lines(before),
        split_lines(_shown(wanted, wanted)),
        f"{name} (there)" if there is not None else "/dev/null",
        name,
        lineterm="",
    )
    return "".join(f"{line}\n" for line in lines)


def fields(wanted: Object, there: Object) -> tuple[str, ...]:
    """Return what of an object that is there must change, as `source.targetRevision`; a list is one field."""
    found = _differing(_compared(there, wanted), _compared(wanted, wanted))
    return tuple(one.removeprefix("spec.") for one in found)


def ours(there: Object) -> bool:
    """Tell whether we have made an object."""
    labels = (there.get("metadata") or {}).get("labels") or {}
    return bool(labels.get("app.kubernetes.io/managed-by") == "jenkins-cd")


def _shown(object_: Object, wanted: Object) -> str:
    return dump(_compared(object_, wanted), sort_keys=True)


def _compared(object_: Object, wanted: Object) -> dict[str, Any]:
    metadata = object_.get("metadata") or {}
    spec = object_.get("spec") or {}
    compared = {
        **{name: _same_keys(metadata.get(name), wanted["metadata"].get(name)) for name in _MARKS},
        "spec": {key: spec[key] for key in _OURS[wanted["kind"]] if key in spec},
    }
    return dict(_normal(compared))


def _differing(there: Any, wanted: Any, place: str = "") -> Iterator[str]:
    if isinstance(there, Mapping) and isinstance(wanted, Mapping):
        for key in sorted({*there, *wanted}):
            yield from _differing(there.get(key), wanted.get(key), f"{place}.{key}" if place else key)
    elif there != wanted:
        yield place


def _same_keys(there: Any, wanted: Any) -> dict[str, Any]:
    """Return of labels or annotations those that we write: others may add theirs."""
    return {key: value for key, value in (there or {}).items() if key in (wanted or {})}


def _normal(value: Any) -> Any:
    """Return a value without what says nothing: empty, false, a server's default; lists in one order."""
    if isinstance(value, Mapping):
        explicit = _explicit(value)
        cleaned = {key: _normal(one) for key, one in explicit.items()}
        return {key: one for key, one in cleaned.items() if one not in (None, "", [], {}, False)}
    if isinstance(value, list | tuple):
        return sorted((_normal(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    return value


def _explicit(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with what is meant by a key's mere presence written out, and without what is no setting."""
    found = {key: one for key, one in value.items() if key != "jwtTokens"}
    if found.get("timeZone") == "UTC":
        del found["timeZone"]
    if "schedule" in found:
        found.pop("description", None)  # older servers do not keep it
    if isinstance(automated := found.get("automated"), Mapping):
        found["automated"] = {**automated, "enabled": True} if automated.get("enabled") is not False else None
    if isinstance(orphaned := found.get("orphanedResources"), Mapping):
        found["orphanedResources"] = {**orphaned, "enabled": True, "warn": orphaned.get("warn") is not False}
    return found
