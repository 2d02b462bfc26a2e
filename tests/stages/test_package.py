from __future__ import annotations

import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from jenkins_cd import common_chart
from jenkins_cd.demo.services import Registry
from jenkins_cd.errors import BadInput, ExternalFailure
from jenkins_cd.model import StageResult
from jenkins_cd.stages import package
from jenkins_cd.tools import helm
from tests.stages.shop import CD, OWN_CHART, Shop, git


@pytest.fixture
def shop(tmp_path: Path, registry: Registry) -> Shop:
    return Shop.create(tmp_path, registry.host)


def unpacked(shop: Shop, result: StageResult, name: str) -> Any:
    assert result.package
    with tarfile.open(shop.checkout / result.package.chart_file) as archive:
        stream = archive.extractfile(f"{result.package.chart.name}/{name}")
        assert stream
        return yaml.safe_load(stream.read())


def test_an_app_gets_an_image_and_a_chart_that_names_it(shop: Shop) -> None:
    result = package.run(shop.build())
    made = result.package
    assert made
    assert made.image
    assert result.status == "passed"
    assert result.reason == f"image {shop.images}/storefront:1.0.0, chart storefront 1.0.0"
    assert made.image.repository == f"{shop.images}/storefront"
    assert made.image.content.startswith("sha256:")
    assert (made.image.digest, made.chart.digest) == ("", "")  # not published yet
    assert made.chart_file == ".jenkins-cd/package/storefront-1.0.0.tgz"
    assert made.chart.content == common_chart.sha256(shop.checkout / made.chart_file)
    chart = unpacked(shop, result, "Chart.yaml")
    assert (chart["version"], chart["appVersion"]) == ("1.0.0", "1.0.0")
    name, version = common_chart.identity()
    assert chart["dependencies"] == [{"name": name, "version": version, "repository": shop.charts}]
    assert unpacked(shop, result, "values.yaml")[name] == {
        "image": {"repository": f"{shop.images}/storefront", "tag": "1.0.0"},
        "health": {"path": "/health"},
    }
    assert f'image: "{shop.images}/storefront:1.0.0"' in helm.template(
        shop.checkout / made.chart_file, "storefront", "dev"
    )


def test_the_same_commit_gives_the_same_package_in_another_checkout(shop: Shop, tmp_path: Path) -> None:
    first = package.run(shop.build()).package
    other = Shop(tmp_path / "elsewhere" / "checkout", shop.deploy, shop.charts, shop.images)
    git(tmp_path, "clone", "--quiet", str(shop.checkout), str(other.checkout))
    git(other.checkout, "remote", "set-url", "origin", f"file://{shop.checkout}")
    shutil.copy(shop.platform, other.platform)
    second = package.run(other.build()).package
    assert first
    assert second
    assert second.chart == first.chart
    assert package.run(shop.build()).package == first


def test_every_command_is_recorded_and_all_output_logged(shop: Shop) -> None:
    result = package.run(shop.build())
    programs = [command.line.split()[:2] for command in result.commands]
    assert [programs.index(each) for each in (["buildah", "build"], ["helm", "lint"], ["helm", "package"])]
    assert all(command.exit_code == 0 for command in result.commands)
    log = (shop.checkout / result.log).read_text(encoding="utf-8")
    assert "COPY page.html /page.html" in log
    assert "$ helm lint --strict" in log


def test_values_of_cd_yaml_reach_the_common_chart(shop: Shop) -> None:
    values = "{replicaCount: 3, image: {pullPolicy: Always}, health: {path: /alive}}"
    shop.commit({"cd.yaml": f"{CD}package: {{chart: {{values: {values}}}}}\n"})
    result = package.run(shop.build("1.0.1"))
    found = unpacked(shop, result, "values.yaml")["common-chart"]
    assert found["replicaCount"] == 3
    assert found["image"] == {"pullPolicy": "Always", "repository": f"{shop.images}/storefront", "tag": "1.0.1"}
    assert found["health"] == {"path": "/alive"}


def test_a_value_that_the_common_chart_does_not_know_fails(shop: Shop) -> None:
    shop.commit({"cd.yaml": f"{CD}package: {{chart: {{values: {{replicas: 3}}}}}}\n"})
    with pytest.raises(BadInput) as caught:
        package.run(shop.build())
    assert "replicas" in " ".join(caught.value.problems)


def test_an_app_without_platform_file_is_packaged_under_its_own_name(shop: Shop) -> None:
    made = package.run(shop.build(platform=False)).package
    assert made
    assert (made.image_tag, made.chart.repository) == ("storefront:1.0.0", "")


def test_an_app_brings_a_chart_of_its_own_and_needs_no_image(shop: Shop) -> None:
    shop.commit(OWN_CHART)
    result = package.run(shop.build())
    assert result.reason == "no image (package.image.enabled is false), chart front 1.0.0"
    assert result.package
    assert (result.package.builder, result.package.image) == ("", None)
    assert unpacked(shop, result, "Chart.yaml")["version"] == "1.0.0"
    assert "version: 0.1.0" in (shop.checkout / "chart/Chart.yaml").read_text(encoding="utf-8")
    assert git(shop.checkout, "status", "--porcelain") == ""


