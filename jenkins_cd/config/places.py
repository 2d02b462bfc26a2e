"""Where a problem between keys is told, and what may stand in braces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from jenkins_cd.config import Origin
from jenkins_cd.config.problem import Problem
from jenkins_cd.suggest import nearest

PLACEHOLDERS = ("app", "project", "environment")
_BRACES = r"\{([^{}]*)\}|[{}]"


def at(origins: Mapping[str, Origin], key: str, message: str) -> Problem:
    """Return a problem at the place of `key`, or of the nearest key above it that a file sets."""
    place = key
    while place and place not in origins:
        place = place[: max(place.rfind("."), place.rfind("["), 0)]
    return Problem(origins.get(place, Origin("built-in")), key, message)


def given(origins: Mapping[str, Origin], key: str) -> bool:
    """Tell whether a file sets `key`, or anything below it."""
    return key in origins or any(one.startswith((f"{key}.", f"{key}[")) for one in origins)


def placeholders(
    text: str, key: str, origins: Mapping[str, Origin], names: Sequence[str] = PLACEHOLDERS
) -> Iterator[Problem]:
    """Yield what stands in braces and is filled in by nobody."""
    for brace in re.finditer(_BRACES, text):
        if brace[1] not in names:
            known = ", ".join(f"{{{name}}}" for name in names)
            hint = nearest(brace[1] or "", names)
            yield at(origins, key, f"unknown placeholder {brace[0]}{hint}: expected {known}")
