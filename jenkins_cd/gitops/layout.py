"""What the deploy repository says of an app: `<environment>/<project>/<app>/{Chart.yaml,values.yaml}`.

The folder is a Helm chart. Its `version` is the release that is wanted, and its values name the image. A first
deployment makes it: from the release's chart where that has no templates of its own (then it depends on a common
chart), else as a chart that depends on the release's. From then on it belongs to whoever runs the environment, and a
deployment changes the release's version and image in it and nothing else. The same holds for a `values.yaml` that was
there before.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jenkins_cd.config.tree import merge
from jenkins_cd.errors import BadInput
from jenkins_cd.gitops import edit, image_values, insert
from jenkins_cd.gitops.repository import View
from jenkins_cd.gitops.yaml_nodes import values_of as values_of
from jenkins_cd.model import Release
from jenkins_cd.tools.yaml_writer import dump


def folder(environment: str, project: str, app: str) -> str:
    """Return the app's folder in the deploy repository."""
    return f"{environment}/{project}/{app}"


def values_file(environment: str) -> str:
    """Return the name of an environment's values in the app's own chart, where there is no deploy repository."""
    return f"values-{environment}.yaml"


def declared(view: View, place: str) -> str | None:
    """Return the version that the chart in the folder `place` declares, or None where there is no chart."""
    file = f"{place}/Chart.yaml"
    content = view.read(file)
    chart = edit.load(content, file) if content is not None else None
    version = chart.get("version") if isinstance(chart, dict) else None
    return version if isinstance(version, str) else None


def files(view: View, place: str, release: Release, package: Callable[[], Path]) -> dict[str, bytes | None]:
    """Return the files of the folder `place` that must change so that it declares `release`: content by path.

    `package` fetches the release's packaged chart; it is asked only for a first deployment. None removes a file.
    Raises BadInput where a file cannot be read, or does not have the keys that must be set.
    """
    names = {name: f"{place}/{name}" for name in ("Chart.yaml", "values.yaml", "Chart.lock")}
    present = view.read_all(names.values())
    prepared, old = present.get(names["values.yaml"]), present.get(names["Chart.yaml"])
    if old is None:
        made = first(package(), release, place)
        if prepared is not None:
            made |= _with_prepared(prepared, made, place, release)
        wanted: dict[str, bytes | None] = {**made}
    else:
        wanted = {**_bumped(present, place, release)}
    new = wanted[names["Chart.yaml"]] or b""
    if names["Chart.lock"] in present and (old is None or depends_on(old, place) != depends_on(new, place)):
        wanted[names["Chart.lock"]] = None  # it locks the version before, and Helm refuses one that is out of date
    return {path: content for path, content in wanted.items() if content != present.get(path)}


def first(package: Path, release: Release, place: str, over: Mapping[str, Any] | None = None) -> dict[str, bytes]:
    """Return the files that declare `release` where there are none yet, made of its packaged chart.

    `over` are values that are laid over the chart's own. Raises BadInput where the package is no such chart.
    """
    chart, values, templates = _unpacked(package, release)
    own = depends_on(chart, place)
    if templates or not own or not all(_of_a_registry(one) for one in own):
        there = image_values.below(merge(values_of(values, f"{package.name}: values.yaml"), over or {}), ("image",))
        below = merge(over or {}, {"image": image_values.of_release(release, there)} if release.image else {})
        return {
            f"{place}/Chart.yaml": dump(_wrapper(release)).encode(),
            f"{place}/values.yaml": dump({**_tags(over or {}), release.chart.name: below} if below else {}).encode(),
        }
    where = str(own[0].get("alias") or own[0].get("name")), "image"
    versions: dict[edit.Path, str] = {("version",): release.version, ("appVersion",): release.version}
    file = f"{package.name}: values.yaml"
    laid = dump(merge(values_of(values, file), over)).encode() if over else values
    return {
        f"{place}/Chart.yaml": edit.change(chart, versions, f"{package.name}: Chart.yaml"),
        f"{place}/values.yaml": image_values.added(laid, where, release, file),
    }


