from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.delivery.app import App


@pytest.fixture
def app() -> Iterator[App]:
    running = App()
    yield running
    running.stop()
