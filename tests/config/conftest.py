from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.files import Checkout


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Checkout:
    monkeypatch.chdir(tmp_path)
    return Checkout(tmp_path, capsys)
