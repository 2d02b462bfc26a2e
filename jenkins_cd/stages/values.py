"""The values of each environment in an app's chart, `values-<environment>.yaml`, where there is no deploy repository.

They stand in the app's own chart, or beside cd.yaml where the chart is generated: there they are values of the common
chart, as `package.chart.values` are.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jenkins_cd import files
from jenkins_cd.config.types import Environment
from jenkins_cd.errors import BadInput
from jenkins_cd.gitops import layout
from jenkins_cd.stages import Build
from jenkins_cd.suggest import nearest
from jenkins_cd.tools import helm
from jenkins_cd.tools.yaml_writer import dump

STAGE = "package"


def add(build: Build, chart: Path, common: str) -> None:
    """Put the environments' values beside cd.yaml into a generated chart, for the common chart that it depends on.

    Raises BadInput where a file holds no values.
    """
    for environment in _environments(build):
        source = build.workspace / layout.values_file(environment)
        if os.path.lexists(source):  # what is there is read, or told
            if not source.resolve().is_relative_to(build.workspace.resolve()):
                raise BadInput(f"the link {source.name} leads out of the checkout")
            below = {common: _read(files.read(source), source.name)}
            (chart / source.name).write_text(dump(below), encoding="utf-8")


def render(build: Build, package: Path, chart: str, folder: Path) -> list[str]:
    """Render a packaged chart with each environment's values; returns the environments that have some.

    Raises BadInput that names the file with which it does not render, that is not in the package, or whose name looks
    like that of an environment and is not.
    """
    _check_names(build)
    app, packaged, rendered = build.config.app.app, layout.packaged(package, chart), []
    for environment in _environments(build):
        name = layout.values_file(environment)
        content, shown = packaged.get(name), _shown(build, name)
        if content is not None:
            _read(content, shown)
            render_with(package, app, environment, content, folder / name, shown)
            rendered.append(environment)
        elif (_folder(build) / name).is_file():
            raise BadInput(f"{shown} is not in the package of the chart", "take it out of .helmignore")
    if lacking := [layout.values_file(one) for one in _environments(build) if one not in rendered]:
        build.progress.note(STAGE, f"there is no {' and no '.join(lacking)}: the chart's own values hold there")
    return rendered


def render_with(package: Path, app: str, environment: str, content: bytes, file: Path, shown: str) -> None:
    """Render a packaged chart with values, which are written to `file`. Raises BadInput that calls them `shown`."""
    file.write_bytes(content)
    try:
        helm.template(package, app, environment, [file])
    except BadInput as error:
        raise BadInput(f"{environment}: the chart does not render with {shown}", error.hint, error.problems) from error


def _read(content: bytes, shown: str) -> dict[str, Any]:
    """Return the values of a file. Raises BadInput where it is none, or would not be what it seems to be.

    A chart is pushed as a dependency, and Helm takes no default of a dependency away for a null.
    """
    values = layout.values_of(content, shown)
    if nulls := list(_nulls(values, "")):
        raise BadInput(
            f"{shown}: {', '.join(nulls[:9])}: null, which would leave the chart's own value as it is",
            "write the value that is meant, or leave the key out",
        )
    return values


def _nulls(value: Any, key: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _nulls(inner, f"{key}.{name}" if key else name)
    elif value is None:
        yield key


def _check_names(build: Build) -> None:
    """Tell of files that nobody reads. Raises BadInput where one seems to be meant for an environment that has none."""
    known = _environments(build)
    lacking = [one for one in known if not (_folder(build) / layout.values_file(one)).is_file()]
    for name, file in _named(_folder(build)):
        shown = _shown(build, file)
        if name in known:
            if not file.endswith(".yaml"):
                raise BadInput(f"{shown} is not read", f"name it {layout.values_file(name)}")
            continue
        if near := nearest(name, lacking):
            raise BadInput(
                f"{shown}: there is no environment {name!r}{near}",
                "rename it; where it is meant to be another, give that environment a file, which may be empty",
            )
        build.progress.note(STAGE, f"{shown} is not used: the environments are {', '.join(known)}")


def _named(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the files that are named as those of an environment: that name, and the file's."""
    for file in sorted(folder.glob("values-*")):
        found = re.fullmatch(r"values-(.+)\.(yaml|yml)", file.name)
        if found and file.is_file():
            yield found[1], file.name


def _environments(build: Build) -> Mapping[str, Environment]:
    return build.config.platform.environments if build.config.platform else {}


def _folder(build: Build) -> Path:
    """Return the folder in which the files stand."""
    return build.workspace / (build.config.app.package.chart.path or "")


def _shown(build: Build, name: str) -> str:
    path = build.config.app.package.chart.path
    return f"{path.rstrip('/')}/{name}" if path else name
