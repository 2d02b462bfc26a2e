"""Every value that holds, by its dotted key, with the layer and line that it came from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jenkins_cd.config import Origin
from jenkins_cd.config.shape import keys
from jenkins_cd.errors import BadInput
from jenkins_cd.suggest import nearest


@dataclass(frozen=True, kw_only=True)
class Explained:
    """One value and where it came from."""

    key: str
    value: Any
    layer: str
    file: str = ""
    line: int = 0

    @property
    def origin(self) -> str:
        """Return the origin as people read it."""
        return str(Origin(self.layer, self.file, self.line))


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The values that were asked for."""

    values: tuple[Explained, ...]
    schema: str = "jenkins_cd/explain/v1"


def explain(roots: tuple[Any, ...], origins: Mapping[str, Origin], key: str | None) -> Explanation:
    """Return the values at and below `key`, or all. Raises BadInput with the nearest key where there is none."""
    values = [one for root in roots for one in _leaves(root, "", origins)]
    if key is None:
        return Explanation(values=tuple(values))
    found = tuple(one for one in values if one.key == key or one.key.startswith((f"{key}.", f"{key}[")))
    if not found:
        known = {one.key for one in values} | {one.key.rpartition(".")[0] for one in values}
        raise BadInput(
            f"there is no key {key[:100]!r}{nearest(key, known - {''})}", "jenkins-cd explain lists them all"
        )
    return Explanation(values=found)


def _leaves(value: Any, key: str, origins: Mapping[str, Origin]) -> Iterator[Explained]:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for name, one in keys(type(value)).items():
            yield from _leaves(getattr(value, one.attribute), f"{key}.{name}" if key else name, origins)
    elif isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}.{name}", origins)
    elif isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{key}[{index}]", origins)
    else:
        origin = origins.get(key, Origin("built-in"))
        yield Explained(key=key, value=value, layer=origin.layer, file=origin.file, line=origin.line)
