"""When sync windows let a sync through again, worked out as Argo CD itself does.

https://argo-cd.readthedocs.io/en/stable/user-guide/sync_windows/. What counts for us is what it calls a manual sync,
one that is asked for. Time zones are known where we may read the project: where what the server says of now
does not fit what is worked out here, nothing is said of later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from jenkins_cd.tools.argocd_applications import Window, Windows

CHANGES = 1000  # openings and closings that are looked at
AHEAD = timedelta(days=400)  # how far
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class _Run:
    """A window with its schedule at hand; all its moments are of a clock without summer time, as the server's."""

    window: Window
    length: timedelta
    zone: ZoneInfo

    def active(self, at: datetime) -> bool:
        """Tell whether it is on at a moment."""
        return self._begun(self._local(at)) > self._local(at) - self.length

    def changes(self, at: datetime) -> datetime:
        """Return the next moment when it may begin or end."""
        from croniter import croniter

        local, begun = self._local(at), self._begun(self._local(at))
        if begun > local - self.length:
            next_ = begun + self.length
        else:
            next_ = croniter(_schedule(self.window), local).get_next(datetime)
        return max(self._utc(next_, at), at + _SECOND)

    def _begun(self, local: datetime) -> datetime:
        """Return when it last began, at this very second too."""
        from croniter import croniter

        begun: datetime = croniter(_schedule(self.window), local + _SECOND).get_prev(datetime)
        return begun

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone).replace(tzinfo=None)

    def _utc(self, local: datetime, near: datetime) -> datetime:
        """Return the moment of a local time: with the offset of now, then with that of then."""
        for _ in range(2):
            offset = near.astimezone(self.zone).utcoffset() or timedelta()
            near = (local - offset).replace(tzinfo=timezone.utc)
        return near


def until(windows: Windows, now: datetime) -> datetime | None:
    """Return when a sync that is asked for is possible again: `now` where it is.

    None: it cannot be known, as the server says otherwise of now, or it is not possible within AHEAD.
    """
    now = now.astimezone(timezone.utc).replace(microsecond=0)
    if windows.can_sync:
        return now
    try:
        runs = [_run(one) for one in windows.assigned]
        if not _as_told(windows, runs, now):
            return None
        return _opens(runs, now)
    except (ValueError, LookupError):  # a schedule, a duration or a zone that is not known here
        return None


def describe(windows: Windows, now: datetime) -> str:
    """Return what holds a sync off, and until when where that is known; empty where nothing does."""
    if windows.can_sync:
        return ""
    opens = until(windows, now)
    when = f" until {opens:%Y-%m-%d %H:%M} UTC" if opens else "; when that ends cannot be told here"
    closed = [one for one in windows.active if one.kind == "deny" and not one.manual_sync]
    shut = [one for one in windows.assigned if one.kind == "allow"]
    if closed:
        return f"blocked by the sync window{'s' if len(closed) > 1 else ''} {_named(closed)}{when}"
    return f"no sync window is open{f' ({_named(shut)})' if shut else ''}{when}"


def length(duration: str) -> timedelta:
    """Return a duration as Go writes it, such as `1h30m`. Raises ValueError for what is none."""
    parts = _PART.findall(duration)
    if not parts or "".join(map("".join, parts)) != duration:
        raise ValueError(f"{duration!r} is no duration")
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))


def _opens(runs: list[_Run], now: datetime) -> datetime | None:
    at = now
    for _ in range(CHANGES):
        if at > now + AHEAD:
            return None
        if _can_sync(runs, at):
            return at
        at = min(one.changes(at) for one in runs)
    return None


def _can_sync(runs: list[_Run], at: datetime) -> bool:
    """Tell whether a sync that is asked for gets through: `deny` is stronger, `allow` shuts what it does not open."""
    active = [one.window for one in runs if one.active(at)]
    denied = [one for one in active if one.kind == "deny"]
    if denied:
        return all(one.manual_sync for one in denied)
    allows = [one.window for one in runs if one.window.kind == "allow"]
    return any(one in active for one in allows) or all(one.manual_sync for one in allows)


def _as_told(windows: Windows, runs: list[_Run], now: datetime) -> bool:
    """Tell whether the windows that are on by our clock are those that the server says are on."""
    ours = sorted(_identity(one.window) for one in runs if one.active(now))
    return ours == sorted(_identity(one) for one in windows.active) and not _can_sync(runs, now)


def _run(window: Window) -> _Run:
    return _Run(window, length(window.duration), ZoneInfo(window.time_zone or "UTC"))


def _identity(window: Window) -> tuple[str, str, str]:
    return window.kind, window.schedule, window.duration


def _schedule(window: Window) -> str:
    return window.schedule.replace("?", "*")  # the same to Argo CD


def _named(windows: Iterable[Window]) -> str:
    return ", ".join(f"{one.kind} `{one.schedule}` for {one.duration}" for one in windows)
