from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from jenkins_cd.cli.render import render
from tests.deployments import Shop


@pytest.fixture
def place(shop: Shop) -> Path:
    file = shop.file()
    rules: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    for name in rules["environments"]:
        rules["environments"][name] |= {"model": "helm", "helm": {"context": f"{name}-cluster"}}
    file.write_text(yaml.safe_dump(rules), encoding="utf-8")
    return file


def run(place: Path, *arguments: str) -> tuple[str, str]:
    result = CliRunner().invoke(render, ["rbac", "--platform", str(place), *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout, result.stderr


def test_rights_are_printed_as_yaml_that_kubectl_takes_and_progress_goes_elsewhere(place: Path) -> None:
    printed, told = run(place, "--bootstrap", "jenkins/agent")
    objects = [one for one in yaml.safe_load_all(printed) if one]
    assert {one["metadata"]["namespace"] for one in objects} == {"shop-dev", "shop-prod"}
    assert {one["kind"] for one in objects} == {"ServiceAccount", "Role", "RoleBinding"}
    assert "# shop-prod: prod, for shop/storefront\n# in the cluster of the context prod-cluster\n" in printed
    assert "fetching the chart storefront 1.5.0" in told


def test_rights_are_printed_as_json(place: Path) -> None:
    shown = json.loads(run(place, "--environment", "dev", "--project", "shop", "--json")[0])
    assert shown["schema"] == "jenkins_cd/cluster/rbac/v1"
    (grant,) = shown["grants"]
    assert (grant["namespace"], grant["context"], grant["apps"]) == ("shop-dev", "dev-cluster", ["shop/storefront"])


def test_what_nobody_has_released_is_said_in_the_yaml(place: Path) -> None:
    printed, _ = run(place, "--environment", "dev", "--project", "payments")
    assert printed.startswith("# payments-dev: dev, for the common chart: nothing was released yet\n")
