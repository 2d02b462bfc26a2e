"""The layers: built-in defaults → `defaults` of platform.yaml → cd.yaml → the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jenkins_cd.config import APP_FILE, Config, Origin, rules
from jenkins_cd.config import platform as places
from jenkins_cd.config.check import Checked, build, check, refusal
from jenkins_cd.config.shape import keys
from jenkins_cd.config.types import AppFile, PlatformFile
from jenkins_cd.config.yaml import Problem, read
from jenkins_cd.errors import BadInput


def load(workspace: Path, platform: str | None = None, overrides: Sequence[str] = ()) -> Config:
    """Return the checked configuration of a checkout. Raises BadInput with every problem of every layer.

    `overrides` are `key.of.cd.yaml=value`, the value as YAML.
    """
    if not (workspace / APP_FILE).exists():
        raise BadInput(f"there is no {APP_FILE} in {workspace}", "jenkins-cd init writes one; -C names another folder")
    app, rules_ = _load(workspace, platform, overrides)
    assert app  # noqa: S101 - the file is there, and had it a problem we were not here
    return Config(app[0], rules_[0] if rules_ else None, {**(rules_[1] if rules_ else {}), **app[1]})


def load_platform(platform: str | None, workspace: Path) -> PlatformFile:
    """Return the platform file alone. Raises BadInput where there is none, and with every problem."""
    place = places.locate(platform, workspace)
    if place is None:
        raise BadInput(
            "no platform file was found",
            f"give --platform FILE, set {places.VARIABLE}, or put platform.yaml beside {APP_FILE}",
        )
    checked = _platform(place)
    problems, value = _typed_platform(checked)
    if problems or value is None:
        raise refusal(problems)
    return value


def load_any(
    workspace: Path, platform: str | None, overrides: Sequence[str] = ()
) -> tuple[AppFile | None, PlatformFile | None]:
    """Return what is there of the two files. Raises BadInput where neither is, and with every problem."""
    app, rules_ = _load(workspace, platform, overrides)
    if not app and not rules_:
        raise BadInput(f"there is neither {APP_FILE} nor a platform file in {workspace}", "jenkins-cd init writes one")
    return app[0] if app else None, rules_[0] if rules_ else None


Part = tuple[Any, Mapping[str, Origin]]


def _load(workspace: Path, platform: str | None, overrides: Sequence[str]) -> tuple[Part | None, Part | None]:
    problems: list[Problem] = []
    place = places.locate(platform, workspace)
    upper = _platform(place) if place else None
    platform_problems, rules_ = _typed_platform(upper) if upper else ([], None)
    problems += platform_problems
    app: AppFile | None = None
    origins: dict[str, Origin] = {}
    if (workspace / APP_FILE).exists():
        lower = _app(workspace)
        given = [_override(text) for text in overrides]
        problems += [problem for layer in (lower, *given) for problem in layer.problems]
        if not problems:
            app, origins = _merged(upper, lower, given)
            problems += rules.of_app(app, origins)
            if rules_ and upper:
                problems += rules.between(app, rules_, upper.origins)
    if problems:
        raise refusal(problems)
    return (app, origins) if app else None, (rules_, upper.origins) if rules_ and upper else None


def _app(workspace: Path) -> Checked:
    text = read(workspace / APP_FILE, APP_FILE, "app")
    if isinstance(text, Problem):
        return Checked(APP_FILE, "app", problems=[text])
    foreign = dict.fromkeys(keys(PlatformFile), "only the platform file may set it; the platform team owns it")
    return check(text, AppFile, APP_FILE, "app", foreign=foreign)


def _platform(place: str) -> Checked:
    text, shown = places.content(place), places.shown(place)
    if isinstance(text, Problem):
        return Checked(shown, "platform", problems=[text])
    foreign = dict.fromkeys(keys(AppFile), f"belongs in {APP_FILE}, or under `defaults`")
    return check(text, PlatformFile, shown, "platform", foreign=foreign)


def _typed_platform(checked: Checked) -> tuple[list[Problem], PlatformFile | None]:
    if checked.problems:
        return list(checked.problems), None
    value = build(PlatformFile, checked.data)
    return list(rules.of_platform(value, checked.origins)), value


def _override(text: str) -> Checked:
    """Check one `--set`; its key is written out as the nested mapping that it stands for."""
    key, separator, value = text.partition("=")
    shown = f"--set {key}"
    if not separator or not all(key.split(".")):
        return Checked(shown, "command line", problems=[Problem(shown, 1, "command line", "expected KEY=VALUE")])
    document = "".join("{" + name + ": " for name in key.split(".")) + value + "}" * len(key.split("."))
    return check(document, AppFile, shown, "command line", partial=True)


def _merged(upper: Checked | None, lower: Checked, given: Sequence[Checked]) -> tuple[AppFile, dict[str, Origin]]:
    defaults = (upper.data.get("defaults") or {}) if upper else {}
    data: dict[str, Any] = {}
    for layer in (defaults, lower.data, *(one.data for one in given)):
        data = _overlay(data, layer)
    origins = {
        key.removeprefix("defaults."): origin
        for key, origin in (upper.origins if upper else {}).items()
        if key.startswith("defaults.")
    }
    for one in (lower, *given):
        origins.update(one.origins)
    return build(AppFile, data), origins


def _overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return `below` with `above` laid over it, key by key; a list replaces a list."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _overlay(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged
