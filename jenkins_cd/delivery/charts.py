"""The chart of a release: its package in the registry, and a folder of the deploy repository as Helm wants it.

A chart that was released never changes, so it is fetched once a machine, and known by its digest.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from jenkins_cd import common_chart
from jenkins_cd.delivery import Target
from jenkins_cd.errors import ExternalFailure
from jenkins_cd.gitops import fast_import
from jenkins_cd.model import Release
from jenkins_cd.tools import helm, leftovers, lock

KEPT = 30 * 86_400.0  # seconds since it was used last


@contextlib.contextmanager
def package(target: Target, release: Release) -> Iterator[Callable[[], Path]]:
    """Give a function that fetches the release's packaged chart, once, should it be needed.

    That raises ExternalFailure where the registry has none, or another one than was released.
    """
    with leftovers.folder("chart") as folder:

        @functools.cache
        def fetch() -> Path:
            chart, plain_http = release.chart, target.platform.registry.plain_http
            if kept := _kept(release):
                file = folder / f"{chart.name}-{release.version}.tgz"
                file.write_bytes(kept)
                return file
            file = helm.pull(chart.repository, chart.name, release.version, folder, plain_http)
            _unchanged(release, file)
            return file

        yield fetch


@contextlib.contextmanager
def unpacked(files: Mapping[str, bytes], release: Release, plain_http: bool) -> Iterator[Path]:
    """Give a folder with the chart that the files are (one folder, with Chart.yaml in it) and its dependencies.

    Raises ExternalFailure where a dependency cannot be fetched, or is the release's chart and not as it was released.
    """
    with leftovers.folder("render") as root:
        for path, content in files.items():
            file = root / fast_import.check(path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        chart = root / next(path for path in files if path.endswith("/Chart.yaml")).removesuffix("/Chart.yaml")
        own = chart / "charts" / f"{release.chart.name}-{release.version}.tgz"
        kept = _kept(release) if _alone(chart, release) else None
        if kept:
            own.parent.mkdir()
            own.write_bytes(kept)
        else:
            helm.dependency_build(chart, plain_http, common_chart.advice(chart))
            if own.is_file():
                _unchanged(release, own)
        yield chart


def _alone(chart: Path, release: Release) -> bool:
    """Tell whether the release's chart is all that a chart folder depends on: then Helm need not fetch anything."""
    wanted = {"name": release.chart.name, "version": release.version, "repository": release.chart.repository}
    depends = [{key: one.get(key) for key in wanted} for one in helm.dependencies(chart)]
    return depends == [wanted] and not (chart / "Chart.lock").exists() and not (chart / "charts").exists()


def _unchanged(release: Release, file: Path) -> None:
    """Raise ExternalFailure unless the chart in the registry is the one that was released; keep it."""
    found = common_chart.sha256(file)
    if release.chart.content and found != release.chart.content:
        raise ExternalFailure(
            f"the chart {release.chart.name} {release.version} in {release.chart.repository} is not the one that was "
            f"released: it is {found[:19]}…, the release says {release.chart.content[:19]}…",
            "somebody pushed another chart under this version: release a new version",
        )
    if release.chart.content:
        _keep(release.chart.content, file)


def _kept(release: Release) -> bytes | None:
    """Return the packaged chart of a release where this machine has it, as it was released."""
    if not release.chart.content:
        return None
    place = _place(release.chart.content)
    try:
        data = place.read_bytes()
        os.utime(place)
    except OSError:
        return None
    return data if f"sha256:{hashlib.sha256(data).hexdigest()}" == release.chart.content else None


def _keep(content: str, file: Path) -> None:
    """Keep a packaged chart, and forget those that nobody has used for long. Where that fails it is fetched again."""
    place = _place(content)
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place.parent, prefix="new-", delete=False) as new:
            new.write(file.read_bytes())
        Path(new.name).replace(place)
        for old in place.parent.iterdir():
            if time.time() - old.stat().st_mtime > KEPT:
                old.unlink()


def _place(content: str) -> Path:
    return lock.cache_folder() / "charts" / f"{content.rpartition(':')[2]}.tgz"
