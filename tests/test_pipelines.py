"""What Jenkins has to bind for a step, by what the environment is delivered with."""

from __future__ import annotations

from pathlib import Path

import pytest

from jenkins_cd import pipelines
from jenkins_cd.config import load
from jenkins_cd.config.types import PlatformFile

PLATFORM = """\
registry: {images: registry.local/apps, charts: oci://registry.local/charts}
deploy_repository: {url: https://git.local/deploy.git}
argocd: {url: https://argocd.local%s}
environments:
  dev: {model: %s, after: ci, health_url: "https://{app}.dev.local"%s}
"""


def platform(folder: Path, model: str, environment: str = "", argocd: str = "") -> PlatformFile:
    file = folder / "platform.yaml"
    file.write_text(PLATFORM % (argocd, model, environment), encoding="utf-8")
    return load.load_platform(str(file), folder)


def bound(found: PlatformFile) -> list[tuple[str, str, dict[str, str]]]:
    return [
        (one.binding, one.id, dict(one.variables)) for one in pipelines.credentials(found, ("git", "cluster"), "dev")
    ]


@pytest.mark.parametrize(
    ("environment", "argocd", "wanted"),
    [
        ("", ", credential: argocd-all", "argocd-all"),
        (", argocd: {credential: argocd-dev}", "", "argocd-dev"),
        (", argocd: {credential: argocd-dev}", ", credential: argocd-all", "argocd-dev"),
    ],
)
def test_argo_cd_is_reached_with_a_token_as_secret_text(
    tmp_path: Path, environment: str, argocd: str, wanted: str
) -> None:
    found = platform(tmp_path, "argocd", environment, argocd)
    assert bound(found) == [("string", wanted, {"variable": "JENKINS_CD_ARGOCD_TOKEN"})]
    assert pipelines.credentials(found, ("git",)) == ()


def test_without_an_id_nothing_is_bound(tmp_path: Path) -> None:
    assert bound(platform(tmp_path, "argocd")) == []


def test_the_other_models_do_not_see_the_token_of_argo_cd(tmp_path: Path) -> None:
    assert bound(platform(tmp_path, "flux", "", ", credential: argocd-all")) == []
    helm = platform(tmp_path, "helm", ", helm: {credential: kubeconfig-dev}", ", credential: argocd-all")
    assert bound(helm) == [("file", "kubeconfig-dev", {"variable": "JENKINS_CD_KUBECONFIG"})]
