"""The tools of the environment that runs the tests come first, as in an activated one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def active(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    for name in ("PYTEST_ADDOPTS", "PYTHONWARNINGS", "PYTHONPYCACHEPREFIX"):
        monkeypatch.delenv(name, raising=False)
