"""A platform file without `deploy_repository`: everything is pushed with Helm."""

from __future__ import annotations

import json

import pytest

from jenkins_cd.config.load import load_platform
from jenkins_cd.errors import BadInput
from jenkins_cd.gitops.ledger import Ledger
from tests.config.files import APP, Checkout

PLATFORM = """\
registry: {images: registry.local/apps, charts: "oci://registry.local/charts"}
ledger: {url: "https://git.local/ledger.git"}
environments:
  dev:
    model: helm
    after: ci
    health_url: https://{app}.dev.local
  prod:
    model: helm
    after: dev
    health_url: https://{app}.local
"""


def test_a_platform_that_only_pushes_needs_none(checkout: Checkout) -> None:
    assert checkout.write(APP, PLATFORM).run("validate")[0] == 0
    platform = load_platform(None, checkout.folder)
    assert platform.deploy_repository is None
    assert Ledger.open(platform).repository.url == "https://git.local/ledger.git"
    with pytest.raises(BadInput, match="there is no deploy repository") as caught:
        platform.declared_in  # noqa: B018 - it raises
    assert "deploy_repository" in caught.value.hint


def test_each_environment_that_has_to_follow_one_is_told(checkout: Checkout) -> None:
    text = PLATFORM.replace("model: helm", "model: flux", 1)
    assert checkout.write(None, text).problem() == (
        "platform.yaml:5 (platform): environments.dev.model: flux needs a deploy repository to follow: "
        "add `deploy_repository: {url: …}`; the model helm alone does without"
    )
    both = text.replace("model: helm", "model: argocd") + "argocd: {url: https://argocd.local}\n"
    assert [one.split(": ")[1] for one in checkout.write(None, both).refused()] == [
        "environments.dev.model",
        "environments.prod.model",
    ]


@pytest.mark.parametrize(("ledger", "line"), [("", 2), ("ledger: {branch: records}\n", 2)])
def test_the_ledger_needs_a_repository_of_its_own_then(checkout: Checkout, ledger: str, line: int) -> None:
    lines = PLATFORM.splitlines(keepends=True)
    problem = checkout.write(None, "".join([lines[0], ledger, *lines[2:]])).problem()
    assert problem.startswith(f"platform.yaml:{line} (platform): ledger.url: is needed, as there is no deploy_reposito")


def test_a_deploy_repository_without_url_is_still_incomplete(checkout: Checkout) -> None:
    problem = checkout.write(None, PLATFORM + "deploy_repository: {branch: main}\n").problem()
    assert problem.startswith("platform.yaml:12 (platform): deploy_repository.url: is missing")


def test_schema_and_explanation_know_that_it_may_be_left_out(checkout: Checkout) -> None:
    checkout.write(APP, PLATFORM)
    schema = json.loads(checkout.run("schema", "platform")[1])
    assert schema["required"] == ["registry", "environments"]
    assert "null" in schema["properties"]["deploy_repository"]["type"]
    code, out, _ = checkout.run("explain", "deploy_repository")
    assert (code, "built-in" in out) == (0, True)
