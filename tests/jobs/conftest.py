"""The bench of these tests, with a login in the environment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jenkins_cd.jobs import patience
from jenkins_cd.jobs.patience import Patience
from tests.jobs.bench import TOKEN, USER, Bench, Clock


@pytest.fixture
def bench(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("JENKINS_USER", USER)
    monkeypatch.setenv("JENKINS_TOKEN", TOKEN)
    made = Bench(capfd)
    yield made
    made.double.stop()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made, is_away = Clock(), Patience._is_away

    def counted(self: Patience, why: str) -> None:
        is_away(self, why)
        made.failures += 1

    monkeypatch.setattr(patience, "time", made)
    monkeypatch.setattr(Patience, "_is_away", counted)
    return made
