from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jenkins_cd import common_chart
from jenkins_cd.delivery import charts
from jenkins_cd.demo.services import Registry
from jenkins_cd.errors import ExternalFailure
from jenkins_cd.model import Chart, Release
from jenkins_cd.tools import helm, lock
from tests.delivery.charts import TEMPLATE, make
from tests.gitops.samples import release

FILES = "apiVersion: v2\nname: storefront\nversion: 1.4.0\ndependencies:\n- {{name: storefront, version: 1.4.0, {}}}\n"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def released(registry: Registry, tmp_path: Path, cache: Path) -> Release:
    """A release whose chart is in the registry."""
    repository = f"oci://{registry.host}/charts-{tmp_path.name}"
    file = helm.package(
        make(tmp_path / "storefront", "apiVersion: v2\nname: storefront\nversion: 0.0.0\n", TEMPLATE),
        tmp_path,
        "1.4.0",
    )
    helm.push(file, repository, plain_http=True)
    return release(chart=Chart(name="storefront", repository=repository, content=common_chart.sha256(file)))


@pytest.fixture
def gone(released: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry is away once the chart was fetched."""
    fetch(released)

    def fail(*_given: object) -> None:
        raise ExternalFailure("the registry is away")

    monkeypatch.setattr(helm, "dependency_build", fail)


def fetch(released: Release, **more: bytes) -> bytes:
    """Return the dependency that the folder of a chart has in the end."""
    chart = FILES.format(f"repository: {released.chart.repository!r}").encode()
    files = {
        f"dev/shop/storefront/{name.replace('_', '.')}": data for name, data in {"Chart_yaml": chart, **more}.items()
    }
    with charts.unpacked(files, released, plain_http=True) as folder:
        return (folder / "charts" / "storefront-1.4.0.tgz").read_bytes()


def kept() -> Path:
    (file,) = (lock.cache_folder() / "charts").iterdir()
    return file


def test_a_chart_that_was_released_is_fetched_once(released: Release, gone: None) -> None:
    assert fetch(released) == kept().read_bytes()


def test_what_is_kept_and_is_not_as_it_was_released_is_fetched_again(released: Release, gone: None) -> None:
    kept().write_bytes(b"something else")
    with pytest.raises(ExternalFailure, match="the registry is away"):
        fetch(released)


@pytest.mark.parametrize("more", [{"Chart_lock": b"dependencies: []\n"}, {"charts/own.tgz": b"x"}])
def test_where_there_is_more_than_the_releases_chart_helm_sees_to_it(
    released: Release, gone: None, more: dict[str, bytes]
) -> None:
    with pytest.raises(ExternalFailure, match="the registry is away"):
        fetch(released, **more)


def test_nothing_is_kept_of_a_release_that_does_not_say_what_its_chart_is(released: Release, cache: Path) -> None:
    fetch(replace(released, chart=replace(released.chart, content="")))
    assert not (cache / "jenkins-cd" / "charts").exists()


def test_a_chart_that_nobody_has_used_for_long_is_forgotten(released: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "KEPT", -1.0)
    fetch(released)
    assert list((lock.cache_folder() / "charts").iterdir()) == []
