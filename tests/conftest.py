"""What all tests share: an environment that is nobody's, and a real registry."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jenkins_cd import masking
from jenkins_cd.delivery import declaration, health
from jenkins_cd.demo.services import Registry
from tests import deployments
from tests.delivery.charts import publish

pytest_plugins = ["tests.timing"]
FOREIGN = ("JENKINS_CD_", "HELM_", "BUILDAH_", "GIT_", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "BUILD_URL")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that want the lab to themselves: they run after the others, who would all wait for them."""
    for item in items:
        if "alone" in getattr(item, "fixturenames", ()):
            item.add_marker("alone")


@pytest.fixture(scope="session", autouse=True)
def isolated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep Git, the caches, Helm and the image store of whoever runs the tests out of them; one each per worker.

    The folder of pinned tools stays in PATH, as that is how the machine provides them.
    """
    home = tmp_path_factory.mktemp("home")
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    gitconfig, storage = home / "gitconfig", home / "storage.conf"
    gitconfig.write_text(
        "[user]\n\tname = Test\n\temail = test@example.invalid\n[init]\n\tdefaultBranch = main\n"
        "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[commit]\n\tgpgsign = false\n",
        encoding="utf-8",
    )
    storage.write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{home}/containers"\nrunroot = "{home}/run"\n', encoding="utf-8"
    )
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(FOREIGN):
                patch.delenv(name)
        patch.setenv("GIT_CONFIG_GLOBAL", str(gitconfig))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        # Compiled packages are nobody's secret, and minutes of work.
        patch.setenv("GOCACHE", os.environ.get("GOCACHE") or str(caches / "go-build"))
        patch.setenv("STATICCHECK_CACHE", os.environ.get("STATICCHECK_CACHE") or str(caches / "staticcheck"))
        patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        patch.setenv("XDG_DATA_HOME", str(home / "data"))
        patch.setenv("CONTAINERS_STORAGE_CONF", str(storage))
        yield home


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that everybody may write to, shared by the tests of one worker: use names of your own in it."""
    running = Registry.start(tmp_path_factory.mktemp("registry"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def shop_charts(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The charts of the shop's versions, in the shared registry."""
    return publish(registry, "shop-tests", tmp_path_factory.mktemp("charts"), deployments.VERSIONS)


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    """Let no test make a secret of what another one looks for."""
    forms, spared = set(masking._forms), masking._spared
    yield
    masking._forms.clear()
    masking._forms.update(forms)
    masking._spared = spared


@pytest.fixture
def shop(
    tmp_path: Path, registry: Registry, shop_charts: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[deployments.Shop]:
    """A shop with three versions that can be deployed, quickly."""
    monkeypatch.setattr(health, "INTERVAL", 0.02)
    monkeypatch.setattr(declaration, "LOOK", 0.1)
    with deployments.opened(tmp_path, registry, shop_charts) as running:
        yield running
