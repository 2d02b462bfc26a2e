"""The platform's freezes as sync windows: their schedules are cron, which has no year, so each comes back in a year."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from jenkins_cd.config.rules import moment_of
from jenkins_cd.config.types import Freeze
from jenkins_cd.masking import excerpt

_LONGEST = 255  # letters of a description
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Once:
    """A window for one freeze. Times are UTC."""

    schedule: str
    duration: str
    description: str
    start: datetime
    end: datetime


def windows(freezes: Iterable[Freeze], now: datetime) -> tuple[list[Once], list[str]]:
    """Return the windows of freezes that run or come, and what people must know of those that are left out."""
    found, told = [], []
    for freeze in freezes:
        start, end = moment_of(freeze.start), moment_of(freeze.end)
        if start is None or end is None or end <= start:
            continue  # no such file is loaded
        since = _year_before(start) + (end - start)
        if end <= now:
            told.append(f"the freeze until {freeze.end} is over: {freeze.why}")
        elif now < start and now < since:
            when = f"{since.astimezone(timezone.utc):%Y-%m-%d}"
            told.append(f"the freeze from {freeze.start} would close now too, as cron has no year: render after {when}")
        else:
            found.append(_once(freeze, start, end))
    return found, told


def _once(freeze: Freeze, start: datetime, end: datetime) -> Once:
    begins = start.astimezone(timezone.utc).replace(second=0, microsecond=0)
    minutes = -((begins - end) // _MINUTE)  # upwards: it must not open early
    hours, rest = divmod(minutes, 60)
    return Once(
        schedule=f"{begins.minute} {begins.hour} {begins.day} {begins.month} *",
        duration=(f"{hours}h" if hours else "") + (f"{rest}m" if rest else ""),
        description=excerpt(freeze.why, _LONGEST),
        start=begins,
        end=end.astimezone(timezone.utc),
    )


def _year_before(moment: datetime) -> datetime:
    try:
        return moment.replace(year=moment.year - 1)
    except ValueError:  # 29 February: cron waits for the next leap year
        return moment.replace(year=moment.year - 4)
