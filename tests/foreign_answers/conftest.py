"""A server whose answers a test chooses, and clients that do not wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from jenkins_cd.tools import answers, process
from tests.foreign_answers import foreign
from tests.foreign_answers.foreign import Foreign, Reply


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Callable[[Reply], None]:
    monkeypatch.setattr(process, "pause", lambda _seconds: None)
    return foreign.answering(monkeypatch)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Foreign]:
    monkeypatch.setattr(answers, "LARGEST", foreign.LIMIT)
    monkeypatch.setattr(process, "pause", lambda _seconds: None)
    with foreign.running() as running:
        yield running
