"""What is pushed where there is no deploy repository: a release's chart, with the values of one environment."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from jenkins_cd import common_chart
from jenkins_cd.config.types import Ledger as LedgerRules
from jenkins_cd.delivery import Target, changes, declaration, helm_site
from jenkins_cd.demo.services import Registry
from jenkins_cd.errors import BadInput, ExternalFailure
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import Chart, Plan, Release
from jenkins_cd.tools import helm
from jenkins_cd.tools.helm_release import Installed
from tests.delivery.charts import TEMPLATE, make, publish
from tests.delivery.progress import Notes
from tests.gitops.remotes import bare, git
from tests.gitops.samples import platform, release

PLACE = "dev/shop/storefront"
VALUES = {"1.4.0": "replicas: 2\n", "1.5.0": "replicas: 3\nimage: {tag: latest}\n"}


@dataclass(frozen=True)
class World:
    """The app's releases, and where they go; the ledger has a repository of its own."""

    target: Target
    ledger: Path
    releases: dict[str, Release]

    def at(self, environment: str) -> Target:
        return replace(self.target, name=environment)


@pytest.fixture
def world(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    repository = f"oci://{registry.host}/own-values-{tmp_path.name}"
    chart = make(tmp_path / "storefront", "apiVersion: v2\nname: storefront\nversion: 0.0.0\n", TEMPLATE)
    (chart / "values.yaml").write_text("replicas: 1\nimage: {tag: none}\n", encoding="utf-8")
    ledger, releases = bare(tmp_path / "ledger.git"), {}
    settings = replace(
        platform("", registry.host, model="helm"), deploy_repository=None, ledger=LedgerRules(url=str(ledger))
    )
    for version, values in VALUES.items():
        (chart / "values-dev.yaml").write_text(values, encoding="utf-8")
        file = helm.package(chart, tmp_path / "packages", version)
        helm.push(file, repository, plain_http=True)
        made = Chart(name="storefront", repository=repository, content=common_chart.sha256(file))
        releases[version] = release(version, chart=made, commit=version[2] * 40)
        Ledger.open(settings).publish(releases[version])
    environment = settings.environments["dev"]
    target = Target(name="dev", environment=environment, platform=settings, url="", progress=Notes())
    return World(target, ledger, releases)


def values(files: object) -> dict[str, object]:
    assert isinstance(files, dict)
    loaded = yaml.safe_load(files[f"{PLACE}/values.yaml"])
    assert isinstance(loaded, dict)
    return dict(loaded["storefront"])


def test_the_environments_values_lie_over_the_charts_and_the_image_is_the_releases(world: World) -> None:
    one = world.releases["1.5.0"]
    wanted = declaration.read(world.target, one)
    assert (wanted.before, wanted.version, wanted.base) == ({}, None, "")
    assert wanted.note == "values: values-dev.yaml of the chart"
    assert one.image
    image = {"tag": "1.5.0", "repository": one.image.repository, "digest": one.image.digest}
    assert values(wanted.after) == {"replicas": 3, "image": image}
    rendered = changes.render(wanted.after, one, plain_http=True)
    assert 'replicas: "3"' in rendered
    assert 'image: "1.5.0"' in rendered


def test_where_there_are_none_the_charts_own_values_hold_and_that_is_said(world: World) -> None:
    wanted = declaration.read(world.at("prod"), world.releases["1.5.0"])
    assert wanted.note == "values: the chart's own, as it has no values-prod.yaml"
    assert 'replicas: "1"' in changes.render(wanted.after, world.releases["1.5.0"], plain_http=True)


def test_a_generated_chart_is_pushed_with_its_common_chart_and_the_environments_values(
    world: World, registry: Registry, tmp_path: Path
) -> None:
    (tmp_path / "generated").mkdir()
    repository = publish(registry, f"generated-{tmp_path.name}", tmp_path / "generated", ["1.4.0"])
    chart = tmp_path / "generated" / "storefront"
    (chart / "values.yaml").write_text(
        "common-chart: {replicas: 1, image: {repository: x, tag: x}}\n", encoding="utf-8"
    )
    (chart / "values-dev.yaml").write_text("common-chart: {replicas: 4}\n", encoding="utf-8")
    helm.push(helm.package(chart, tmp_path, "1.5.0", "1.5.0"), repository, plain_http=True)
    one = replace(world.releases["1.5.0"], chart=Chart(name="storefront", repository=repository))
    for environment, replicas in (("dev", 4), ("prod", 1)):
        rendered = changes.render(declaration.read(world.at(environment), one).after, one, plain_http=True)
        assert f'replicas: "{replicas}"' in rendered
        assert 'image: "1.5.0"' in rendered


def test_the_releases_commit_declares_it_and_nothing_is_written(world: World) -> None:
    refs, one = git(world.ledger, "for-each-ref"), world.releases["1.4.0"]
    plan = Plan(environment="dev", declared=None, running=None, verified=None, wanted="1.4.0")
    assert declaration.commit(world.target, one, plan, "Deploy", lambda _files: None) == "4" * 40
    assert declaration.files(world.target, one, "4" * 40) == declaration.read(world.target, one).after
    assert git(world.ledger, "for-each-ref") == refs


def test_what_the_cluster_has_is_what_was_declared(world: World) -> None:
    one = world.releases["1.5.0"]
    wanted = declaration.read(world.target, one)
    same = declaration.against(world.target, one, wanted, "1.5.0")
    assert (same.version, same.changes) == ("1.5.0", False)
    first = declaration.against(world.target, one, wanted, None)
    assert (first.version, first.before) == (None, {})
    after = declaration.against(world.target, one, wanted, "1.4.0")
    told = changes.of_files(after.before, after.after)
    assert "-  replicas: 2" in told
    assert "+  replicas: 3" in told


def test_a_version_that_nobody_knows_is_no_obstacle(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = world.releases["1.5.0"]
    wanted = declaration.read(world.target, one)
    by_hand = declaration.against(world.target, one, wanted, "0.0.7")
    assert (by_hand.version, by_hand.before) == ("0.0.7", {})

    def away(*_given: object) -> Path:
        raise ExternalFailure("the registry is away")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    monkeypatch.setattr(helm, "pull", away)
    assert declaration.against(world.target, one, wanted, "1.4.0").before == {}


def looking(found: Callable[[], Installed | None]) -> Callable[..., contextlib.AbstractContextManager[object]]:
    @contextlib.contextmanager
    def opened(_target: Target, _release: Release) -> Iterator[object]:
        yield SimpleNamespace(status=found)

    return opened


def installed(version: str) -> Installed:
    at = datetime(2026, 1, 1, tzinfo=timezone.utc)
    return Installed(
        revision=2, version=version, deployed=at, description="", status="deployed", chart="storefront", manifest=""
    )


def test_another_version_in_the_cluster_is_another_wish(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Installed:
        raise ExternalFailure("the cluster is away")

    seen = []
    for look in (lambda: installed("1.4.0"), lambda: installed("1.5.0"), lambda: None, away):
        monkeypatch.setattr(helm_site, "opened", looking(look))
        seen.append(declaration.other_wish(world.target, world.releases["1.4.0"], ""))
    assert seen == ["", "1.5.0", "", ""]
    assert declaration.superseded(world.target, "1.5.0") == "superseded: 1.5.0 was deployed meanwhile"


def test_whoever_needs_a_deploy_repository_is_told_that_there_is_none(world: World) -> None:
    for ask in (declaration.repository_of, declaration.branch_of):
        with pytest.raises(BadInput, match="there is no deploy repository"):
            ask(world.target)
