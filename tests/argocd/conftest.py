"""Tests that need a real Argo CD: they run on the lab's, each with a project, a repository and a namespace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.argocd.scene import Scene, opened
from tests.lab.fixture import alone, lab, namespace, quiet  # noqa: F401
from tests.lab.lab import Lab


@pytest.fixture
def argo(lab: Lab, namespace: str, tmp_path: Path) -> Iterator[Scene]:  # noqa: F811
    """A project with roles, a repository with a chart that Argo CD may read, and whoever is wanted at the server."""
    if lab.argocd is None:
        pytest.skip("there is no Argo CD on the cluster that the lab is attached to")
    with opened(lab, namespace, tmp_path / "argocd") as scene:
        yield scene
