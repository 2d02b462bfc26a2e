"""Every value that holds, by its dotted key, with the layer and line that it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jenkins_cd.config import Origin, tree
from jenkins_cd.errors import BadInput
from jenkins_cd.free_text import FreeTexts
from jenkins_cd.masking import excerpt
from jenkins_cd.suggest import nearest


@dataclass(frozen=True, kw_only=True)
class Explained:
    """One value, where it came from, and what it means."""

    key: str
    value: FreeTexts
    layer: str
    file: str = ""
    line: int = 0
    meaning: str = ""

    @property
    def origin(self) -> str:
        """Return the origin as people read it."""
        return str(Origin(self.layer, self.file, self.line))


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The values that were asked for."""

    values: tuple[Explained, ...]
    schema: Literal["jenkins_cd/explain/v1"] = "jenkins_cd/explain/v1"


def explain(roots: Iterable[Any], origins: Mapping[str, Origin], key: str | None = None) -> Explanation:
    """Return the values of the files in `roots` at and below `key`, or all.

    A key without an origin is built-in. Raises BadInput with the nearest key where there is none such.
    """
    values = [one for root in roots for one in _values(root, origins)]
    found = [one for one in values if key is None or one.key == key or one.key.startswith((f"{key}.", f"{key}["))]
    if not found:
        known = {part for one in values for part in _upwards(one.key)}
        raise BadInput(
            f"there is no key {excerpt(key or '', 100)!r}{nearest(key or '', known)}", "jenkins-cd explain lists all"
        )
    return Explanation(values=tuple(found))


def _values(root: Any, origins: Mapping[str, Origin]) -> Iterable[Explained]:
    for key, value, shape in tree.leaves(type(root), root):
        origin = origins.get(key, Origin("built-in"))
        meaning = shape.meta("description") or ""
        yield Explained(key=key, value=value, layer=origin.layer, file=origin.file, line=origin.line, meaning=meaning)


def _upwards(key: str) -> Iterable[str]:
    while key:
        yield key
        key = key.rpartition(".")[0]
