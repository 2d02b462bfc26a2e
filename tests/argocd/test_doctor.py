"""What `doctor` says of Argo CD."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from jenkins_cd import doctor
from jenkins_cd.config.types import ArgoCd, PlatformFile
from jenkins_cd.doctor import Check
from tests.argocd.scene import Scene
from tests.gitops.samples import platform


def found(folder: Path, config: PlatformFile) -> list[Check]:
    return [one for one in doctor.diagnose(folder, None, config).checks if one.name.startswith("argocd ")]


@pytest.fixture
def config(argo: Scene) -> PlatformFile:
    """A platform file with one environment that Argo CD delivers to."""
    made = platform("file:///nowhere")
    dev = dataclasses.replace(made.environments["dev"], model="argocd")
    return dataclasses.replace(made, environments={"dev": dev}, argocd=ArgoCd(url=argo.argocd.url))


def test_with_a_token_argo_cd_is_asked_whom_it_takes_us_for(
    argo: Scene, config: PlatformFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(tmp_path, config) == []
    monkeypatch.setenv("JENKINS_CD_ARGOCD_TOKEN", argo.token("deployer").text)
    (check,) = found(tmp_path, config)
    assert check.ok
    assert check.found.startswith("Argo CD v3.")
    assert check.found.endswith(f", as proj:{argo.project}:deployer")


def test_a_token_that_is_not_accepted_is_told_with_what_to_do(
    argo: Scene, config: PlatformFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JENKINS_CD_ARGOCD_TOKEN", "not-a-token")
    (check,) = found(tmp_path, config)
    assert not check.ok
    assert "does not accept the token" in check.found
    assert "jenkins-cd argocd token" in check.mend


def test_where_no_environment_is_argo_cds_it_is_not_asked(
    config: PlatformFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JENKINS_CD_ARGOCD_TOKEN", "not-a-token")
    others = {"dev": dataclasses.replace(config.environments["dev"], model="flux")}
    assert found(tmp_path, dataclasses.replace(config, environments=others)) == []
