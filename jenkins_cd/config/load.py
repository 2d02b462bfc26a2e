"""The layers: built-in defaults → `defaults` of platform.yaml → cd.yaml → the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import reduce
from pathlib import Path
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode

from jenkins_cd.config import APP_FILE, Config, Origin, rules, tree
from jenkins_cd.config import platform as places
from jenkins_cd.config.check import Checked, absent, check, check_node
from jenkins_cd.config.problem import Problem, bad_input
from jenkins_cd.config.record import record
from jenkins_cd.config.shape import keys_of
from jenkins_cd.config.types import AppFile, PlatformFile
from jenkins_cd.config.yaml import TAG, Malformed, compose, read
from jenkins_cd.errors import BadInput
from jenkins_cd.masking import excerpt, spare

APP, PLATFORM, COMMAND_LINE = "app", "platform", "command line"
ONLY_PLATFORM = dict.fromkeys(keys_of(PlatformFile), "only the platform file may set it")
ONLY_APP = dict.fromkeys(keys_of(AppFile), f"belongs in {APP_FILE}, or under `defaults` where that has such a key")


@record(frozen=True)
class Examined:
    """What the files hold, as far as it is right, and everything that is wrong with them."""

    files: tuple[str, ...]  # those that were there
    app: AppFile | None = None
    platform: PlatformFile | None = None
    origins: Mapping[str, Origin] = field(default_factory=dict)  # of what is not built-in, by dotted key
    problems: tuple[Problem, ...] = ()

    def sound(self) -> Examined:
        """Return self. Raises BadInput with every problem where there is one."""
        if self.problems:
            raise bad_input(self.problems)
        return self


def load(workspace: Path, platform: str | None = None, overrides: Sequence[str] = ()) -> Config:
    """Return the checked configuration of a checkout. Raises BadInput with every problem of every layer.

    `platform` is where the platform file is, if that was said; `overrides` are `dotted.key=value`, the value as YAML.
    """
    if not os.path.lexists(workspace / APP_FILE):
        raise BadInput(
            f"there is no {APP_FILE} in {_folder(workspace)}", "jenkins-cd init writes one; -C names another folder"
        )
    found = examine(workspace, platform, overrides).sound()
    assert found.app  # noqa: S101 - the file is there, and nothing is wrong with it
    return Config(found.app, found.platform, found.origins)


def load_platform(platform: str | None, workspace: Path) -> PlatformFile:
    """Return the platform file alone. Raises BadInput where there is none, and with every problem."""
    place = places.locate(platform, workspace)
    if place is None:
        raise BadInput(
            "there is no platform file",
            f"give --platform FILE, set {places.VARIABLE}, or put platform.yaml beside {APP_FILE}",
        )
    found = _spared(_typed_platform(_platform(place), places.shown(place))).sound()
    assert found.platform  # noqa: S101 - it was read, and nothing is wrong with it
    return found.platform


def load_any(
    workspace: Path, platform: str | None = None, overrides: Sequence[str] = ()
) -> tuple[AppFile | None, PlatformFile | None]:
    """Return what is there of the two files. Raises BadInput where neither is, and with every problem."""
    found = examine(workspace, platform, overrides).sound()
    return found.app, found.platform


def examine(workspace: Path, platform: str | None = None, overrides: Sequence[str] = ()) -> Examined:
    """Return what the two files hold and every problem. Raises BadInput where there is neither."""
    place = places.locate(platform, workspace)
    has_app = os.path.lexists(workspace / APP_FILE)
    if place is None and not has_app:
        raise BadInput(
            f"there is neither {APP_FILE} nor a platform file in {_folder(workspace)}",
            "jenkins-cd init writes a cd.yaml",
        )
    upper = _platform(place) if place else None
    above = _typed_platform(upper, places.shown(place)) if upper and place else Examined(())
    if not has_app:
        return _spared(above)
    below = _app(workspace, upper, overrides)
    problems = [*above.problems, *below.problems]
    if below.app and above.platform:
        problems += rules.between(below.app, above.platform, {**above.origins, **below.origins})
    files, origins = (*above.files, *below.files), {**above.origins, **below.origins}
    return _spared(Examined(files, below.app, above.platform, origins, tuple(problems)))


def names(app: AppFile | None, platform: PlatformFile | None) -> list[str]:
    """Return what the configuration names: text has these everywhere, so no secret may be one of them."""
    return [*([app.app, app.project] if app else []), *(platform.environments if platform else ())]


def _spared(found: Examined) -> Examined:
    spare(names(found.app, found.platform))
    return found


def _platform(place: str) -> Checked:
    shown = places.shown(place)
    try:
        return check(places.content(place), PlatformFile, shown, PLATFORM, ONLY_APP)
    except Malformed as error:
        return _unreadable(Origin(PLATFORM, shown, error.line), error)


def _typed_platform(checked: Checked, shown: str) -> Examined:
    problems = [*checked.problems, *absent(checked, PlatformFile, Origin(PLATFORM, shown, 1))]
    if problems:
        return Examined((shown,), problems=tuple(problems))
    value = tree.build(PlatformFile, checked.value)
    return Examined((shown,), None, value, checked.origins, tuple(rules.of_platform(value, checked.origins)))


def _app(workspace: Path, upper: Checked | None, overrides: Sequence[str]) -> Examined:
    """Check cd.yaml and the command line, laid over the defaults of the platform file."""
    shown = places.shown(str(workspace / APP_FILE))
    try:
        own = check(read(workspace / APP_FILE), AppFile, shown, APP, ONLY_PLATFORM)
    except Malformed as error:
        own = _unreadable(Origin(APP, shown, error.line), error)
    merged = reduce(_over, [_defaults(upper), own, *map(_override, overrides)])
    problems = [*merged.problems, *absent(merged, AppFile, Origin(APP, shown, 1))]
    if problems or _defaults_are_wrong(upper):
        return Examined((shown,), problems=tuple(problems))
    value = tree.build(AppFile, merged.value)
    return Examined((shown,), value, None, merged.origins, tuple(rules.of_app(value, merged.origins)))


def _defaults(upper: Checked | None) -> Checked:
    """Return the layer below cd.yaml; what is wrong with it is told with the rest of the platform file."""
    value = upper.value.get("defaults") if upper and isinstance(upper.value, Mapping) else None
    origins = upper.origins if upper else {}
    below = {key.removeprefix("defaults."): one for key, one in origins.items() if key.startswith("defaults.")}
    return Checked(value if isinstance(value, Mapping) else {}, below, ())


def _defaults_are_wrong(upper: Checked | None) -> bool:
    return upper is not None and any(not one.key or one.key.split(".")[0] == "defaults" for one in upper.problems)


def _over(low: Checked, high: Checked) -> Checked:
    return Checked(tree.merge(low.value, high.value), {**low.origins, **high.origins}, low.problems + high.problems)


def _override(text: str) -> Checked:
    """Check one `--set`: its key is the nested mapping that it stands for, its value YAML."""
    key, separator, value = text.partition("=")
    origin = Origin(COMMAND_LINE)
    if not separator or not all(key.split(".")):
        return _unreadable(
            origin, Malformed(0, f"--set {excerpt(key, 60)!r}: expected KEY=VALUE, as ci.build.timeout=5m"), {}
        )
    try:
        node: Node = compose(value) if value.strip() else ScalarNode(f"{TAG}null", "")
        for name in reversed(key.split(".")):
            node = MappingNode(f"{TAG}map", [(ScalarNode(f"{TAG}str", name), node)])
        return check_node(node, AppFile, origin, ONLY_PLATFORM)
    except Malformed as error:
        return _unreadable(origin, Malformed(0, f"--set {excerpt(key, 60)}: the value {error.message}"), {})


def _unreadable(origin: Origin, error: Malformed, value: Any = tree.INVALID) -> Checked:
    return Checked(value, {}, (Problem(origin, "", error.message),))


def _folder(workspace: Path) -> str:
    return "this folder" if workspace.resolve() == Path.cwd() else str(workspace)
