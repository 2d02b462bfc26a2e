"""Who set a field, and when: `metadata.managedFields`, as the API server keeps them of every object.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management. A field that somebody takes away
leaves no trace there: who did it stands in the cluster's audit log alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jenkins_cd.drift.paths import Key, Path
from jenkins_cd.tools.answers import Malformed, document, moment, whole_number

_DEPLOYS = re.compile(r"helm[\w.-]*|argocd-(application-)?controller")
# Parts of Kubernetes itself, and what fills in `caBundle`: what they set is theirs, whatever a manifest says.
_SYSTEM = re.compile(r"kube-.*|kubelet|k3s|cloud-controller-manager|cluster-autoscaler|vpa-.*|.*cainjector.*")
# What they add to an object is the way they work. Where they change what the manifest sets, that is told.
_CONTROLLER = re.compile(r".*(controller|operator|injector|webhook|autoscaler).*", re.IGNORECASE)


@dataclass(frozen=True)
class Owner:
    """Somebody who set fields of an object."""

    manager: str  # as kubectl-edit, kubectl-client-side-apply
    at: datetime | None
    fields: Mapping[str, Any]
    subresource: str = ""

    @property
    def deploys(self) -> bool:
        """Tell whether it is Helm, under whatever name its program has, or Argo CD."""
        return bool(_DEPLOYS.fullmatch(self.manager))

    @property
    def system(self) -> bool:
        """Tell whether it is Kubernetes itself."""
        return bool(_SYSTEM.fullmatch(self.manager))

    @property
    def controller(self) -> bool:
        """Tell whether it is a program that watches the cluster, and no person."""
        return self.system or bool(_CONTROLLER.fullmatch(self.manager)) or self.subresource == "status"

    def covers(self, path: Path) -> bool:
        """Tell whether it set what stands at `path`, or the whole that this is a part of."""
        here: Any = self.fields
        for step in path:
            found = _below(here, step)
            if found is None:
                return not here  # a leaf: all below it belongs to it
            here = found
        return True


def owners(live: Mapping[str, Any]) -> list[Owner]:
    """Return who set fields of an object, the last one first."""
    found = [
        Owner(
            manager=str(entry.get("manager") or "unknown"),
            at=instant(entry.get("time")),
            fields=entry.get("fieldsV1") or {},
            subresource=str(entry.get("subresource") or ""),
        )
        for entry in (live.get("metadata") or {}).get("managedFields") or ()
    ]
    return sorted(found, key=lambda one: one.at.timestamp() if one.at else 0.0, reverse=True)


def changed_by(found: list[Owner], path: Path) -> Owner | None:
    """Return who set `path` last and is not what deploys, or None where nobody is known."""
    return next((one for one in found if not one.deploys and one.covers(path)), None)


def made_by(found: list[Owner]) -> Owner | None:
    """Return who wrote an object first, or None where nobody is known."""
    return next((one for one in reversed(found) if not one.controller), None)


def leaves(owner: Owner) -> Iterator[Path]:
    """Yield each field that somebody set, the smallest that are told apart."""
    yield from _leaves(owner.fields, ())


def instant(text: Any) -> datetime | None:
    """Return a moment that the API server writes, or None for none."""
    return moment(text)


def _leaves(tree: Mapping[str, Any], path: Path) -> Iterator[Path]:
    for name, below in tree.items():
        step = _step(name)
        if step is None:
            continue
        here = (*path, step)
        if below and isinstance(below, Mapping):
            yield from _leaves(below, here)
        else:
            yield here


def _below(tree: Mapping[str, Any], step: str | int | Key) -> Mapping[str, Any] | None:
    """Return what is below a step. Of an item the API server may name more key fields than we do, or fewer."""
    if isinstance(step, str):
        return _tree(tree.get(f"f:{step}"))
    return next((_tree(below) for name, below in tree.items() if _step(name) == step), None)


def _tree(below: Any) -> Mapping[str, Any] | None:
    return below if isinstance(below, Mapping) else None


def _step(name: str) -> str | int | Key | None:
    """Return the step of a path that a name of `fieldsV1` stands for, None for the object itself (`.`)."""
    kind, _, rest = name.partition(":")
    if kind == "f":
        return rest
    if kind == "k":
        return _key(rest)
    return whole_number(rest) if kind == "i" and rest.isdecimal() else None


def _key(text: str) -> Key | None:
    """Return the key that an item of a list is known by, None where it is told in no way that is known here."""
    try:
        return Key(tuple(sorted(document(text, dict[str, str | int | float | bool]).items())))
    except Malformed:
        return None
