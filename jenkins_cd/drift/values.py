"""When two values of a field mean the same to the API server, which fields are its own, and how a value is shown."""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from jenkins_cd.drift.paths import Key, Path, fields

HIDDEN = "(hidden)"
SERVER_FIELDS = frozenset({"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"})
_QUANTITIES = {"requests", "limits", "hard", "capacity", "storage", "sizeLimit", "averageValue", "divisor", "overhead"}
_QUANTITIES |= {"default", "defaultRequest", "max", "min", "maxLimitRequestRatio"}  # of a LimitRange
_INT_OR_STRING = {"port", "targetPort", "containerPort", "number", "maxSurge", "maxUnavailable", "minAvailable"}
_SERVER_CHOOSES = {"clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort", "volumeName"}
_TEXTS = {"data", "binaryData", "stringData", "labels", "annotations", "matchLabels", "nodeSelector"}
_SUFFIXES: Mapping[str, Decimal] = {
    "": Decimal(1),
    **{name: Decimal(1000) ** power for power, name in zip((-3, -2, -1), "num", strict=True)},
    **{name: Decimal(1000) ** power for power, name in enumerate("kMGTPE", 1)},
    **{f"{name}i": Decimal(1024) ** power for power, name in enumerate("KMGTPE", 1)},
}
_QUANTITY = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([numkMGTPE]?|[KMGTPE]i)")
_SECRET = re.compile(r"(?i)passw|token|secret|credential|api.?key|private.?key")


def same(wanted: Any, live: Any, path: Path) -> bool:
    """Tell whether two values, neither of them a mapping or list in both, mean the same at `path`."""
    if isinstance(wanted, bool) == isinstance(live, bool) and wanted == live:
        return True
    names = set(fields(path))
    last = path[-1] if path else ""
    if last in _SERVER_CHOOSES and not wanted:
        return True
    if last in _INT_OR_STRING and str(wanted) == str(live):
        return True
    if names & _QUANTITIES and not names & _TEXTS:
        amount = quantity(wanted)
        return amount is not None and amount == quantity(live)
    return False


def dropped(wanted: Any, path: Path) -> bool:
    """Tell whether the API server leaves such a value out: an empty one, other than text that somebody named."""
    if wanted is None:
        return True
    if isinstance(wanted, Mapping):
        return all(dropped(value, (*path, name)) for name, value in wanted.items())
    return not wanted and not set(fields(path[:-1])) & _TEXTS


def quantity(value: Any) -> Decimal | None:
    """Return a quantity such as `500m`, `1Gi` or 0.5 as a number, or None for what is none.

    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    """
    found = _QUANTITY.fullmatch(str(value)) if not isinstance(value, bool) else None
    try:
        return Decimal(found[1]) * _SUFFIXES[found[2]] if found else None
    except InvalidOperation:
        return None


def shown(value: Any, path: Path, kind: str) -> str:
    """Return a value as people read it, with everything hidden that is a secret or is named like one."""
    if value is None:
        return ""
    if hidden(path, kind):
        return HIDDEN
    if isinstance(value, str):
        return value
    return json.dumps(_without_secrets(value, path, kind), separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def hidden(path: Path, kind: str) -> bool:
    """Tell whether what stands at `path` is nobody's business: data of a Secret, and text under a telling name."""
    if kind == "Secret":
        return bool(path) and path[0] in ("data", "stringData")
    if path and path[0] in ("data", "binaryData"):
        return len(path) > 1 and bool(_SECRET.search(str(path[1])))
    named = [step for before, step in itertools.pairwise(path) if before == "env" and isinstance(step, Key)]
    return path[-1:] == ("value",) and any(_SECRET.search(str(step.fields)) for step in named)


def decoded(secret: Mapping[str, Any]) -> dict[str, Any]:
    """Return a Secret as the API server keeps it: what `stringData` says is in `data`, with no white space in it."""
    data = {name: re.sub(r"\s", "", value or "") for name, value in (secret.get("data") or {}).items()}
    for name, value in (secret.get("stringData") or {}).items():
        data[name] = base64.b64encode(str(value).encode()).decode()
    rest = {name: value for name, value in secret.items() if name not in ("data", "stringData")}
    return {**rest, "data": data} if data else rest


def _without_secrets(value: Any, path: Path, kind: str) -> Any:
    if isinstance(value, Mapping):
        step = Key((("name", value["name"]),)) if path and path[-1] == "env" and "name" in value else None
        place = (*path, step) if step else path
        return {name: _without_secrets(one, (*place, name), kind) for name, one in value.items()}
    if isinstance(value, list):
        return [_without_secrets(one, path, kind) for one in value]
    return HIDDEN if hidden(path, kind) else value
