"""What the deploy repository says of an app: `<environment>/<project>/<app>/{Chart.yaml,values.yaml}`.

The folder is a Helm chart. Its `version` is the release that is wanted, and its values name the image. A first
deployment makes it: from the release's chart where that has no templates of its own (then it depends on a common
chart), else as a chart that depends on the release's. From then on it belongs to whoever runs the environment, and a
deployment changes the release's version and image in it and nothing else.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from jenkins_cd.config.tree import merge
from jenkins_cd.errors import BadInput
from jenkins_cd.gitops import edit
from jenkins_cd.gitops.repository import View
from jenkins_cd.model import Release
from jenkins_cd.tools.kubernetes_yaml import load_all

Keys = tuple[str, ...]


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
    if names["Chart.yaml"] not in present:
        wanted: dict[str, bytes | None] = {**first(package(), release, place)}
    else:
        wanted = {**_bumped(present, place, release)}
        old, new = present[names["Chart.yaml"]], wanted[names["Chart.yaml"]] or b""
        if names["Chart.lock"] in present and _dependencies(old, place) != _dependencies(new, place):
            wanted[names["Chart.lock"]] = None  # it locks the version before, and Helm refuses one that is out of date
    return {path: content for path, content in wanted.items() if content != present.get(path)}


def first(package: Path, release: Release, place: str, over: Mapping[str, Any] | None = None) -> dict[str, bytes]:
    """Return the files that declare `release` where there are none yet, made of its packaged chart.

    `over` are values that are laid over the chart's own. Raises BadInput where the package is no such chart.
    """
    chart, values, templates = _unpacked(package, release)
    own = _dependencies(chart, place)
    if templates or not own:
        below = merge(over or {}, {"image": _image(release)} if release.image else {})
        return {
            f"{place}/Chart.yaml": _dump(_wrapper(release)),
            f"{place}/values.yaml": _dump({**_tags(over or {}), release.chart.name: below} if below else {}),
        }
    where = str(own[0].get("alias") or own[0].get("name")), "image"
    versions: dict[edit.Path, str] = {("version",): release.version, ("appVersion",): release.version}
    file = f"{package.name}: values.yaml"
    laid = _dump(merge(values_of(values, file), over)) if over else values
    return {
        f"{place}/Chart.yaml": edit.change(chart, versions, f"{package.name}: Chart.yaml"),
        f"{place}/values.yaml": _with_image(laid, where, release, file),
    }


def _tags(over: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tags that switch dependencies: Helm looks for them in the values of the outermost chart alone."""
    return {"tags": over["tags"]} if "tags" in over else {}


def values_of(content: bytes, file: str) -> dict[str, Any]:
    """Return the values of a file, read as Helm does. Raises BadInput where it holds none."""
    try:
        edit.load(content, file)  # refuses what is too large, and what is more than one document
        loaded = load_all(content.decode("utf-8"))
    except BadInput as error:
        raise BadInput(error.message, f"correct {file}", error.problems) from error
    except ValueError as error:
        raise BadInput(f"{file}: {error}", f"correct {file}") from error
    values = loaded[0] if loaded else None
    if not isinstance(values, dict | None):
        raise BadInput(f"{file} holds no values, but a {type(values).__name__}", f"correct {file}")
    return values or {}


def _bumped(present: Mapping[str, bytes], place: str, release: Release) -> dict[str, bytes]:
    chart_file, values_file = f"{place}/Chart.yaml", f"{place}/values.yaml"
    chart = edit.load(present[chart_file], chart_file)
    changes: dict[edit.Path, str] = {("version",): release.version}
    if isinstance(chart, dict) and "appVersion" in chart:
        changes["appVersion",] = release.version
    for index, dependency in enumerate(_dependencies(present[chart_file], place)):
        if dependency.get("name") == release.chart.name:
            changes["dependencies", index, "version"] = release.version
            if "repository" in dependency:
                changes["dependencies", index, "repository"] = release.chart.repository
    bumped = {chart_file: edit.change(present[chart_file], changes, chart_file)}
    if release.image:
        values = present.get(values_file, b"{}\n")
        where = _image_keys(values, _dependencies(present[chart_file], place), values_file, release)
        bumped[values_file] = edit.change(values, _image_changes(values, where, values_file, release), values_file)
    return bumped


def _image_keys(values: bytes, dependencies: list[dict[str, Any]], file: str, release: Release) -> Keys:
    """Return the keys that lead to the app's `image` in the values: below the dependency that deploys it."""
    names = [str(one.get("alias") or one.get("name")) for one in dependencies]
    own = [name for name, one in zip(names, dependencies, strict=True) if one.get("name") == release.chart.name]
    places: list[Keys] = [(name, "image") for name in own or names] or [("image",)]
    loaded = edit.load(values, file)
    found = [keys for keys in places if {"tag", "digest"} & _below(loaded, keys).keys()]
    if len(found) > 1 and release.image:
        found = [keys for keys in found if _below(loaded, keys).get("repository") == release.image.repository]
    if len(found) == 1:
        return found[0]
    example = edit.show(places[0])
    raise BadInput(
        f"{file}: there is no {' or '.join(f'{edit.show(keys)}.tag' for keys in places)}, nor a digest beside it"
        if not found
        else f"{file}: {len(found)} images could be the app's",
        f"add {example}.tag or {example}.digest to it, once: a deployment sets whichever is there",
    )


def _image_changes(values: bytes, where: Keys, file: str, release: Release) -> dict[edit.Path, str]:
    present = _below(edit.load(values, file), where)
    return {(*where, key): value for key, value in _image(release).items() if key in present}


def _image(release: Release) -> dict[str, str]:
    if release.image is None:
        return {}
    return {"repository": release.image.repository, "tag": release.version, "digest": release.image.digest}


def _with_image(values: bytes, where: Keys, release: Release, file: str) -> bytes:
    """Return values with the image of the release, its keys added where they are missing."""
    there = _below(edit.load(values, file), where).keys()
    if not release.image or ("repository" in there and {"tag", "digest"} & there):
        return edit.change(values, _image_changes(values, where, file, release), file)
    loaded = inner = yaml.safe_load(values) or {}
    for key in where:
        inner[key] = inner = inner.get(key) or {}
    inner.update(_image(release))
    return _dump(loaded)


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


def _dependencies(chart: bytes, place: str) -> list[dict[str, Any]]:
    loaded = edit.load(chart, f"{place}/Chart.yaml")
    listed = loaded.get("dependencies") if isinstance(loaded, dict) else None
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _below(loaded: Any, keys: Keys) -> dict[str, Any]:
    """Return the mapping that the keys lead to, or an empty one."""
    for key in keys:
        loaded = loaded.get(key) if isinstance(loaded, dict) else None
    return loaded if isinstance(loaded, dict) else {}


def _dump(value: Any) -> bytes:
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True)).encode()
