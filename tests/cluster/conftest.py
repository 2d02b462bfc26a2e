"""Tests that need a real cluster: they run on the lab, and are skipped where it cannot run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jenkins_cd.tools.kubernetes import Cluster
from tests.cluster import accounts
from tests.cluster.agent import agent  # noqa: F401
from tests.cluster.pushed import app_charts, pushed  # noqa: F401
from tests.cluster.stage import stage  # noqa: F401
from tests.lab.fixture import alone, lab, namespace, quiet  # noqa: F401
from tests.lab.lab import Lab


@pytest.fixture
def administrator(lab: Lab) -> Cluster:  # noqa: F811
    """The lab's administrator: for what a test prepares and looks up, never for what is tested."""
    return Cluster.of(Path(lab.kubeconfig))


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which steps keep their credentials, of this test alone."""
    folder = tmp_path / "runtime"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return folder / "jenkins-cd"


@pytest.fixture
def prepared(administrator: Cluster, namespace: str, runtime: Path, tmp_path: Path) -> Iterator[Path]:  # noqa: F811
    """The kubeconfig that Jenkins holds: it may ask for tokens of the accounts in `namespace`, and do nothing else."""
    with accounts.bootstrap(administrator, tmp_path, namespace) as kubeconfig:
        accounts.prepare(administrator, namespace, f"{namespace}/agent")
        yield kubeconfig
