"""The order of an app's records in the ledger: by their IDs, which the ledger gives out.

An ID begins with a time, `20260102T030405.678901Z-<token>`. It is that of the agent's clock unless the ledger has one
that is as late: then it is the next microsecond after that. So a record comes after all that were there before it,
whatever the clocks of those who wrote them say.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

NEXT = "next"  # stands for the ID that the ledger is to give out
STEP = timedelta(microseconds=1)
_FORMATS = ("%Y%m%dT%H%M%S.%fZ", "%Y%m%dT%H%M%SZ")
_NEVER = datetime(1, 1, 1, tzinfo=timezone.utc)
_LATEST = datetime(9000, 1, 1, tzinfo=timezone.utc)  # beyond it nothing could follow


def key(id_: str) -> tuple[datetime, str]:
    """Return what IDs are sorted by. One without a time that we could follow comes before all others."""
    return moment(id_), id_


def moment(id_: str) -> datetime:
    """Return the time in an ID: when it was, as far as the ledger knows."""
    text = id_.partition("-")[0]
    for format_ in _FORMATS:
        try:
            found = datetime.strptime(text, format_).replace(tzinfo=timezone.utc)
        except ValueError:
            continue
        return found if found < _LATEST else _NEVER
    return _NEVER


def token(id_: str) -> str:
    """Return what tells an ID apart from others of the same time."""
    return id_.rpartition("-")[2]


def following(known: Iterable[str], now: datetime, token: str) -> str:
    """Return an ID with `token` that sorts after all that are known; with the time `now` where that is later.

    Where one is known with the token, it is that one: it was given out already.
    """
    known = list(known)
    if given := next((id_ for id_ in known if id_.endswith(f"-{token}")), ""):
        return given
    newest = max(map(moment, known), default=_NEVER)
    return f"{max(now, newest + STEP):%Y%m%dT%H%M%S.%fZ}-{token}"