def _of_a_registry(dependency: Mapping[str, Any]) -> bool:
    """Tell whether a chart can be had elsewhere than in the package: not one of the checkout, nor a vendored one."""
    repository = str(dependency.get("repository") or "")
    return bool(repository) and not repository.startswith("file:")


def _with_prepared(values: bytes, made: Mapping[str, bytes], place: str, release: Release) -> dict[str, bytes]:
    """Return the values that somebody has prepared for the first deployment, with the image of the release, and with
    those of `made`, the files that it would be without them, that they do not have."""
    file, depends = f"{place}/values.yaml", depends_on(made[f"{place}/Chart.yaml"], place)
    places, others = image_values.places(depends, release), values_of(made[file], file)
    if len(places) > 1:
        values = image_values.changed(values, image_values.place(values, depends, file, release), file, release)
    else:
        values = image_values.added(values, places[0], release, file)
    for keys in places:
        image_values.forget(others, keys)
    return {file: insert.fill(values, others, file)}


def _tags(over: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tags that switch dependencies: Helm looks for them in the values of the outermost chart alone."""
    return {"tags": over["tags"]} if "tags" in over else {}


def _bumped(present: Mapping[str, bytes], place: str, release: Release) -> dict[str, bytes]:
    chart_file, values_file = f"{place}/Chart.yaml", f"{place}/values.yaml"
    chart = edit.load(present[chart_file], chart_file)
    changes: dict[edit.Path, str] = {("version",): release.version}
    if isinstance(chart, dict) and "appVersion" in chart:
        changes["appVersion",] = release.version
    for index, dependency in enumerate(depends_on(present[chart_file], place)):
        if dependency.get("name") == release.chart.name:
            changes["dependencies", index, "version"] = release.version
            if "repository" in dependency:
                changes["dependencies", index, "repository"] = release.chart.repository
    bumped = {chart_file: edit.change(present[chart_file], changes, chart_file)}
    if release.image:
        values = present.get(values_file, b"{}\n")
        where = image_values.place(values, depends_on(present[chart_file], place), values_file, release)
        bumped[values_file] = image_values.changed(values, where, values_file, release)
    return bumped


def packaged(package: Path, chart: str) -> dict[str, bytes | None]:
    """Return the files of a packaged chart by their path in it; but for those in its top folder, None for each.

    Raises BadInput where it is not a chart of that name.
    """
    try:
        with tarfile.open(package, "r:gz") as archive:
            members = [one for one in archive.getmembers() if one.isfile() and one.name.startswith(f"{chart}/")]
            read = {one.name.removeprefix(f"{chart}/"): _content(archive, one) for one in members}
    except (tarfile.TarError, OSError) as error:
        raise BadInput(f"the chart {package.name} cannot be unpacked: {error}") from error
    if "Chart.yaml" not in read:
        raise BadInput(f"{package.name} is no chart named {chart}: it has no {chart}/Chart.yaml")
    return read


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes | None:
    if member.name.count("/") > 1 or not member.name.endswith(".yaml"):
        return None
    stream = archive.extractfile(member)
    return stream.read(edit.LARGEST + 1) if stream else None


def _unpacked(package: Path, release: Release) -> tuple[bytes, bytes, bool]:
    """Return Chart.yaml and values.yaml of a packaged chart, and whether it has templates."""
    read = packaged(package, release.chart.name)
    templates = any(name.startswith("templates/") for name in read)
    return read["Chart.yaml"] or b"", read.get("values.yaml") or b"{}\n", templates


def _wrapper(release: Release) -> dict[str, Any]:
    dependency = {"name": release.chart.name, "version": release.version, "repository": release.chart.repository}
    return {
        "apiVersion": "v2",
        "name": release.app,
        "version": release.version,
        "appVersion": release.version,
        "dependencies": [dependency],
    }


def depends_on(chart: bytes, place: str) -> list[dict[str, Any]]:
    """Return what the Chart.yaml of the folder `place` depends on, each value as its text."""
    loaded = edit.load(chart, f"{place}/Chart.yaml")
    listed = loaded.get("dependencies") if isinstance(loaded, dict) else None
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
