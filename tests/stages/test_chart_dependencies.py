"""Charts that an app's own chart depends on, beside it in the checkout or vendored, with the real Helm."""

from __future__ import annotations

import tarfile
from datetime import datetime, timezone
from pathlib import Path

import pytest

from jenkins_cd import common_chart
from jenkins_cd.errors import BadInput, ExternalFailure
from jenkins_cd.stages import chart_dependencies
from jenkins_cd.tools import helm

DATE = datetime(2026, 1, 2, tzinfo=timezone.utc)
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\n"


def chart(folder: Path, name: str, depends: str = "", version: str = "1.0.0", **files: str) -> Path:
    """Make a chart with one ConfigMap of its name."""
    (folder / "templates").mkdir(parents=True)
    listed = f"dependencies: [{depends}]\n" if depends else ""
    text = f"apiVersion: v2\nname: {name}\nversion: {version}\n{listed}"
    (folder / "Chart.yaml").write_text(text, encoding="utf-8")
    (folder / "templates" / "map.yaml").write_text(MAP.replace("NAME", name), encoding="utf-8")
    for file, content in files.items():
        (folder / file.replace("_", ".")).write_text(content, encoding="utf-8")
    return folder


def on(name: str, path: str, more: str = "") -> str:
    return f"{{name: {name}, version: 1.0.0, repository: 'file://{path}'{more}}}"


def packaged(checkout: Path, path: str, into: Path) -> Path:
    """Return the package of a chart of the checkout, as the stage `package` makes it."""
    copy = chart_dependencies.copy(checkout / path, checkout, into / "copy")
    chart_dependencies.complete(copy, False, DATE)
    return helm.package(copy, into, "2.0.0", "2.0.0", DATE)


def names(package: Path) -> set[str]:
    """Return the names of the objects that a package renders."""
    lines = helm.template(package, "app", "dev").split("\n")
    return {line.removeprefix("metadata: {name: ").rstrip("}") for line in lines if line.startswith("metadata:")}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "checkout").mkdir()
    return tmp_path / "checkout"


def test_a_chart_beside_it_and_what_that_depends_on_are_packaged(checkout: Path, tmp_path: Path) -> None:
    chart(checkout / "deploy/app", "app", on("lib", "../lib"))
    chart(checkout / "deploy/lib", "lib", on("base", "../../base"))
    chart(checkout / "base", "base")
    assert names(packaged(checkout, "deploy/app", tmp_path)) == {"app", "lib", "base"}
    assert not list(checkout.rglob("*.tgz"))
    assert not list(checkout.rglob("Chart.lock"))


def test_the_same_checkout_gives_the_same_package(checkout: Path, tmp_path: Path) -> None:
    chart(checkout / "app", "app", on("lib", "../lib"))
    chart(checkout / "lib", "lib", on("base", "../base"))
    chart(checkout / "base", "base")
    first = common_chart.sha256(packaged(checkout, "app", tmp_path / "one"))
    for file in checkout.rglob("*.yaml"):
        file.touch()
    assert common_chart.sha256(packaged(checkout, "app", tmp_path / "two")) == first


@pytest.mark.parametrize("version", ["v1.0.0", "1.0.0", "1.0.0-rc.1"])
def test_a_vendored_package_needs_no_network_whatever_its_version_looks_like(
    checkout: Path, tmp_path: Path, version: str
) -> None:
    depends = f"{{name: lib, version: '{version}', repository: 'https://charts.invalid'}}"
    app, lib = chart(checkout / "app", "app", depends), chart(tmp_path / "lib", "lib", version=version)
    (app / "charts").mkdir()
    with tarfile.open(app / "charts" / f"lib-{version}.tgz", "w:gz") as archive:
        archive.add(lib, "lib")
    assert names(packaged(checkout, "app", tmp_path)) == {"app", "lib"}


@pytest.mark.parametrize("lock", [False, True])
def test_a_vendored_chart_needs_no_network_beside_one_of_the_checkout(
    checkout: Path, tmp_path: Path, lock: bool
) -> None:
    vendored = "{name: base, version: 1.x, repository: 'https://charts.invalid'}"
    app = chart(checkout / "app", "app", f"{on('lib', '../a lib')}, {vendored}")
    chart(checkout / "a lib", "lib")
    chart(app / "charts" / "base", "base")
    if lock:
        (app / "Chart.lock").write_text("dependencies: []\ndigest: sha256:0\n", encoding="utf-8")
    first = packaged(checkout, "app", tmp_path / "one")
    assert names(first) == {"app", "lib", "base"}
    assert common_chart.sha256(packaged(checkout, "app", tmp_path / "two")) == common_chart.sha256(first)


