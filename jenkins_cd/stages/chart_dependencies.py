"""What an app's own chart depends on: charts beside it in the checkout, vendored packages, charts of a registry.

A dependency with `repository: file://…` is a folder relative to the chart that names it
(https://helm.sh/docs/helm/helm_dependency/). So a chart is copied along with what it names, each to the place in the
copy that it has in the checkout, and Helm finds them there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from jenkins_cd import common_chart, files
from jenkins_cd.errors import BadInput
from jenkins_cd.gitops import edit
from jenkins_cd.results import FOLDER
from jenkins_cd.tools import helm

_FILE = "file://"
_NOT_COPIED = (".git", FOLDER)  # at the top of a checkout


def copy(chart: Path, checkout: Path, into: Path) -> Path:
    """Copy a chart and every chart that is named by a `file://` below `into`, and return the copy of the first.

    Raises BadInput where one is not there, leads out of the checkout, or depends on itself.
    """
    charts = sorted({chart, *_named(chart, checkout, (chart,))}, key=lambda folder: len(folder.parts))
    for folder in charts:
        target = into / folder.relative_to(checkout)
        if not target.exists():  # it may be part of another one
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(folder, target, checkout)
    return into / chart.relative_to(checkout)


def complete(chart: Path, plain_http: bool, modified: datetime) -> None:
    """Put into a copied chart what it depends on, after that of the charts beside it; packages get one date.

    Raises BadInput for what cannot be read or is out of date, ExternalFailure for what cannot be fetched.
    """
    _check_kind(chart)
    named = [_folder(chart, one) for one in dependencies(chart) if _is_file(one)]
    beside = [folder for folder in named if (folder / "Chart.yaml").is_file()]  # the others are vendored
    for folder in beside:
        complete(folder, plain_http, modified)
    if dependencies(chart) and not helm.has_dependencies(chart) and not _completed(chart, beside, modified):
        locked = (chart / "Chart.lock").exists()
        helm.dependency_build(chart, plain_http, common_chart.advice(chart))
        if not locked:
            (chart / "Chart.lock").unlink(missing_ok=True)  # it tells the time, and would make each package another
        for description in map(read, beside):
            helm.repack(chart / "charts" / f"{description['name']}-{description['version']}.tgz", modified)


def _completed(chart: Path, beside: Sequence[Path], modified: datetime) -> bool:
    """Package the charts beside one into its `charts` where it has others too; tells whether nothing is left to fetch.

    Helm, asked to add the charts beside it, would fetch all others anew, also those that are vendored.
    """
    if all(map(_is_file, dependencies(chart))):
        return False
    for folder in beside:
        helm.package(folder, chart / "charts", str(read(folder).get("version") or ""), modified=modified)
    return helm.has_dependencies(chart)


def dependencies(chart: Path) -> list[dict[str, Any]]:
    """Return what the Chart.yaml of a chart folder lists. Raises BadInput for a list that is none."""
    listed = read(chart).get("dependencies") or []
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise BadInput(f"{chart.name}/Chart.yaml: `dependencies` is no list of charts", "write - {name: …, version: …}")
    return listed


def read(chart: Path) -> dict[str, Any]:
    """Return what a chart's Chart.yaml says, each value as its text. Raises BadInput where it is no chart's."""
    loaded = edit.load(files.read(chart / "Chart.yaml"), f"{chart.name}/Chart.yaml")
    if not isinstance(loaded, dict):
        raise BadInput(f"{chart.name}/Chart.yaml holds no mapping")
    return loaded


def _named(chart: Path, checkout: Path, above: tuple[Path, ...]) -> Iterator[Path]:
    """Yield the folders that a chart's dependencies name, and those that theirs name."""
    for one in dependencies(chart):
        if not _is_file(one):
            continue
        folder, shown = _folder(chart, one), f"{chart.name}/Chart.yaml: the dependency {one.get('name')}"
        if one["repository"].startswith(f"{_FILE}/"):
            raise BadInput(f"{shown} names an absolute path", f"write {_FILE} and a path relative to the chart")
        if not folder.is_relative_to(checkout):
            raise BadInput(f"{shown} leads out of the checkout: {one['repository']}", "put the chart into it")
        if not (folder / "Chart.yaml").is_file():
            if helm.has_dependencies(chart):  # vendored, and the folder is not kept
                continue
            raise BadInput(
                f"{shown}: there is no chart in {folder.relative_to(checkout)}", "name the folder with its Chart.yaml"
            )
        if folder in above:
            raise BadInput(f"{shown} depends on itself", "take the dependency out of one of the two charts")
        yield folder
        yield from _named(folder, checkout, (*above, folder))


def _is_file(dependency: dict[str, Any]) -> bool:
    return str(dependency.get("repository") or "").startswith(_FILE)


def _folder(chart: Path, dependency: dict[str, Any]) -> Path:
    return (chart / str(dependency["repository"]).removeprefix(_FILE)).resolve()


def _check_kind(chart: Path) -> None:
    if read(chart).get("apiVersion") == "v1" and (chart / "requirements.yaml").exists():
        raise BadInput(
            f"{chart.name} is a chart of apiVersion v1 with a requirements.yaml, which is not read",
            "move its dependencies into Chart.yaml, set apiVersion: v2, and remove requirements.yaml and .lock",
        )


def _copy(folder: Path, target: Path, checkout: Path) -> None:
    try:
        files.copy_tree(folder, target, checkout, skip={checkout / name for name in _NOT_COPIED})
    except files.Unfit as error:
        raise BadInput(f"package.chart.path: {error.message}", error.hint) from error
