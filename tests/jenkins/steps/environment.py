"""Environment variables as Jenkins computes them (hudson.EnvVars, EnvironmentExpander)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

SHORTEST = 1  # characters; an empty secret masks nothing


@dataclass(frozen=True, kw_only=True)
class Layer:
    """What one withEnv or withCredentials sets."""

    values: Mapping[str, str] = field(default_factory=dict)
    secret: bool = False  # it is of withCredentials
    hidden: frozenset[str] = frozenset()  # names of the variables whose values the log hides


def overridden(base: Mapping[str, str], layers: Iterable[Layer]) -> dict[str, str]:
    """Return `base` with the layers on it, the outermost first.

    As EnvVars.overrideAll does: an empty value removes the variable, `PATH+ANY` is put before `PATH`, and `$` in a
    value means nothing (the durable task keeps the launcher from expanding it).
    """
    result = dict(base)
    for layer in layers:
        for name, value in layer.values.items():
            real, plus, _ = name.partition("+")
            if not value:
                result.pop(name, None)
            elif plus and real:
                result[real] = f"{value}:{result[real]}" if real in result else value
            else:
                result[name] = value
    return result


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return the text with each secret, and each line of one, as Jenkins' log shows it."""
    parts = {part for secret in secrets for part in (secret, *secret.splitlines()) if len(part.strip()) >= SHORTEST}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, "****")
    return text
