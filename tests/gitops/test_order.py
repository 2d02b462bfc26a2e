"""The IDs that the ledger gives out."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from jenkins_cd.gitops import order

NOW = datetime(2026, 5, 4, 3, 2, 1, 5, tzinfo=timezone.utc)


def test_the_first_id_has_the_time_of_the_clock() -> None:
    assert order.following([], NOW, "ab12") == "20260504T030201.000005Z-ab12"


@pytest.mark.parametrize("behind", [timedelta(0), timedelta(seconds=1), timedelta(hours=1), timedelta(days=9000)])
def test_an_id_comes_after_all_others_however_far_the_clock_is_behind(behind: timedelta) -> None:
    known = ["20260504T030201Z-0001", "20260504T030201.000005Z-ffff", "20260101T000000Z-ffff"]
    given = [*known]
    for number in range(3):
        given.append(order.following(given, NOW - behind, f"{9 - number}"))
    assert sorted(given, key=order.key)[-3:] == given[-3:]


@pytest.mark.parametrize("odd", ["", "zzz", "99991231T235959.999999Z-1", "20269999T999999Z-1", "later-1", "2026"])
def test_what_nothing_could_follow_comes_before_all_others(odd: str) -> None:
    given = order.following([odd], NOW, "ab12")
    assert given == "20260504T030201.000005Z-ab12"
    assert order.key(odd) < order.key("20000101T000000Z-1") < order.key(given)


def test_ids_with_and_without_parts_of_a_second_are_in_order() -> None:
    ids = ["20260504T030202Z-0", "20260504T030201.000001Z-0", "20260504T030201Z-1"]
    assert sorted(ids, key=order.key) == ids[::-1]


def test_an_id_that_was_given_out_is_given_again() -> None:
    first = order.following([], NOW, "ab12")
    assert order.following([first, "20270101T000000Z-1"], NOW + timedelta(days=9), "ab12") == first
