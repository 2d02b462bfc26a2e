"""Apps as tests of the model want them; a test module imports those that it uses, and `app_charts` in any case."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.argocd.delivered import TOKEN, Delivered, prepared
from tests.argocd.scene import Scene
from tests.cluster import pushed

app_charts = pushed.app_charts
Make = Callable[..., Delivered]


@pytest.fixture(name="app", params=[False, True], ids=["manual", "automated"])
def app_of_either_kind(
    request: pytest.FixtureRequest, argo: Scene, app_charts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Delivered:
    """An app with an Application that is synced by us, or by Argo CD too."""
    made = prepared(argo, tmp_path, app_charts, automated=request.param)
    monkeypatch.setenv(TOKEN, made.token)
    return made


@pytest.fixture(name="manual")
def app_of_manual_syncs(argo: Scene, app_charts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Delivered:
    """An app with an Application that is synced by us alone."""
    made = prepared(argo, tmp_path, app_charts)
    monkeypatch.setenv(TOKEN, made.token)
    return made


@pytest.fixture(name="make")
def app_as_wanted(argo: Scene, app_charts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make the test's one app, as `prepared` does."""

    def made(**how: Any) -> Delivered:
        found = prepared(argo, tmp_path, app_charts, **how)
        monkeypatch.setenv(TOKEN, found.token)
        return found

    return made
