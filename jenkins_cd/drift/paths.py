"""Places in an object: the fields, the items of lists by what tells them apart, and how both are shown.

Lists that the API server merges by a key (https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy)
are compared by it: their order says nothing, and an item that somebody adds moves no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Key:
    """Which item of a list is meant: its key fields and their values, as in `k:{"name":"app"}` of managed fields."""

    fields: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, item: Mapping[str, Any], names: Sequence[str]) -> Key:
        """Return the key of an item; what it leaves out has the API server's default."""
        return cls(tuple((name, item.get(name, _DEFAULTS.get(name))) for name in sorted(names)))

    def fits(self, item: Any) -> bool:
        """Tell whether an item of a list is the one that is meant."""
        return isinstance(item, Mapping) and all(
            item.get(name, _DEFAULTS.get(name)) == value for name, value in self.fields
        )


Path = tuple[str | int | Key, ...]

_DEFAULTS = {"protocol": "TCP"}
_KEYS: Mapping[str, tuple[tuple[str, ...], ...]] = {  # the list's field → the keys that its items may have
    "containers": (("name",),),
    "initContainers": (("name",),),
    "ephemeralContainers": (("name",),),
    "env": (("name",),),
    "volumes": (("name",),),
    "volumeMounts": (("mountPath",),),
    "volumeDevices": (("devicePath",),),
    "ports": (("containerPort", "protocol"), ("port", "protocol")),
    "imagePullSecrets": (("name",),),
    "secrets": (("name",),),
    "hostAliases": (("ip",),),
    "topologySpreadConstraints": (("topologyKey", "whenUnsatisfiable"),),
    "resourceClaims": (("name",),),
    "webhooks": (("name",),),
}
_MISSING = object()


def keys(path: Path, *lists: Sequence[Any]) -> tuple[str, ...] | None:
    """Return the fields that tell the items of a list at `path` apart, or None where only their order does."""
    for names in _KEYS.get(str(path[-1]) if path else "", ()):
        if all(_keyed(items, names) for items in lists):
            return names
    return None


def find(value: Any, path: Path) -> Any:
    """Return what stands at `path` in an object, or None where nothing does."""
    for step in path:
        value = _step(value, step)
        if value is _MISSING:
            return None
    return value


def first_missing(value: Any, path: Path) -> Path | None:
    """Return the part of `path` up to the first step that an object has not, or None where it has them all."""
    for index, step in enumerate(path, 1):
        if not isinstance(value, Mapping | list):
            return None
        value = _step(value, step)
        if value is _MISSING:
            return path[:index]
    return None


def show(path: Path) -> str:
    """Return a path as people write it, as `spec.template.spec.containers[app].image`."""
    return "".join(_shown(step) for step in path).removeprefix(".")


def overlap(one: Path, other: Path) -> bool:
    """Tell whether one path leads to a part of what stands at the other, or to the same."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def fields(path: Path) -> Iterator[str]:
    """Yield the names of the fields on the way."""
    yield from (step for step in path if isinstance(step, str))


def _step(value: Any, step: str | int | Key) -> Any:
    if isinstance(step, Key):
        return next((item for item in value if step.fits(item)), _MISSING) if isinstance(value, list) else _MISSING
    if isinstance(step, int):
        return value[step] if isinstance(value, list) and step < len(value) else _MISSING
    return value.get(step, _MISSING) if isinstance(value, Mapping) else _MISSING


def _keyed(items: Sequence[Any], names: tuple[str, ...]) -> bool:
    needed = [name for name in names if name not in _DEFAULTS]
    if not all(isinstance(item, Mapping) and all(item.get(name) is not None for name in needed) for item in items):
        return False
    found = [Key.of(item, names) for item in items]
    return all(key not in found[:index] for index, key in enumerate(found))


def _shown(step: str | int | Key) -> str:
    if isinstance(step, Key):
        values = [str(value) for name, value in step.fields if _DEFAULTS.get(name) != value]
        return f"[{'/'.join(values)}]"
    if isinstance(step, int):
        return f"[{step}]"
    return f"[{step}]" if "." in step or "/" in step else f".{step}"
