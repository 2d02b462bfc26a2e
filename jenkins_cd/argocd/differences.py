"""What is not as declared, from what Argo CD has compared: `v1alpha1ResourceDiff` of the API's swagger.json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from jenkins_cd.argocd import states
from jenkins_cd.argocd.states import Object
from jenkins_cd.report.text import clean, fit, one_line

WIDEST = 60  # columns of a value
EACH = 8  # fields of one object
_SERVERS = frozenset({"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "status"})


def lines(managed: Sequence[Object]) -> list[str]:
    """Return a line for each object that is not as declared, and one for each of its fields. Secrets are not shown."""
    return [line for one in managed if not one.get("hook") for line in _of(one)]


def _of(one: Object) -> Iterator[str]:
    live, target = _object(one, "normalizedLiveState", "liveState"), _object(one, "predictedLiveState", "targetState")
    called = states.called(one)
    if target is None and live is not None and _object(one, "targetState") is None:
        yield f"{called} is there and is not declared"
    elif live is None:
        yield f"{called} is declared and is not there"
    elif target is not None and live != target:
        yield f"{called} is not as declared:"
        if one.get("kind") == "Secret":
            yield "  a Secret: what differs is not shown"
            return
        found = list(_fields(live, target, ""))
        yield from found[:EACH]
        if len(found) > EACH:
            yield f"  and {len(found) - EACH} more"


def _object(one: Object, *keys: str) -> Any:
    """Return the first of the objects that is there; Argo CD writes `null` where there is none."""
    for key in keys:
        try:
            found = json.loads(one.get(key) or "null")
        except ValueError:
            found = None
        if found is not None:
            return found
    return None


def _fields(live: Any, target: Any, path: str) -> Iterator[str]:
    """Yield `path: live → target` for each field that differs; a list of as many items is compared item by item."""
    if isinstance(live, dict) and isinstance(target, dict):
        for key in sorted({*live, *target} - _SERVERS):
            if live.get(key) != target.get(key):
                yield from _fields(live.get(key), target.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(live, list) and isinstance(target, list) and len(live) == len(target):
        for index, (old, new) in enumerate(zip(live, target, strict=True)):
            if old != new:
                yield from _fields(old, new, f"{path}[{index}]")
    else:
        yield f"  {clean(path)}: {_shown(live)} → {_shown(target)}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return fit(one_line(clean(text)), WIDEST)
