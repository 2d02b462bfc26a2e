"""Which kinds of objects a chart can make: those that its templates name, and those that it renders.

A template may make an object only where a value says so. A right that is missing then would fail the deployment that
switches it on, so what the templates name counts whether it is rendered or not.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from jenkins_cd.errors import BadInput
from jenkins_cd.tools import helm
from jenkins_cd.tools.kubernetes_kinds import Resource, builtin, group, known_as, plural

Kind = tuple[str, str]  # apiVersion ("" where a template computes it) and kind
LARGEST = 5_000_000  # bytes of one template
_FIELD = r"^{}:[ \t]*[\"']?([A-Za-z][\w./-]*)[\"']?[ \t]*(?:#.*)?$"
_API_VERSION, _KIND = (re.compile(_FIELD.format(name), re.MULTILINE) for name in ("apiVersion", "kind"))
_TEST = re.compile(r"^\s+[\"']?helm\.sh/hook[\"']?:\s*[\"']?test(-success|-failure)?[\"']?\s*$", re.MULTILINE)


def of_chart(chart: Path, tell: Callable[[str], None] = lambda _line: None) -> set[Kind]:
    """Return the kinds of a chart, a folder or a package, and of the charts in it. Raises BadInput for what is none.

    The objects of `helm test` are left out: no deployment makes them. A chart that does not render with its own values
    counts by what its templates name; `tell` gets a line that says so.
    """
    kinds = named(chart)
    try:
        return kinds | of_manifest(helm.template(chart, "app", "default"))
    except BadInput as error:
        tell(f"{error.message} with its own values: only the kinds that its templates name are known")
        return kinds


def named(chart: Path) -> set[Kind]:
    """Return the kinds that the templates of a chart name, rendered or not. Raises BadInput for what is no chart."""
    return {kind for text in _templates(chart) for kind in of_manifest(text)}


def of_manifest(text: str) -> set[Kind]:
    """Return the kinds in rendered YAML or in a template, of objects as well as of those in a List."""
    found: set[Kind] = set()
    for document in re.split(r"^---.*$", text, flags=re.MULTILINE):
        if not _TEST.search(document):
            versions = _API_VERSION.findall(document) or [""]
            found |= {(version, kind) for kind in _KIND.findall(document) for version in versions}
    return found


def resources(kinds: Iterable[Kind]) -> Mapping[Kind, Resource | None]:
    """Return what each kind is: None where that cannot be known, as its template computes the apiVersion.

    A kind that is not every cluster's is taken for one in a namespace, with the usual plural.
    """
    told: dict[Kind, Resource | None] = {}
    for version, kind in sorted(kinds):
        other = Resource(group(version), plural(kind), namespaced=True)
        told[version, kind] = (builtin(version, kind) or other) if version else known_as(kind)
    return told


def _templates(chart: Path) -> Iterator[str]:
    if chart.is_dir():
        for file in sorted(chart.rglob("*")):
            if file.suffix in (".yaml", ".yml", ".tpl") and "templates" in file.relative_to(chart).parts:
                yield file.read_text(encoding="utf-8", errors="replace")
            elif file.suffix == ".tgz" and file.parent.name == "charts":
                yield from _packed(file.read_bytes(), file.name)
        return
    yield from _packed(chart.read_bytes(), chart.name)


def _packed(data: bytes, name: str) -> Iterator[str]:
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.isfile() and member.size <= LARGEST else None
                if stream is None:
                    continue
                if "/templates/" in member.name and member.name.endswith((".yaml", ".yml", ".tpl")):
                    yield stream.read().decode("utf-8", "replace")
                elif "/charts/" in member.name and member.name.endswith(".tgz"):
                    yield from _packed(stream.read(), member.name)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise BadInput(f"the chart {name} cannot be unpacked: {error}") from error