def test_another_common_chart_is_fetched_from_the_platforms_registry(shop: Shop, tmp_path: Path) -> None:
    base = tmp_path / "base-chart"
    shutil.copytree(common_chart.FOLDER, base)
    text = (base / "Chart.yaml").read_text(encoding="utf-8")
    (base / "Chart.yaml").write_text(text.replace("name: common-chart", "name: base-chart"), encoding="utf-8")
    helm.push(helm.package(base, tmp_path, "3.0.0"), shop.charts, plain_http=True)
    shop.commit({"cd.yaml": f"{CD}package: {{chart: {{common: base-chart, version: 3.0.0}}}}\n"})
    first = package.run(shop.build()).package
    second = package.run(shop.build()).package
    assert first
    assert second
    assert first.chart.content == second.chart.content
    shop.commit({"cd.yaml": f"{CD}package: {{chart: {{common: base-chart, version: 3.0.1}}}}\n"})
    with pytest.raises(ExternalFailure, match="cannot fetch the dependencies of the chart storefront"):
        package.run(shop.build())
    with pytest.raises(BadInput, match=r"base-chart 3\.0\.1 is in a chart registry, and no platform file names one"):
        package.run(shop.build(platform=False))


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (common_chart.identity()[1], "jenkins-cd common-chart publish; check"),
        ("7.0.0", "jenkins-cd common-chart publish (this one has "),
    ],
)
def test_where_the_common_chart_cannot_be_fetched_it_is_told_how_it_gets_there(
    shop: Shop, version: str, said: str
) -> None:
    name = common_chart.identity()[0]
    needs = f"dependencies: [{{name: {name}, version: {version}, repository: '{shop.charts}'}}]\n"
    shop.commit({**OWN_CHART, "chart/Chart.yaml": OWN_CHART["chart/Chart.yaml"] + needs})
    with pytest.raises(ExternalFailure) as caught:
        package.run(shop.build())
    assert "not found" in caught.value.message.splitlines()[0]
    assert said in caught.value.hint


@pytest.mark.parametrize("wraps", [False, True], ids=["values of the common chart", "values of the app's chart"])
def test_the_chart_is_rendered_with_the_values_of_every_environment(shop: Shop, wraps: bool) -> None:
    name = "storefront" if wraps else "common-chart"
    chart = f"apiVersion: v2\nname: storefront\nversion: 0.9.0\ndependencies: [{{name: {name}, version: 1.0.1}}]\n"
    good, bad = "common-chart: {replicaCount: 2}\n", "common-chart: {replicaCount: many}\n"
    shop.declare("dev", {"Chart.yaml": chart, "values.yaml": f"storefront: {{{good.strip()}}}" if wraps else good})
    assert package.run(shop.build()).status == "passed"
    shop.declare("test", {"Chart.yaml": chart, "values.yaml": f"storefront: {{{bad.strip()}}}" if wraps else bad})
    with pytest.raises(BadInput, match="test: the chart does not render with test/shop/storefront") as caught:
        package.run(shop.build())
    assert "replicaCount" in " ".join(caught.value.problems)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("image: {dockerfile: Containerfile}", "there is no Containerfile in the checkout"),
        ("image: {context: lost}", "there is no folder lost in the checkout"),
        ("image: {context: out}", "package.image.context: out leads out of the checkout"),
        ("image: {dockerfile: out/Dockerfile}", "package.image.dockerfile: out/Dockerfile leads out of the checkout"),
        ("image: {enabled: false}, chart: {path: lost}", "there is no Chart.yaml in lost"),
        ("image: {enabled: false}, chart: {path: out}", "package.chart.path: out leads out of the checkout"),
        ("image: {enabled: false}, chart: {path: linked}", "the link linked/secret leads out of the checkout"),
    ],
)
def test_what_is_missing_or_leads_out_of_the_checkout_is_told(
    shop: Shop, tmp_path: Path, config: str, words: str
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    (shop.checkout / "out").symlink_to(tmp_path / "outside")
    (shop.checkout / "linked").mkdir()
    (shop.checkout / "linked" / "Chart.yaml").write_text("apiVersion: v2\nname: a\nversion: 1.0.0\n", encoding="utf-8")
    (shop.checkout / "linked" / "secret").symlink_to("/etc/hostname")
    (shop.checkout / "cd.yaml").write_text(f"{CD}package: {{{config}}}\n", encoding="utf-8")
    with pytest.raises(BadInput, match=words.replace(".", r"\.")):
        package.run(shop.build())


def test_a_generated_chart_without_image_says_what_to_do(shop: Shop) -> None:
    shop.commit({"cd.yaml": f"{CD}package: {{image: {{enabled: false}}}}\n"})
    with pytest.raises(BadInput, match=r"package\.image\.enabled is false") as caught:
        package.run(shop.build())
    assert "package.chart.path" in caught.value.hint
