from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from jenkins_cd import masking
from jenkins_cd.demo.services import Registry
from jenkins_cd.tools import registry as oci

NAME = "robot"
PASSWORD = "sesame-open-7"
HTPASSWD = f"{NAME}:$2b$05$abcdefghijklmnopqrstuuzvO3BmEUqIMYxPl2chH.hi6P98/.ni6\n"  # of PASSWORD


@pytest.fixture(scope="session")
def locked_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that asks for a name and a password (Basic)."""
    folder = tmp_path_factory.mktemp("locked")
    (folder / "htpasswd").write_text(HTPASSWD, encoding="utf-8")
    running = Registry.start(folder, folder / "htpasswd")
    yield running
    running.stop()


@pytest.fixture
def terminal() -> Iterator[None]:
    """Heed SIGHUP for the time of a test: where the suite runs under nohup(1) it, and all that it starts, would not."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def logged_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(oci.USERNAME, NAME)
    monkeypatch.setenv(oci.PASSWORD, PASSWORD)
    forms = set(masking._forms)
    yield
    masking._forms.clear()
    masking._forms.update(forms)
