"""The chart of a release: its package in the registry, and a folder of the deploy repository as Helm wants it."""

from __future__ import annotations

import contextlib
import functools
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from jenkins_cd import common_chart
from jenkins_cd.delivery import Target
from jenkins_cd.errors import ExternalFailure
from jenkins_cd.gitops import fast_import
from jenkins_cd.model import Release
from jenkins_cd.tools import helm


@contextlib.contextmanager
def package(target: Target, release: Release) -> Iterator[Callable[[], Path]]:
    """Give a function that fetches the release's packaged chart, once, should it be needed.

    That raises ExternalFailure where the registry has none, or another one than was released.
    """
    with tempfile.TemporaryDirectory(prefix="jenkins-cd-chart-") as folder:

        @functools.cache
        def fetch() -> Path:
            chart, plain_http = release.chart, target.platform.registry.plain_http
            file = helm.pull(chart.repository, chart.name, release.version, Path(folder), plain_http)
            _unchanged(release, file)
            return file

        yield fetch


@contextlib.contextmanager
def unpacked(files: Mapping[str, bytes], release: Release, plain_http: bool) -> Iterator[Path]:
    """Give a folder with the chart that the files are (one folder, with Chart.yaml in it) and its dependencies.

    Raises ExternalFailure where a dependency cannot be fetched, or is the release's chart and not as it was released.
    """
    with tempfile.TemporaryDirectory(prefix="jenkins-cd-render-") as root:
        for path, content in files.items():
            file = Path(root) / fast_import.check(path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        chart = Path(root) / next(path for path in files if path.endswith("/Chart.yaml")).removesuffix("/Chart.yaml")
        helm.dependency_build(chart, plain_http)
        own = chart / "charts" / f"{release.chart.name}-{release.version}.tgz"
        if own.is_file():
            _unchanged(release, own)
        yield chart


def _unchanged(release: Release, file: Path) -> None:
    """Raise ExternalFailure unless the chart in the registry is the one that was released."""
    found = common_chart.sha256(file)
    if release.chart.content and found != release.chart.content:
        raise ExternalFailure(
            f"the chart {release.chart.name} {release.version} in {release.chart.repository} is not the one that was "
            f"released: it is {found[:19]}…, the release says {release.chart.content[:19]}…",
            "somebody pushed another chart under this version: release a new version",
        )