def test_a_vendored_folder_may_have_any_name(checkout: Path, tmp_path: Path) -> None:
    app = chart(checkout / "app", "app", "{name: lib, version: 1.x, repository: 'https://charts.invalid'}")
    chart(app / "charts" / "library", "lib")
    assert names(packaged(checkout, "app", tmp_path)) == {"app", "lib"}


def test_a_vendored_package_of_another_version_does_not_do(checkout: Path, tmp_path: Path) -> None:
    app = chart(checkout / "app", "app", "{name: lib, version: ^2.0.0, repository: 'https://charts.invalid'}")
    chart(app / "charts" / "lib", "lib")
    with pytest.raises(ExternalFailure, match="cannot fetch the dependencies"):
        packaged(checkout, "app", tmp_path)


def test_what_was_vendored_may_name_a_folder_that_is_not_kept(checkout: Path, tmp_path: Path) -> None:
    app = chart(checkout / "app", "app", on("lib", "../gone"))
    chart(app / "charts" / "lib", "lib")
    assert names(packaged(checkout, "app", tmp_path)) == {"app", "lib"}


@pytest.mark.parametrize("on_", [True, False])
def test_aliases_and_conditions_hold_as_helm_has_them(checkout: Path, tmp_path: Path, on_: bool) -> None:
    depends = on("lib", "../lib", ", alias: store, condition: store.enabled")
    chart(checkout / "app", "app", depends, values_yaml=f"store: {{enabled: {str(on_).lower()}}}\n")
    chart(checkout / "lib", "lib")
    assert names(packaged(checkout, "app", tmp_path)) == ({"app", "lib"} if on_ else {"app"})


def test_a_chart_in_the_top_folder_leaves_git_and_our_results_out(checkout: Path, tmp_path: Path) -> None:
    chart(checkout, "app", on("lib", "lib"))
    chart(checkout / "lib", "lib")
    for name in (".git", ".jenkins-cd"):
        (checkout / name).mkdir()
        (checkout / name / "file").touch()
    package = packaged(checkout, ".", checkout / ".jenkins-cd" / "package")
    assert names(package) == {"app", "lib"}
    with tarfile.open(package) as archive:
        assert not [name for name in archive.getnames() if ".git/" in name or ".jenkins-cd" in name]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("../../outside", "leads out of the checkout"),
        ("/etc", "an absolute path"),
        ("../none", "there is no chart in none"),
        ("../linked", "leads out of the checkout"),
        ("../app", "depends on itself"),
    ],
)
def test_what_cannot_be_taken_along_is_told(checkout: Path, tmp_path: Path, path: str, said: str) -> None:
    chart(tmp_path / "outside", "lib")
    (checkout / "linked").symlink_to(tmp_path / "outside")
    chart(checkout / "app", "app", on("lib", path))
    with pytest.raises(BadInput, match=said):
        packaged(checkout, "app", tmp_path)


def test_two_charts_that_depend_on_each_other_are_told(checkout: Path, tmp_path: Path) -> None:
    chart(checkout / "app", "app", on("lib", "../lib"))
    chart(checkout / "lib", "lib", on("app", "../app"))
    with pytest.raises(BadInput, match="depends on itself"):
        packaged(checkout, "app", tmp_path)


def test_a_lock_that_is_out_of_date_is_told_with_the_command_that_mends_it(checkout: Path, tmp_path: Path) -> None:
    lock = "dependencies: []\ndigest: sha256:00\ngenerated: 2026-01-02T03:04:05Z\n"
    chart(checkout / "app", "app", on("lib", "../lib"), Chart_lock=lock)
    chart(checkout / "lib", "lib")
    with pytest.raises(BadInput, match="does not fit the dependencies") as caught:
        packaged(checkout, "app", tmp_path)
    assert "helm dependency update" in caught.value.hint


def test_a_chart_of_the_first_api_with_requirements_is_refused(checkout: Path, tmp_path: Path) -> None:
    app = chart(checkout / "app", "app", requirements_yaml="dependencies: [{name: lib, version: 1.0.0}]\n")
    text = (app / "Chart.yaml").read_text(encoding="utf-8")
    (app / "Chart.yaml").write_text(text.replace("v2", "v1"), encoding="utf-8")
    with pytest.raises(BadInput, match=r"requirements\.yaml, which is not read") as caught:
        packaged(checkout, "app", tmp_path)
    assert "apiVersion: v2" in caught.value.hint


@pytest.mark.parametrize("listed", ["{name: lib}", "[lib]", "text"])
def test_dependencies_that_are_no_list_of_charts_are_told(checkout: Path, tmp_path: Path, listed: str) -> None:
    app = chart(checkout / "app", "app")
    with (app / "Chart.yaml").open("a", encoding="utf-8") as file:
        file.write(f"dependencies: {listed}\n")
    with pytest.raises(BadInput, match="is no list of charts"):
        packaged(checkout, "app", tmp_path)
