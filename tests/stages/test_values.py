"""The stage `package` where there is no deploy repository: the values of each environment stand in the app's chart."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
import yaml

from jenkins_cd.demo.services import Registry
from jenkins_cd.errors import BadInput
from jenkins_cd.model import StageResult
from jenkins_cd.stages import package
from tests.stages.projects import Notes
from tests.stages.shop import CD, OWN_CHART, Shop


@pytest.fixture
def shop(tmp_path: Path, registry: Registry) -> Shop:
    """An app with a chart of its own, on a platform that only pushes to dev and test."""
    made = Shop.create(tmp_path, registry.host, OWN_CHART)
    platform = Path(made.platform)
    lines = platform.read_text(encoding="utf-8").replace("model: flux", "model: helm").splitlines()
    lines[1] = f'ledger: {{url: "{made.deploy}"}}'
    platform.write_text("\n".join(lines), encoding="utf-8")
    return made


def packaged(shop: Shop) -> tuple[StageResult, list[str]]:
    """Run the stage; returns its result, and what it tells."""
    build = shop.build()
    result = package.run(build)
    assert isinstance(build.progress, Notes)
    return result, build.progress.lines


def refused(shop: Shop) -> BadInput:
    with pytest.raises(BadInput) as caught:
        package.run(shop.build())
    return caught.value


def test_the_chart_is_rendered_with_the_values_of_each_environment(shop: Shop) -> None:
    shop.commit({"chart/values-dev.yaml": "greeting: hi\n"})
    result, told = packaged(shop)
    assert result.status == "passed"
    assert "package: the chart renders for dev" in told
    assert "package: there is no values-test.yaml: the chart's own values hold there" in told
    assert result.package
    with tarfile.open(shop.checkout / result.package.chart_file) as archive:
        assert "front/values-dev.yaml" in archive.getnames()


def test_values_with_which_it_does_not_render_are_named(shop: Shop) -> None:
    shop.commit({"chart/values-dev.yaml": "greeting: hi\n", "chart/values-test.yaml": "greeting: {a: b}\n"})
    error = refused(shop)
    assert error.message == "test: the chart does not render with chart/values-test.yaml"
    assert "upper" in " ".join(error.problems)


@pytest.mark.parametrize(
    ("files", "said", "mend"),
    [
        (
            {"values-tst.yaml": ""},
            "chart/values-tst.yaml: there is no environment 'tst' (did you mean test?)",
            "rename",
        ),
        ({"values-dev.yml": ""}, "chart/values-dev.yml is not read", "name it values-dev.yaml"),
        ({"values-dev.yaml": "- a\n"}, "chart/values-dev.yaml holds no values", "correct"),
        ({"values-dev.yaml": "a: {b: null}\n"}, "chart/values-dev.yaml: a.b: null, which would leave", "leave the key"),
        ({"values-dev.yaml": "a: b: c\n"}, "chart/values-dev.yaml:1: ", "correct chart/values-dev.yaml"),
        ({"values-dev.yaml": "", ".helmignore": "values-*\n"}, "values-dev.yaml is not in the package", ".helmignore"),
    ],
)
def test_a_file_that_would_not_be_used_as_it_is_meant_is_an_error(
    shop: Shop, files: dict[str, str], said: str, mend: str
) -> None:
    shop.commit({f"chart/{name}": text for name, text in files.items()})
    error = refused(shop)
    assert said in error.message
    assert mend in error.hint


def test_a_file_for_something_else_is_only_told_of(shop: Shop) -> None:
    shop.commit({"chart/values-dev.yaml": "", "chart/values-demo.yaml": "", "chart/values-local.yaml": "x: 1\n"})
    told = packaged(shop)[1]
    assert "package: chart/values-local.yaml is not used: the environments are dev, test" in told
    assert "package: chart/values-demo.yaml is not used: the environments are dev, test" in told


def test_a_generated_chart_has_the_values_that_stand_beside_cd_yaml(shop: Shop) -> None:
    shop.commit({"cd.yaml": CD, "values-test.yaml": "replicaCount: 2\nimage: {pullPolicy: Always}\n"})
    result, told = packaged(shop)
    assert "package: the chart renders for test" in told
    assert result.package
    with tarfile.open(shop.checkout / result.package.chart_file) as archive:
        stream = archive.extractfile("storefront/values-test.yaml")
        assert stream
        values = yaml.safe_load(stream.read())
    assert values == {"common-chart": {"replicaCount": 2, "image": {"pullPolicy": "Always"}}}
    shop.commit({"values-test.yaml": "replicaCount: many\n"})
    error = refused(shop)
    assert error.message == "test: the chart does not render with values-test.yaml"
    assert "replicaCount" in " ".join(error.problems)


def test_a_link_out_of_the_checkout_is_refused(shop: Shop) -> None:
    shop.commit({"cd.yaml": CD})
    (shop.checkout / "values-dev.yaml").symlink_to("/etc/hostname")
    assert "leads out of the checkout" in refused(shop).message
