"""What time it is by what servers say, whatever they say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jenkins_cd.tools import server_time

DATE = "Mon, 30 Nov 2026 12:00:00 GMT"


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    server_time.forget()
    yield
    server_time.forget()


def test_a_cached_answer_is_as_much_later_as_its_age() -> None:
    server_time.note({"Date": DATE, "Age": "3600"})
    now = server_time.now()
    assert now
    assert f"{now:%H:%M}" == "13:00"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Date": ""},
        {"Date": "yesterday"},
        {"Date": DATE, "Age": "old"},
        {"Date": DATE, "Age": "9" * 30},
        {"Date": "Fri, 31 Dec 9999 23:59:59 GMT"},
        {"Date": "Fri, 31 Dec 9999 23:59:59 GMT", "Age": "60"},
        {"Date": "Mon, 30 Nov 2026 12:00:00 -0000"},
    ],
)
def test_a_time_that_is_none_is_not_kept(headers: dict[str, str]) -> None:
    server_time.note(headers)
    assert server_time.now() is None
