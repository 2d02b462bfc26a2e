"""When sync windows open: worked out as Argo CD does (`SyncWindows.CanSync`)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from jenkins_cd.argocd.windows import describe, length, until
from jenkins_cd.tools.argocd_applications import Window, Windows

NOW = datetime(2026, 3, 10, 23, 30, 12, 345, tzinfo=timezone.utc)  # a Tuesday
NIGHT = Window(kind="deny", schedule="0 22 * * *", duration="8h")
OFFICE = Window(kind="allow", schedule="0 8 * * 1-5", duration="9h30m")


def closed(*assigned: Window, active: tuple[Window, ...] = ()) -> Windows:
    return Windows(can_sync=False, active=active, assigned=assigned)


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=timezone.utc)


def test_where_a_sync_is_possible_it_is_so_now() -> None:
    open_ = Windows(can_sync=True, assigned=(NIGHT,))
    assert until(open_, NOW) == NOW.replace(microsecond=0)
    assert describe(open_, NOW) == ""


def test_a_deny_window_ends_its_duration_after_it_began() -> None:
    assert until(closed(NIGHT, active=(NIGHT,)), NOW) == at(11, 6)


def test_an_allow_window_opens_at_its_next_beginning() -> None:
    assert until(closed(OFFICE), NOW) == at(11, 8)
    assert until(closed(OFFICE), at(13, 18)) == at(16, 8), "over the weekend"


def test_deny_is_stronger_than_allow() -> None:
    late = Window(kind="deny", schedule="0 7 * * *", duration="90m")
    assert until(closed(OFFICE, late), NOW) == at(11, 8, 30)


def test_windows_that_follow_upon_each_other_are_one() -> None:
    every_hour = Window(kind="deny", schedule="0 20-23 * * *", duration="1h30m")
    assert until(closed(every_hour, active=(every_hour,)), NOW) == at(11, 0, 30)
    morning = Window(kind="deny", schedule="0 6 * * *", duration="1h")
    assert until(closed(NIGHT, morning, active=(NIGHT,)), NOW) == at(11, 7)


def test_one_allow_window_that_is_open_is_enough() -> None:
    early = Window(kind="allow", schedule="0 4 * * *", duration="1h")
    assert until(closed(OFFICE, early), NOW) == at(11, 4)


def test_a_window_that_lets_manual_syncs_through_is_no_obstacle() -> None:
    lenient = Window(kind="deny", schedule="0 22 * * *", duration="12h", manual_sync=True)
    assert until(closed(NIGHT, lenient, active=(NIGHT, lenient)), NOW) == at(11, 6)
    manual = Window(kind="allow", schedule="0 8 * * *", duration="1h", manual_sync=True)
    assert until(closed(manual, NIGHT, active=(NIGHT,)), NOW) == at(11, 6)


def test_manual_syncs_get_through_only_where_all_closed_windows_say_so() -> None:
    manual = Window(kind="allow", schedule="0 5 * * *", duration="1h", manual_sync=True)
    assert until(closed(manual, OFFICE), NOW) == at(11, 5)


def test_the_schedule_is_in_the_window_s_time_zone_summer_time_too() -> None:
    zurich = Window(kind="deny", schedule="0 22 * * *", duration="8h", time_zone="Europe/Zurich")
    assert until(closed(zurich, active=(zurich,)), NOW) == at(11, 5)
    assert until(closed(zurich, active=(zurich,)), at(10, 23, month=7)) == at(11, 4, month=7)
    before_summer = datetime(2026, 3, 28, 23, tzinfo=timezone.utc)  # the clock is put on an hour later
    assert until(closed(zurich, active=(zurich,)), before_summer) == at(29, 4)


def test_where_the_server_says_otherwise_of_now_nothing_is_known_of_later() -> None:
    assert until(closed(NIGHT), NOW) is None, "the server does not have it active"
    elsewhere = Window(kind="deny", schedule="0 5 * * *", duration="2h")
    assert until(closed(elsewhere, active=(elsewhere,)), NOW) is None


@pytest.mark.parametrize(
    "window",
    [
        Window(kind="deny", schedule="* * * * *", duration="1h"),  # for ever
        Window(kind="deny", schedule="every night", duration="8h"),
        Window(kind="deny", schedule="0 22 * * *", duration="long"),
        Window(kind="deny", schedule="0 22 * * *", duration="8h", time_zone="Nowhere/Land"),
        Window(kind="deny", schedule="0 0 31 2 *", duration="8h"),
    ],
)
def test_what_cannot_be_known_is_told_as_such(window: Window) -> None:
    windows = closed(window, active=(window,))
    assert until(windows, NOW) is None
    assert describe(windows, NOW) == (
        f"blocked by the sync window deny `{window.schedule}` for {window.duration}; when that ends cannot be told here"
    )


def test_the_sentence_names_the_window_and_when_it_ends() -> None:
    blocked = describe(closed(NIGHT, OFFICE, active=(NIGHT,)), NOW)
    assert blocked == "blocked by the sync window deny `0 22 * * *` for 8h until 2026-03-11 08:00 UTC"
    shut = describe(closed(OFFICE), NOW)
    assert shut == "no sync window is open (allow `0 8 * * 1-5` for 9h30m) until 2026-03-11 08:00 UTC"


@pytest.mark.parametrize(
    ("schedule", "day"), [("0 0 ? * 5", 13), ("0 0 15 * 5", 13), ("0 0 12 * *", 12), ("0 0 * * FRI", 13)]
)
def test_days_are_meant_as_cron_means_them(schedule: str, day: int) -> None:
    assert until(closed(Window(kind="allow", schedule=schedule, duration="1h")), NOW) == at(day, 0)


def test_durations_are_go_s() -> None:
    assert length("1h30m") == timedelta(minutes=90)
    assert length("1.5h") == timedelta(minutes=90)
    assert length("90s") == timedelta(seconds=90)
    with pytest.raises(ValueError, match="is no duration"):
        length("90")
